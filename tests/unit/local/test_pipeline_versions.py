"""Versions of a pipeline, and the names that people give them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.local.memory import START, InMemory, error_of
from tests.unit.local.pipelines import ARN, create, definition, start, step

MAIN = f"{ARN}abalone"


def with_versions(sagemaker: InMemory, count: int) -> None:
    """The pipeline abalone, whose version n has the step Vn."""
    create(sagemaker, PipelineDefinition=definition(step("V1")))
    for number in range(2, count + 1):
        text = definition(step(f"V{number}"))
        sagemaker.call("UpdatePipeline", PipelineName="abalone", PipelineDefinition=text)


def versions(sagemaker: InMemory, **request: Any) -> list[dict[str, Any]]:
    answer = sagemaker.call("ListPipelineVersions", PipelineName="abalone", **request)
    return list(answer["PipelineVersionSummaries"])


def update(sagemaker: InMemory, number: int, **request: Any) -> dict[str, Any]:
    return sagemaker.call(
        "UpdatePipelineVersion", PipelineArn=MAIN, PipelineVersionId=number, **request
    )


def alias(sagemaker: InMemory, number: int, **operations: list[str]) -> dict[str, Any]:
    return update(sagemaker, number, PipelineVersionAliasOperations=operations)


def described(sagemaker: InMemory, **request: Any) -> str:
    answer = sagemaker.call("DescribePipeline", PipelineName="abalone", **request)
    return str(answer["PipelineDefinition"])


def test_versions_are_listed_newest_first(sagemaker: InMemory) -> None:
    with_versions(sagemaker, 3)
    assert [item["PipelineVersionId"] for item in versions(sagemaker)] == [3, 2, 1]


def test_versions_of_other_pipelines_are_not_listed(sagemaker: InMemory) -> None:
    with_versions(sagemaker, 1)
    create(sagemaker, "abalone2")
    assert [item["PipelineArn"] for item in versions(sagemaker)] == [MAIN]


def test_pages_of_versions_follow_each_other(sagemaker: InMemory) -> None:
    with_versions(sagemaker, 3)
    first = sagemaker.call("ListPipelineVersions", PipelineName="abalone", MaxResults=2)
    rest = versions(sagemaker, MaxResults=2, NextToken=first["NextToken"])
    assert [item["PipelineVersionId"] for item in rest] == [1]


def test_a_version_tells_its_names_and_its_last_execution(sagemaker: InMemory) -> None:
    with_versions(sagemaker, 1)
    update(sagemaker, 1, PipelineVersionDisplayName="golden", PipelineVersionDescription="ran well")
    alias(sagemaker, 1, Add=["prod"])
    start(sagemaker)
    execution = start(sagemaker)
    assert versions(sagemaker) == [
        {
            "PipelineArn": MAIN,
            "PipelineVersionId": 1,
            "CreationTime": datetime.fromtimestamp(START + 1, UTC),
            "PipelineVersionDisplayName": "golden",
            "PipelineVersionDescription": "ran well",
            "PipelineVersionAliases": ["prod"],
            "LastExecutionPipelineExecutionArn": execution,
        }
    ]


def test_a_description_is_of_the_latest_version(sagemaker: InMemory) -> None:
    with_versions(sagemaker, 2)
    assert described(sagemaker) == definition(step("V2"))


@pytest.mark.parametrize("which", [{"PipelineVersionId": 1}, {"PipelineVersionAlias": "old"}])
def test_an_earlier_version_is_described_by_number_or_alias(
    sagemaker: InMemory, which: dict[str, Any]
) -> None:
    with_versions(sagemaker, 2)
    alias(sagemaker, 1, Add=["old"])
    assert described(sagemaker, **which) == definition(step("V1"))


@pytest.mark.parametrize("which", [{"PipelineVersionId": 1}, {"PipelineVersionAlias": "old"}])
def test_an_execution_of_an_earlier_version_follows_its_definition(
    sagemaker: InMemory, which: dict[str, Any]
) -> None:
    with_versions(sagemaker, 2)
    alias(sagemaker, 1, Add=["old"])
    arn = start(sagemaker, **which)
    answer = sagemaker.call("DescribePipelineDefinitionForExecution", PipelineExecutionArn=arn)
    assert answer["PipelineDefinition"] == definition(step("V1"))


NO_VERSION = ("ResourceNotFound", f"Version 7 of the pipeline '{MAIN}' does not exist.")
NO_ALIAS = ("ResourceNotFound", f"No version of the pipeline '{MAIN}' has the alias 'none'.")
BOTH = (
    "ValidationException",
    "Both PipelineVersionId and PipelineVersionAlias are given. Give one of them.",
)


@pytest.mark.parametrize("call", ["DescribePipeline", "StartPipelineExecution"])
@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ({"PipelineVersionId": 7}, NO_VERSION),
        ({"PipelineVersionAlias": "none"}, NO_ALIAS),
        ({"PipelineVersionId": 1, "PipelineVersionAlias": "none"}, BOTH),
    ],
)
def test_a_version_that_there_is_not_is_not_found(
    sagemaker: InMemory, call: str, which: dict[str, Any], expected: tuple[str, str]
) -> None:
    with_versions(sagemaker, 1)
    assert error_of(sagemaker.call, call, PipelineName="abalone", **which) == expected


def test_executions_are_listed_by_the_alias_of_their_version(sagemaker: InMemory) -> None:
    with_versions(sagemaker, 2)
    alias(sagemaker, 1, Add=["old"])
    arn = start(sagemaker, PipelineVersionAlias="old")
    start(sagemaker)
    answer = sagemaker.call(
        "ListPipelineExecutions", PipelineName="abalone", PipelineVersionAlias="old"
    )
    found = [
        (item["PipelineExecutionArn"], item["PipelineVersionAliases"])
        for item in answer["PipelineExecutionSummaries"]
    ]
    assert found == [(arn, ["old"])]


def test_executions_of_an_unknown_alias_are_not_found(sagemaker: InMemory) -> None:
    with_versions(sagemaker, 1)
    request = {"PipelineName": "abalone", "PipelineVersionAlias": "none"}
    assert error_of(sagemaker.call, "ListPipelineExecutions", **request) == NO_ALIAS


def test_an_alias_moves_when_it_was_removed_first(sagemaker: InMemory) -> None:
    with_versions(sagemaker, 2)
    alias(sagemaker, 1, Add=["prod", "old"])
    alias(sagemaker, 1, Remove=["prod"])
    alias(sagemaker, 2, Add=["prod"])
    assert [item["PipelineVersionAliases"] for item in versions(sagemaker)] == [["prod"], ["old"]]


def test_an_alias_is_one_versions(sagemaker: InMemory) -> None:
    with_versions(sagemaker, 2)
    alias(sagemaker, 1, Add=["prod"])
    assert error_of(alias, sagemaker, 2, Add=["prod"]) == (
        "ConflictException",
        (
            "An alias names one version of a pipeline: 'prod' is an alias of version 1."
            " Remove it there first."
        ),
    )


def test_an_update_cannot_take_an_alias_along(sagemaker: InMemory) -> None:
    with_versions(sagemaker, 1)
    alias(sagemaker, 1, Add=["prod"])
    request = {"PipelineDefinition": definition(step("B")), "PipelineVersionAliases": ["prod"]}
    code, _ = error_of(sagemaker.call, "UpdatePipeline", PipelineName="abalone", **request)
    assert (code, len(versions(sagemaker))) == ("ConflictException", 1)


def test_an_update_that_makes_no_version_takes_no_aliases(sagemaker: InMemory) -> None:
    with_versions(sagemaker, 1)
    request = {"PipelineDescription": "x", "PipelineVersionAliases": ["prod"]}
    code, message = error_of(sagemaker.call, "UpdatePipeline", PipelineName="abalone", **request)
    assert (code, "UpdatePipelineVersion" in message) == ("ValidationException", True)


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ({"Add": ["a"], "Remove": ["a"]}, "The alias 'a' is both added and removed."),
        ({"Remove": ["none"]}, "The version has no alias 'none' to remove."),
        (
            {"Add": ["12"]},
            "The alias '12' consists of digits only: it would read as a version's id.",
        ),
        ({"Add": [f"x{n}" for n in range(10)]}, "A version has at most 10 aliases, not 11."),
    ],
)
def test_aliases_that_cannot_be_are_refused(
    sagemaker: InMemory, operations: dict[str, list[str]], message: str
) -> None:
    with_versions(sagemaker, 1)
    alias(sagemaker, 1, Add=["a"])
    assert error_of(alias, sagemaker, 1, **operations) == ("ValidationException", message)


def test_pipelines_do_not_share_their_aliases(
    sagemaker: InMemory,
) -> None:
    create(sagemaker, "iris", PipelineVersionAliases=["prod"])
    with_versions(sagemaker, 1)
    answer = alias(sagemaker, 1, Add=["prod"])
    assert answer == {"PipelineArn": MAIN, "PipelineVersionId": 1}
