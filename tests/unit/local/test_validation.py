"""Requests that the service refuses for their shape, in its own words."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.nacre.local.api.operations import operations
from include.nacre.local.protocol.shapes import faults
from tests.unit.local.memory import (
    BUCKET,
    ROLE,
    SAGEMAKER,
    SKLEARN,
    InMemory,
    ServiceError,
    error_of,
    processing,
    training,
)


def test_a_missing_member_is_named(sagemaker: InMemory) -> None:
    request = processing()
    del request["RoleArn"]
    assert error_of(sagemaker.call, "CreateProcessingJob", **request) == (
        "ValidationException",
        (
            "1 validation error detected: Value 'null' at 'roleArn' failed to satisfy constraint:"
            " Member must not be null"
        ),
    )


def test_a_name_with_an_underscore_is_refused_with_the_pattern(sagemaker: InMemory) -> None:
    assert error_of(sagemaker.call, "CreateTrainingJob", **training("a_b")) == (
        "ValidationException",
        (
            "1 validation error detected: Value 'a_b' at 'trainingJobName' failed to satisfy"
            " constraint: Member must satisfy regular expression pattern:"
            " [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
        ),
    )


def test_a_role_that_is_no_arn_is_refused(sagemaker: InMemory) -> None:
    code, message = error_of(
        sagemaker.call, "CreateProcessingJob", **processing(RoleArn="role/SageMakerExecutionRole")
    )
    assert (code, "at 'roleArn'" in message) == ("ValidationException", True)


def test_a_name_of_64_characters_is_too_long(sagemaker: InMemory) -> None:
    _, message = error_of(sagemaker.call, "CreateProcessingJob", **processing("a" * 64))
    assert "Member must have length less than or equal to 63" in message


def test_an_instance_type_that_there_is_not_is_refused_with_those_that_are(
    sagemaker: InMemory,
) -> None:
    request = processing()
    request["ProcessingResources"]["ClusterConfig"]["InstanceType"] = "ml.tiny"
    _, message = error_of(sagemaker.call, "CreateProcessingJob", **request)
    assert (
        "Value 'ml.tiny' at 'processingResources.clusterConfig.instanceType' failed to satisfy"
        " constraint: Member must satisfy enum value set: [" in message
    )


def test_a_number_out_of_range_is_refused(sagemaker: InMemory) -> None:
    request = processing()
    request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 0
    _, message = error_of(sagemaker.call, "CreateProcessingJob", **request)
    assert (
        "Value '0' at 'processingResources.clusterConfig.instanceCount' failed to satisfy"
        " constraint: Member must have value greater than or equal to 1" in message
    )


def test_a_place_in_a_list_is_counted_from_one(sagemaker: InMemory) -> None:
    request = training(InputDataConfig=[{"ChannelName": "!", "DataSource": {}}])
    _, message = error_of(sagemaker.call, "CreateTrainingJob", **request)
    assert "Value '!' at 'inputDataConfig.1.member.channelName'" in message


def test_values_of_a_map_are_reported_as_the_maps_fault(sagemaker: InMemory) -> None:
    request = training(HyperParameters={"depth": "x" * 2501})
    _, message = error_of(sagemaker.call, "CreateTrainingJob", **request)
    assert (
        "at 'hyperParameters' failed to satisfy constraint: Map value must satisfy constraint:"
        " [Member must have length less than or equal to 2500]" in message
    )


def test_a_message_repeats_no_more_of_a_value_than_a_person_reads(sagemaker: InMemory) -> None:
    _, message = error_of(sagemaker.call, "CreateProcessingJob", **processing("a" * 100_000))
    assert len(message) < 1000


def test_all_faults_of_a_request_come_in_one_answer(sagemaker: InMemory) -> None:
    request = training("a_b", RoleArn="nobody", OutputDataConfig={})
    _, message = error_of(sagemaker.call, "CreateTrainingJob", **request)
    assert message.startswith("4 validation errors detected: ")
    assert [word in message for word in ("trainingJobName", "roleArn", "s3OutputPath")] == [
        True
    ] * 3


def test_text_outside_of_ascii_may_stand_in_a_tag(sagemaker: InMemory) -> None:
    tags = [{"Key": "Größe", "Value": "größer als 1"}]
    arn = sagemaker.call("CreateProcessingJob", **processing(Tags=tags))["ProcessingJobArn"]
    assert sagemaker.call("ListTags", ResourceArn=arn) == {"Tags": tags}


def test_a_tag_with_a_forbidden_character_is_refused(sagemaker: InMemory) -> None:
    request = processing(Tags=[{"Key": "why?", "Value": "x"}])
    _, message = error_of(sagemaker.call, "CreateProcessingJob", **request)
    assert "Value 'why?' at 'tags.1.member.key'" in message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (5, "NUMBER_VALUE can not be converted to a String (at 'roleArn')"),
        (True, "TRUE_VALUE can not be converted to a String (at 'roleArn')"),
        ([ROLE], "Start of list found where not expected. (at 'roleArn')"),
        ({"a": 1}, "Start of structure or map found where not expected. (at 'roleArn')"),
    ],
)
def test_a_value_of_another_type_cannot_be_read(
    sagemaker: InMemory, value: object, words: str
) -> None:
    request = processing(RoleArn=value)
    assert error_of(sagemaker.call, "CreateProcessingJob", **request) == (
        "SerializationException",
        words,
    )


def test_text_in_a_numbers_place_cannot_be_read(sagemaker: InMemory) -> None:
    request = processing(StoppingCondition={"MaxRuntimeInSeconds": "60"})
    assert error_of(sagemaker.call, "CreateProcessingJob", **request) == (
        "SerializationException",
        (
            "STRING_VALUE can not be converted to an Integer"
            " (at 'stoppingCondition.maxRuntimeInSeconds')"
        ),
    )


def test_a_number_in_a_maps_texts_cannot_be_read(sagemaker: InMemory) -> None:
    request = training(HyperParameters={"max_depth": 5})
    assert error_of(sagemaker.call, "CreateTrainingJob", **request) == (
        "SerializationException",
        "NUMBER_VALUE can not be converted to a String (at 'hyperParameters')",
    )


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'{"MaxResults": NaN}', b"[" * 100_000, b'"text"', b"[]", b"7"]
)
def test_a_body_that_is_no_request_cannot_be_read(sagemaker: InMemory, body: bytes) -> None:
    reply = sagemaker.raw("ListModels", body)
    assert (reply.status, json.loads(reply.body)["__type"]) == (400, "SerializationException")


def test_nulls_and_members_that_the_service_does_not_know_are_left_out(
    sagemaker: InMemory,
) -> None:
    sagemaker.call("CreateProcessingJob", **processing(Environment=None, Colour="blue"))
    described = sagemaker.call("DescribeProcessingJob", ProcessingJobName="clean")
    assert {"Environment", "Colour"} & set(described) == set()


def test_an_empty_body_is_an_empty_request(sagemaker: InMemory) -> None:
    assert json.loads(sagemaker.raw("ListModels", b"").body) == {"Models": []}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CreateEndpoint", "The local SageMaker does not run the operation 'CreateEndpoint'."),
        ("MakeCoffee", "The local SageMaker has no such thing as the operation 'MakeCoffee'."),
        ("", "The local SageMaker has no such thing as a call without an operation."),
    ],
)
def test_an_operation_that_does_not_run_says_so_and_which_do(
    sagemaker: InMemory, name: str, words: str
) -> None:
    content = json.loads(sagemaker.raw(name, b"{}").body)
    assert content["__type"] == "UnknownOperationException"
    assert content["message"].startswith(words + " It runs: AddTags, ")


def test_an_answer_carries_the_requests_id(sagemaker: InMemory) -> None:
    assert sagemaker.raw("ListModels", b"{}").headers["x-amzn-RequestId"] == "request-1"


def test_every_pattern_of_the_service_model_can_be_read() -> None:
    from include.nacre.local.protocol.shapes import _pattern
    from tests.unit.local.memory import LOGS, SAGEMAKER

    patterns = {
        shape.metadata["pattern"]
        for model in (SAGEMAKER, LOGS)
        for shape in map(model.shape_for, model.shape_names)
        if "pattern" in shape.metadata
    }
    assert len({_pattern(pattern) for pattern in patterns}) == len(patterns)


def test_a_refused_call_changes_nothing(sagemaker: InMemory) -> None:
    with pytest.raises(ServiceError):
        sagemaker.call("CreateProcessingJob", **processing("a_b"))
    assert sagemaker.call("ListProcessingJobs") == {"ProcessingJobSummaries": []}


WORDS = st.sampled_from(["a", "", "arn:aws:x", "s3://b/k", "\0", "\ud800", "ß", "../..", "1"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner), max_leaves=6
)


TEXTS = ["abalone", ROLE, SKLEARN, f"s3://{BUCKET}/in.csv", f"s3://{BUCKET}/none", "/opt/ml/x", "$"]


def fitting(shape: Any) -> list[str]:
    return [text for text in TEXTS if not list(faults(shape, text))] or ["abalone"]


def values(shape: Any, wild: bool, depth: int = 9) -> st.SearchStrategy[Any]:
    """What a shape may hold; if `wild`, with something else in places."""
    right: st.SearchStrategy[Any] = JSON
    if shape.type_name == "structure" and depth:
        members = {k: values(member, wild, depth - 1) for k, member in shape.members.items()}
        needed = {name: members.pop(name) for name in shape.required_members}
        right = st.fixed_dictionaries(needed, optional=members)
    elif shape.type_name == "list" and depth:
        right = st.lists(values(shape.member, wild, depth - 1), min_size=1, max_size=2)
    elif shape.type_name == "map":
        right = st.dictionaries(st.just("a"), st.just("b"), min_size=1)
    elif "enum" in shape.metadata:
        right = st.sampled_from(shape.metadata["enum"])
    elif shape.type_name in {"integer", "long", "timestamp"}:
        right = st.integers(1, 30)
    elif shape.type_name == "boolean":
        right = st.booleans()
    elif shape.type_name == "string":
        right = st.sampled_from(fitting(shape))
    return st.one_of(right, right, right, JSON) if wild else right


@settings(max_examples=120, suppress_health_check=list(HealthCheck))
@given(st.data(), st.booleans())
def test_whatever_is_sent_is_answered(sagemaker: InMemory, data: st.DataObject, wild: bool) -> None:
    sagemaker.put("in.csv")
    name = data.draw(st.sampled_from(sorted(operations(sagemaker.world))))
    shape = SAGEMAKER.operation_model(name).input_shape
    body = json.dumps(data.draw(values(shape, wild))).encode()
    assert sagemaker.raw(name, body).status in {200, 400}


@pytest.mark.parametrize("depth", [100, 400, 900])
def test_a_request_however_deep_is_answered(sagemaker: InMemory, depth: int) -> None:
    expression = '{"SubExpressions":[' * depth + "{}" + "]}" * depth
    body = f'{{"Resource":"TrainingJob","SearchExpression":{expression}}}'.encode()
    assert sagemaker.raw("Search", body).status in {200, 400}


@pytest.mark.parametrize("time", [-1, 10**400, 1e300])
def test_a_time_that_no_calendar_has_cannot_be_read(sagemaker: InMemory, time: float) -> None:
    code, _ = error_of(sagemaker.call, "ListTrainingJobs", CreationTimeAfter=time)
    assert code == "SerializationException"


def test_half_a_character_cannot_be_read(sagemaker: InMemory) -> None:
    code, _ = error_of(sagemaker.call, "ListProcessingJobs", NameContains="\ud800")
    assert code == "SerializationException"
