"""What references mean in a DAG run."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from include.nacre.dag.scope import Run, RunScope, with_job_name
from include.nacre.definition.authoring import (
    CURRENT_TIME,
    EXECUTION_ARN,
    EXECUTION_ID,
    PIPELINE_NAME,
    START_TIME,
    TRAINING_JOB_NAME,
    ExperimentConfig,
    Join,
    Processing,
    PropertyFile,
    pipeline,
)
from include.nacre.definition.expressions import EvaluationError, ExperimentVariable, evaluate
from include.nacre.definition.scopes import as_text
from tests.unit.dag.pipelines import processing

STARTED = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
RUN = Run(lambda: "abcdefghijkl", STARTED, STARTED + timedelta(minutes=5))
EVALUATE = Processing(
    "Evaluate", processing("report"), property_files=[PropertyFile("Report", "report", "r.json")]
)
PIPELINE = pipeline("Abalone", steps=[EVALUATE], experiment=ExperimentConfig(PIPELINE_NAME, "t1"))
ADDRESS = {"ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri": "s3://b/r/"}


def scope(
    results: Mapping[str, Any] | None = None, files: Mapping[str, Any] | None = None
) -> RunScope:
    properties = {step: {"properties": found} for step, found in (results or {}).items()}
    return RunScope(PIPELINE, (files or {}).__getitem__, RUN, {"P": 1}.__getitem__, properties.get)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        (PIPELINE_NAME, "Abalone"),
        (EXECUTION_ID, "abcdefghijkl"),
        (START_TIME, "2026-11-20T08:30:00Z"),
        (CURRENT_TIME, "2026-11-20T08:35:00Z"),
        (ExperimentVariable("ExperimentName"), "Abalone"),
        (ExperimentVariable("TrialName"), "t1"),
    ],
)
def test_execution_variables_are_those_of_the_run(variable: Any, value: str) -> None:
    assert evaluate(variable, scope()) == value


def test_times_are_utc() -> None:
    east = timezone(timedelta(hours=9))
    assert as_text(datetime(2026, 1, 1, 9, 0, tzinfo=east)) == "2026-01-01T00:00:00Z"


def test_an_execution_arn_has_no_value() -> None:
    with pytest.raises(EvaluationError, match="does not exist in a DAG run"):
        evaluate(EXECUTION_ARN, scope())


def test_the_name_of_the_job_is_filled_in_later() -> None:
    request = {"a": [Join("/", ["s3://b", TRAINING_JOB_NAME, "x"]), 5], "b": TRAINING_JOB_NAME}
    evaluated = evaluate(request, scope())
    assert with_job_name(evaluated, "job-1") == {"a": ["s3://b/job-1/x", 5], "b": "job-1"}


def test_a_property_is_what_the_steps_task_left() -> None:
    results = {"Evaluate": {"ProcessingResources.ClusterConfig.InstanceCount": 2}}
    count = EVALUATE.ProcessingResources.ClusterConfig.InstanceCount
    assert evaluate(count, scope(results)) == 2


def test_a_property_that_the_response_lacked_is_named() -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(EVALUATE.FailureReason, scope({"Evaluate": {}}))
    assert str(caught.value) == (
        "Steps.Evaluate.FailureReason has no value: what it made has no such member"
    )


def test_a_step_without_a_result_is_named() -> None:
    with pytest.raises(EvaluationError, match="step 'Evaluate' left no result"):
        evaluate(EVALUATE.FailureReason, scope())


def test_a_property_file_lies_below_its_output() -> None:
    files = {"s3://b/r/r.json": {"metrics": {"mse": 4.9}}}
    mse = EVALUATE.json("Report", "metrics.mse")
    assert evaluate(mse, scope({"Evaluate": ADDRESS}, files)) == 4.9


def test_a_path_that_a_file_lacks_is_named() -> None:
    files = {"s3://b/r/r.json": {"metrics": {}}}
    with pytest.raises(EvaluationError) as caught:
        evaluate(EVALUATE.json("Report", "metrics.mse"), scope({"Evaluate": ADDRESS}, files))
    assert "'metrics.mse' of the property file 'Report' of step 'Evaluate'" in str(caught.value)


def test_a_file_is_read_once() -> None:
    reads: list[str] = []

    def read(uri: str) -> Any:
        reads.append(uri)
        return {"a": 1, "b": 2}

    once = RunScope(PIPELINE, read, RUN, str, {"Evaluate": {"properties": ADDRESS}}.get)
    values = evaluate([EVALUATE.json("Report", "a"), EVALUATE.json("Report", "b")], once)
    assert (values, reads) == ([1, 2], ["s3://b/r/r.json"])
