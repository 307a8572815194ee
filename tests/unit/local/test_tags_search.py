"""Tags, and Search."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.local.api.search import fits
from tests.unit.local.memory import InMemory, error_of, processing, training


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def test_tags_are_added_replaced_and_removed(sagemaker: InMemory) -> None:
    request = processing(Tags=tags(team="sea", cost="1"))
    arn = sagemaker.call("CreateProcessingJob", **request)["ProcessingJobArn"]
    sagemaker.call("AddTags", ResourceArn=arn, Tags=tags(cost="2", run="x"))
    sagemaker.call("DeleteTags", ResourceArn=arn, TagKeys=["team", "none"])
    assert sagemaker.call("ListTags", ResourceArn=arn) == {"Tags": tags(cost="2", run="x")}


def test_a_resource_has_at_most_fifty_tags(sagemaker: InMemory) -> None:
    arn = sagemaker.call("CreateProcessingJob", **processing())["ProcessingJobArn"]
    sagemaker.call("AddTags", ResourceArn=arn, Tags=tags(**{f"t{n}": "x" for n in range(50)}))
    code, _ = error_of(sagemaker.call, "AddTags", ResourceArn=arn, Tags=tags(more="x"))
    kept = sagemaker.call("ListTags", ResourceArn=arn)["Tags"]
    assert (code, len(kept)) == ("ResourceLimitExceeded", 50)


@pytest.mark.parametrize(
    ("call", "more"),
    [("AddTags", {"Tags": []}), ("ListTags", {}), ("DeleteTags", {"TagKeys": ["a"]})],
)
def test_tags_of_what_does_not_exist_are_refused(
    sagemaker: InMemory, call: str, more: dict[str, Any]
) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:training-job/none"
    assert error_of(sagemaker.call, call, ResourceArn=arn, **more) == (
        "ValidationException",
        f"Could not find a resource with the ARN {arn}.",
    )


JOB = {
    "TrainingJobName": "abalone-train-1",
    "TrainingJobStatus": "Completed",
    "CreationTime": 1_790_000_000.0,
    "BillableTimeInSeconds": 30,
    "EnableManagedSpotTraining": False,
    "HyperParameters": {"eta": "0.2", "a.b": "x"},
    "Tags": [{"Key": "team", "Value": "sea"}, {"Key": "dag.id", "Value": "abalone"}],
    "InputDataConfig": [
        {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/train"}}},
        {"ChannelName": "validation", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/val"}}},
    ],
}


def one(name: str, how: str | None, value: str | None = None) -> dict[str, Any]:
    item = {"Name": name, "Operator": how, "Value": value}
    return {"Filters": [{key: text for key, text in item.items() if text is not None}]}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({}, True),
        (one("TrainingJobName", None, "abalone-train-1"), True),
        (one("TrainingJobName", "Equals", "abalone"), False),
        (one("TrainingJobName", "Contains", "train"), True),
        (one("TrainingJobStatus", "NotEquals", "Failed"), True),
        (one("TrainingJobStatus", "In", "Failed,Completed"), True),
        (one("TrainingJobStatus", "In", "Failed,Stopped"), False),
        (one("BillableTimeInSeconds", "GreaterThan", "29"), True),
        (one("BillableTimeInSeconds", "LessThanOrEqualTo", "29.5"), False),
        (one("BillableTimeInSeconds", "Equals", "thirty"), False),
        (one("CreationTime", "GreaterThanOrEqualTo", "2026-01-01T00:00:00+00:00"), True),
        (one("CreationTime", "LessThan", "2026-01-01T00:00:00+00:00"), False),
        (one("EnableManagedSpotTraining", "Equals", "false"), True),
        (one("FailureReason", "Exists"), False),
        (one("FailureReason", "NotExists"), True),
        (one("HyperParameters.eta", "Equals", "0.2"), True),
        (one("HyperParameters.a.b", "Equals", "x"), True),
        (one("Tags.team", "Equals", "sea"), True),
        (one("Tags.dag.id", "Equals", "abalone"), True),
        (one("Tags.none", "Exists"), False),
        (one("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "val"), True),
    ],
)
def test_a_filter_finds_what_it_says(expression: dict[str, Any], expected: bool) -> None:
    assert fits(JOB, expression) is expected


YES, NO = one("TrainingJobStatus", "Exists"), one("FailureReason", "Exists")


@given(st.lists(st.booleans(), max_size=4), st.sampled_from(["And", "Or", None]))
def test_expressions_are_joined_by_and_unless_they_say_or(parts: list[bool], how: str) -> None:
    expression: dict[str, Any] = {"SubExpressions": [YES if part else NO for part in parts]}
    expected = any(parts) if how == "Or" and parts else all(parts)
    assert fits(JOB, expression | ({"Operator": how} if how else {})) == expected


@pytest.mark.parametrize(("uri", "expected"), [("s3://b/train", True), ("s3://b/val", False)])
def test_nested_filters_are_about_one_and_the_same_element(uri: str, expected: bool) -> None:
    nested = {
        "NestedPropertyName": "InputDataConfig",
        "Filters": [
            {"Name": "InputDataConfig.ChannelName", "Operator": "Equals", "Value": "train"},
            {
                "Name": "InputDataConfig.DataSource.S3DataSource.S3Uri",
                "Operator": "Equals",
                "Value": uri,
            },
        ],
    }
    assert fits(JOB, {"NestedFilters": [nested]}) is expected


def found(sagemaker: InMemory, **request: Any) -> list[str]:
    answer = sagemaker.call("Search", Resource="TrainingJob", **request)
    return [item["TrainingJob"]["TrainingJobName"] for item in answer["Results"]]


@pytest.fixture
def jobs(sagemaker: InMemory) -> InMemory:
    for name, eta in (("one", "0.3"), ("two", "0.1"), ("three", "0.2")):
        request = training(name, HyperParameters={"eta": eta}, Tags=tags(run=name))
        sagemaker.call("CreateTrainingJob", **request)
    return sagemaker


def test_search_sorts_by_the_last_change_newest_first(jobs: InMemory) -> None:
    assert found(jobs) == ["three", "two", "one"]


def test_search_sorts_by_any_property(jobs: InMemory) -> None:
    assert found(jobs, SortBy="HyperParameters.eta", SortOrder="Ascending") == [
        "two",
        "three",
        "one",
    ]


def test_search_finds_jobs_by_their_tags(jobs: InMemory) -> None:
    assert found(jobs, SearchExpression=one("Tags.run", "Equals", "two")) == ["two"]


def test_search_comes_in_pages_and_counts_all(jobs: InMemory) -> None:
    first = jobs.call("Search", Resource="TrainingJob", MaxResults=2)
    rest = found(jobs, MaxResults=2, NextToken=first["NextToken"])
    assert (rest, first["TotalHits"]) == (["one"], {"Value": 3, "Relation": "EqualTo"})


def test_a_resource_that_search_does_not_know_is_refused_by_name(sagemaker: InMemory) -> None:
    assert error_of(sagemaker.call, "Search", Resource="Experiment") == (
        "ValidationException",
        (
            "Search does not know the resource 'Experiment' on the local SageMaker. It knows:"
            " TrainingJob, Model, ModelPackage, ModelPackageGroup, Pipeline, PipelineExecution."
        ),
    )
