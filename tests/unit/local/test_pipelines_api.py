"""Create, update, describe, list and delete pipelines."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.definitions import SDK_DEFINITIONS, sdk_text
from tests.unit.local.memory import BUCKET, ROLE, START, InMemory, error_of
from tests.unit.local.pipelines import ARN, become, create, definition, start, step

OTHER_ROLE = "arn:aws:iam::123456789012:role/Other"
TOKEN = "t" * 32


def second(number: int) -> datetime:
    return datetime.fromtimestamp(START + number, UTC)


def describe(sagemaker: InMemory, name: str = "abalone", **more: Any) -> dict[str, Any]:
    return sagemaker.call("DescribePipeline", PipelineName=name, **more)


def update(sagemaker: InMemory, name: str = "abalone", **changes: Any) -> dict[str, Any]:
    return sagemaker.call("UpdatePipeline", PipelineName=name, **changes)


def names(sagemaker: InMemory, **request: Any) -> list[str]:
    answer = sagemaker.call("ListPipelines", **request)
    return [item["PipelineName"] for item in answer["PipelineSummaries"]]


def test_a_created_pipeline_has_the_services_arn(sagemaker: InMemory) -> None:
    assert create(sagemaker, "Abalone-Training") == f"{ARN}abalone-training"


def test_a_pipeline_tells_what_it_was_created_with(sagemaker: InMemory) -> None:
    create(
        sagemaker,
        PipelineDisplayName="Rings",
        PipelineDescription="Counts rings",
        ParallelismConfiguration={"MaxParallelExecutionSteps": 3},
        PipelineVersionAliases=["first"],
    )
    user = {"UserProfileName": "local"}
    assert describe(sagemaker) == {
        "PipelineArn": f"{ARN}abalone",
        "PipelineName": "abalone",
        "PipelineDisplayName": "Rings",
        "PipelineDescription": "Counts rings",
        "PipelineDefinition": definition(),
        "RoleArn": ROLE,
        "PipelineStatus": "Active",
        "CreationTime": second(1),
        "LastModifiedTime": second(1),
        "CreatedBy": user,
        "LastModifiedBy": user,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 3},
        "PipelineVersionAliases": ["first"],
    }


def test_a_pipeline_without_a_display_name_shows_its_name(sagemaker: InMemory) -> None:
    create(sagemaker)
    assert describe(sagemaker)["PipelineDisplayName"] == "abalone"


def test_a_pipeline_is_found_by_its_arn_too(sagemaker: InMemory) -> None:
    arn = create(sagemaker)
    assert describe(sagemaker, arn)["PipelineName"] == "abalone"


def test_tags_of_a_pipeline_are_its_arns(sagemaker: InMemory) -> None:
    tags = [{"Key": "team", "Value": "sea"}]
    arn = create(sagemaker, Tags=tags)
    assert sagemaker.call("ListTags", ResourceArn=arn) == {"Tags": tags}


@pytest.mark.parametrize("name", ["abalone", "ABALONE"])
def test_a_name_is_used_once_in_words_that_an_upsert_looks_for(
    sagemaker: InMemory, name: str
) -> None:
    create(sagemaker)
    assert error_of(create, sagemaker, name) == (
        "ValidationException",
        (
            "Pipeline names must be unique within an AWS account and region."
            f" Pipeline with name ({name}) already exists."
        ),
    )


def test_who_creates_again_learns_that_it_exists_though_the_definition_is_faulty(
    sagemaker: InMemory,
) -> None:
    create(sagemaker)
    assert "already exists" in error_of(create, sagemaker, PipelineDefinition="{")[1]


def test_the_same_token_and_request_make_one_pipeline(sagemaker: InMemory) -> None:
    first = create(sagemaker, ClientRequestToken=TOKEN)
    assert create(sagemaker, ClientRequestToken=TOKEN) == first


def test_a_token_belongs_to_one_request(sagemaker: InMemory) -> None:
    create(sagemaker, ClientRequestToken=TOKEN)
    assert error_of(create, sagemaker, "other", ClientRequestToken=TOKEN) == (
        "ConflictException",
        (
            f"The ClientRequestToken '{TOKEN}' was used for another CreatePipeline request before"
            f" (its result is {ARN}abalone): a token belongs to one request."
        ),
    )


def test_what_a_token_made_is_made_anew_once_it_is_deleted(sagemaker: InMemory) -> None:
    create(sagemaker, ClientRequestToken=TOKEN)
    first = start(sagemaker, ClientRequestToken=TOKEN)
    become(sagemaker, first, "Succeeded")
    sagemaker.call("DeletePipeline", PipelineName="abalone", ClientRequestToken=TOKEN)
    create(sagemaker, ClientRequestToken=TOKEN)
    second = start(sagemaker, ClientRequestToken=TOKEN)
    assert (second == first, start(sagemaker, ClientRequestToken=TOKEN)) == (False, second)


def test_a_definition_may_lie_in_s3(sagemaker: InMemory) -> None:
    text = definition(step("FromS3"))
    sagemaker.put("pipelines/abalone", text.encode())
    location = {"Bucket": BUCKET, "ObjectKey": "pipelines/abalone"}
    request = {"PipelineName": "abalone", "RoleArn": ROLE}
    sagemaker.call("CreatePipeline", **request, PipelineDefinitionS3Location=location)
    assert describe(sagemaker)["PipelineDefinition"] == text


@pytest.mark.parametrize("name", SDK_DEFINITIONS)
def test_what_the_sdk_writes_is_taken_and_given_back_as_it_is(
    sagemaker: InMemory, name: str
) -> None:
    create(sagemaker, PipelineDefinition=sdk_text(name))
    assert describe(sagemaker)["PipelineDefinition"] == sdk_text(name)


def test_all_faults_of_a_definition_are_in_one_refusal(sagemaker: InMemory) -> None:
    text = definition(step("A", "Nobody"), {"Name": "B", "Type": "Magic", "Arguments": {}})
    code, message = error_of(create, sagemaker, PipelineDefinition=text)
    assert (
        code,
        message.startswith(
            "Unable to parse pipeline definition. The definition of pipeline 'abalone' has 2 faults"
        ),
        "Nobody" in message,
        "Magic" in message,
    ) == ("ValidationException", True, True, True)


LONG = json.dumps({"Version": "2020-12-01", "Steps": [], "Metadata": {"a": "x" * 1_048_576}})


def test_a_definition_beyond_the_limit_is_refused(sagemaker: InMemory) -> None:
    code, message = error_of(create, sagemaker, PipelineDefinition=LONG)
    wanted = "Member must have length less than or equal to 1048576"
    assert (code, wanted in message) == ("ValidationException", True)


@pytest.mark.parametrize("content", [LONG.encode(), b"x" * 4_194_305])
def test_a_definition_in_s3_has_the_same_limit(sagemaker: InMemory, content: bytes) -> None:
    uri = sagemaker.put("big", content)
    location = {"Bucket": BUCKET, "ObjectKey": "big"}
    assert error_of(
        sagemaker.call,
        "CreatePipeline",
        PipelineName="abalone",
        RoleArn=ROLE,
        PipelineDefinitionS3Location=location,
    ) == (
        "ValidationException",
        (
            f"Unable to parse pipeline definition. {uri} is longer than the 1,048,576 characters"
            " that a definition may have."
        ),
    )


AT = {"Bucket": BUCKET, "ObjectKey": "none"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Give PipelineDefinition or PipelineDefinitionS3Location."),
        (
            {"PipelineDefinition": definition(), "PipelineDefinitionS3Location": AT},
            "Both PipelineDefinition and PipelineDefinitionS3Location are given. Give one of them.",
        ),
        (
            {"PipelineDefinitionS3Location": AT},
            (
                "PipelineDefinitionS3Location cannot be read: there is no object at"
                f" s3://{BUCKET}/none."
            ),
        ),
        (
            {"PipelineDefinitionS3Location": {**AT, "VersionId": "3"}},
            (
                "PipelineDefinitionS3Location: the local S3 keeps no versions of its objects. Leave"
                " VersionId out, and put each definition under a key of its own."
            ),
        ),
        (
            {"PipelineDefinition": definition(), "PipelineVersionAliases": ["7", "a", "a"]},
            (
                "The alias '7' consists of digits only: it would read as a version's id."
                " The alias 'a' is given 2 times."
            ),
        ),
    ],
)
def test_what_cannot_be_a_pipeline_is_refused(
    sagemaker: InMemory, given: dict[str, Any], message: str
) -> None:
    request = {"PipelineName": "abalone", "RoleArn": ROLE, **given}
    assert error_of(sagemaker.call, "CreatePipeline", **request) == ("ValidationException", message)


def test_bytes_that_are_no_text_are_no_definition(sagemaker: InMemory) -> None:
    uri = sagemaker.put("none", b"\xff\xfe")
    request = {"PipelineName": "abalone", "RoleArn": ROLE, "PipelineDefinitionS3Location": AT}
    code, message = error_of(sagemaker.call, "CreatePipeline", **request)
    assert (code, uri in message) == ("ValidationException", True)


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"PipelineName": "under_score"}, "pipelineName"),
        ({"RoleArn": "SageMakerExecutionRole"}, "roleArn"),
        ({"ClientRequestToken": "short"}, "clientRequestToken"),
        (
            {"ParallelismConfiguration": {"MaxParallelExecutionSteps": 0}},
            "parallelismConfiguration.maxParallelExecutionSteps",
        ),
    ],
)
def test_shapes_are_checked(sagemaker: InMemory, change: dict[str, Any], member: str) -> None:
    request = {"PipelineName": "a", "RoleArn": ROLE, "PipelineDefinition": definition(), **change}
    code, message = error_of(sagemaker.call, "CreatePipeline", **request)
    assert (code, f"at '{member}'" in message) == ("ValidationException", True)


def test_a_refused_pipeline_leaves_nothing_behind(sagemaker: InMemory) -> None:
    error_of(create, sagemaker, PipelineDefinition="{", ClientRequestToken=TOKEN)
    assert create(sagemaker, ClientRequestToken=TOKEN) == f"{ARN}abalone"


def test_an_update_changes_what_is_given_and_nothing_else(sagemaker: InMemory) -> None:
    most = {"MaxParallelExecutionSteps": 3}
    create(sagemaker, PipelineDescription="old", ParallelismConfiguration=most)
    update(sagemaker, PipelineDescription="new", RoleArn=OTHER_ROLE)
    found = describe(sagemaker)
    keys = ("PipelineDescription", "RoleArn", "ParallelismConfiguration", "PipelineDisplayName")
    assert [found[key] for key in keys] == ["new", OTHER_ROLE, most, "abalone"]


def test_an_update_shows_when_it_was(sagemaker: InMemory) -> None:
    create(sagemaker)
    update(sagemaker, PipelineDescription="new")
    found = describe(sagemaker)
    assert (found["CreationTime"], found["LastModifiedTime"]) == (second(1), second(2))


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (definition(step("B")), 2),
        (definition(), 1),
        (json.dumps(json.loads(definition()), indent=2), 1),
    ],
)
def test_another_definition_is_the_next_version(
    sagemaker: InMemory, text: str, version: int
) -> None:
    arn = create(sagemaker)
    answer = update(sagemaker, PipelineDefinition=text)
    assert answer == {"PipelineArn": arn, "PipelineVersionId": version}


def compared_with(value: Any) -> str:
    """A definition whose condition waits for a value of a file, which may have any type."""
    address = {"Std:Join": {"On": "", "Values": ["s3://b/report.json"]}}
    looked_at = {"Std:JsonGet": {"S3Uri": address, "Path": "v"}}
    test = {"Type": "Equals", "LeftValue": looked_at, "RightValue": value}
    arguments = {"Conditions": [test], "IfSteps": [], "ElseSteps": []}
    return definition({"Name": "C", "Type": "Condition", "Arguments": arguments})


def test_values_that_python_takes_for_equal_are_another_definition(sagemaker: InMemory) -> None:
    create(sagemaker, PipelineDefinition=compared_with(1))
    assert update(sagemaker, PipelineDefinition=compared_with(True))["PipelineVersionId"] == 2


def test_a_byte_order_mark_is_no_part_of_a_definition(sagemaker: InMemory) -> None:
    create(sagemaker, PipelineDefinition=f"\ufeff{definition()}")
    answer = update(sagemaker, PipelineDefinition=definition())
    assert (answer["PipelineVersionId"], describe(sagemaker)["PipelineDefinition"]) == (
        1,
        definition(),
    )


def test_a_faulty_definition_changes_nothing(sagemaker: InMemory) -> None:
    create(sagemaker)
    code, _ = error_of(update, sagemaker, PipelineDefinition="{}", PipelineDescription="x")
    found = describe(sagemaker)
    assert (code, found["PipelineDefinition"], "PipelineDescription" in found) == (
        "ValidationException",
        definition(),
        False,
    )


UNKNOWN = ("ResourceNotFound", f"Pipeline '{ARN}none' does not exist.")


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("DescribePipeline", {"PipelineName": "none"}),
        ("DescribePipeline", {"PipelineName": f"{ARN}none"}),
        ("UpdatePipeline", {"PipelineName": "none"}),
        ("DeletePipeline", {"PipelineName": "none"}),
        ("ListPipelineVersions", {"PipelineName": "none"}),
        ("UpdatePipelineVersion", {"PipelineArn": f"{ARN}none", "PipelineVersionId": 1}),
        ("StartPipelineExecution", {"PipelineName": "none"}),
        ("ListPipelineExecutions", {"PipelineName": "none"}),
    ],
)
def test_a_pipeline_that_there_is_not_is_not_found(
    sagemaker: InMemory, name: str, request_: dict[str, Any]
) -> None:
    assert error_of(sagemaker.call, name, **request_) == UNKNOWN


def test_pipelines_are_listed_newest_first(sagemaker: InMemory) -> None:
    for name in ("b", "c", "a"):
        create(sagemaker, name)
    by_name = names(sagemaker, SortBy="Name", SortOrder="Ascending")
    assert (names(sagemaker), by_name) == (["a", "c", "b"], ["a", "b", "c"])


def test_pages_of_pipelines_follow_each_other(sagemaker: InMemory) -> None:
    for number in range(12):
        create(sagemaker, f"p-{number}")
    first = sagemaker.call("ListPipelines")
    rest = names(sagemaker, NextToken=first["NextToken"])
    assert (len(first["PipelineSummaries"]), rest) == (10, ["p-1", "p-0"])


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"PipelineNamePrefix": "ab"}, ["abalone"]),
        ({"PipelineNamePrefix": "one"}, []),
        ({"CreatedAfter": START + 1.5}, ["iris"]),
        ({"CreatedBefore": START + 1.5}, ["abalone"]),
        ({"ManagedBy": "AWS"}, []),
        ({"ManagedBy": "CUSTOMER"}, ["iris", "abalone"]),
    ],
)
def test_pipelines_are_filtered(
    sagemaker: InMemory, filters: dict[str, Any], expected: list[str]
) -> None:
    create(sagemaker)
    create(sagemaker, "iris")
    assert names(sagemaker, **filters) == expected


def test_a_summary_has_what_the_services_has(sagemaker: InMemory) -> None:
    arn = create(sagemaker)
    start(sagemaker)
    assert sagemaker.call("ListPipelines")["PipelineSummaries"] == [
        {
            "PipelineArn": arn,
            "PipelineName": "abalone",
            "PipelineDisplayName": "abalone",
            "RoleArn": ROLE,
            "CreationTime": second(1),
            "LastModifiedTime": second(1),
            "LastExecutionTime": second(2),
        }
    ]


def test_a_deleted_pipeline_is_gone_with_its_versions_executions_and_tags(
    sagemaker: InMemory,
) -> None:
    arn = create(sagemaker, Tags=[{"Key": "a", "Value": "b"}])
    update(sagemaker, PipelineDefinition=definition(step("B")))
    execution = start(sagemaker)
    become(sagemaker, execution, "Succeeded")
    answer = sagemaker.call("DeletePipeline", PipelineName="abalone")
    gone = [
        error_of(sagemaker.call, "DescribePipelineExecution", PipelineExecutionArn=execution)[0],
        error_of(describe, sagemaker)[0],
    ]
    create(sagemaker)
    tags = sagemaker.call("ListTags", ResourceArn=arn)["Tags"]
    versions = sagemaker.call("ListPipelineVersions", PipelineName="abalone")
    numbers = [item["PipelineVersionId"] for item in versions["PipelineVersionSummaries"]]
    assert (answer, gone, tags, numbers) == (
        {"PipelineArn": arn},
        ["ResourceNotFound"] * 2,
        [],
        [1],
    )


def test_a_pipeline_with_a_running_execution_is_not_deleted(sagemaker: InMemory) -> None:
    arn = create(sagemaker)
    execution = start(sagemaker)
    assert error_of(sagemaker.call, "DeletePipeline", PipelineName="abalone") == (
        "ConflictException",
        (
            f"The pipeline {arn} has running executions: {execution}. Stop them with"
            " StopPipelineExecution, and delete it when they have ended."
        ),
    )


def test_an_executions_arn_is_no_pipelines(sagemaker: InMemory) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    expected = ("ResourceNotFound", f"Pipeline '{arn}' does not exist.")
    assert error_of(describe, sagemaker, arn) == expected
