"""Executions in words for people."""

from typing import Any

import pytest

from include.nacre.native.execution import (
    Job,
    changes,
    failed_steps,
    follow,
    in_words,
    job_of,
    reason,
    states,
)
from include.nacre.native.pull import Pulled, execution_id, pipeline_name, pull
from tests.unit.native.memory import ARN, MemoryPipelines

EXECUTION = f"{ARN}abalone/execution/abcdefghijkl"


def step(name: str, status: str, **more: Any) -> dict[str, Any]:
    return {"StepName": name, "StepStatus": status, **more}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (step("S", "Executing"), "Executing"),
        (step("S", "Failed", FailureReason="no disk"), "Failed: no disk"),
        (step("S", "Executing", AttemptCount=2), "Executing, attempt 2"),
        (step("S", "Succeeded", AttemptCount=1, Metadata={}), "Succeeded"),
        (
            step("S", "Succeeded", CacheHitResult={"SourcePipelineExecutionArn": "arn"}),
            "Succeeded, its result from the cache",
        ),
        (
            step("S", "Succeeded", SelectiveExecutionResult={"SourcePipelineExecutionArn": "arn"}),
            "Succeeded, its result from the source execution",
        ),
        (
            step("S", "Succeeded", Metadata={"Condition": {"Outcome": "True"}}),
            "Succeeded, the conditions are true",
        ),
    ],
)
def test_a_step_is_told_in_words(found: dict[str, Any], words: str) -> None:
    assert in_words(found) == words


def test_only_what_is_new_is_told() -> None:
    before = states({"Steps": [step("A", "Executing")]})
    now = states({"Steps": [step("A", "Succeeded"), step("B", "Starting")]})
    assert (changes(before, now), changes(now, now)) == (["A: Succeeded", "B: Starting"], [])


def test_the_reason_of_a_failure_is_its_steps() -> None:
    answer = {
        "FailureReason": "Step failure",
        "Steps": [
            step("A", "Succeeded"),
            step("B", "Failed", FailureReason="no disk"),
            step("C", "Stopped"),
        ],
    }
    assert reason(answer) == "step B: Failed: no disk; step C: Stopped"
    assert [found["StepName"] for found in failed_steps(answer)] == ["B", "C"]


def test_an_execution_that_failed_before_its_steps_has_its_own_reason() -> None:
    assert reason({"FailureReason": "no role", "Steps": []}) == "no role"
    assert reason({"Steps": []}) == ""


@pytest.mark.parametrize(
    ("metadata", "job"),
    [
        ({"TrainingJob": {"Arn": "arn:x:training-job/fit"}}, Job("Training", "fit")),
        ({"ProcessingJob": {"Arn": "arn:x:processing-job/prepare"}}, Job("Processing", "prepare")),
        ({"Model": {"Arn": "arn:x:model/m"}}, None),
        ({"TrainingJob": {}}, None),
        ({}, None),
    ],
)
def test_a_steps_job_is_in_its_metadata(metadata: dict[str, Any], job: Job | None) -> None:
    assert job_of(step("S", "Failed", Metadata=metadata)) == job


class Played:
    """The `sagemaker` client: each look shows the next state of an execution."""

    def __init__(self, *looks: tuple[str, list[dict[str, Any]]]) -> None:
        self.looks = list(looks)

    def describe_pipeline_execution(self, **_: Any) -> dict[str, Any]:
        return {"PipelineExecutionStatus": self.looks[0][0]}

    def get_paginator(self, _name: str) -> "Played":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        _, steps = self.looks.pop(0)
        return [{"PipelineExecutionSteps": [item]} for item in steps]


def test_an_execution_is_followed_to_its_end() -> None:
    service = Played(
        ("Executing", []),
        ("Executing", [step("A", "Executing")]),
        ("Executing", [step("A", "Succeeded"), step("B", "Executing")]),
        ("CompletedWithFailures", [step("A", "Succeeded"), step("B", "Failed")]),
    )
    told: list[str] = []
    rests: list[float] = []
    answer = follow(service, EXECUTION, told.append, rests.append)
    assert told == ["A: Executing", "A: Succeeded", "B: Executing", "B: Failed"]
    assert (answer["PipelineExecutionStatus"], rests) == ("CompletedWithFailures", [1.0] * 3)


def test_names_and_ids_are_read_from_arns() -> None:
    assert (pipeline_name(EXECUTION), pipeline_name(f"{ARN}abalone"), execution_id(EXECUTION)) == (
        "abalone",
        "abalone",
        "abcdefghijkl",
    )


class Definitions(MemoryPipelines):
    def describe_pipeline_definition_for_execution(self, **request: str) -> dict[str, str]:
        assert request == {"PipelineExecutionArn": EXECUTION}
        return {"PipelineDefinition": "{old}"}


def test_a_definition_is_pulled_by_the_pipelines_name_or_an_executions_arn() -> None:
    service = Definitions({"Abalone": {"PipelineName": "Abalone", "PipelineDefinition": "{new}"}})
    assert [pull(service, "Abalone"), pull(service, EXECUTION)] == [
        Pulled("Abalone", "{new}"),
        Pulled("abalone", "{old}"),
    ]
