"""Executions as rows of the store: pure functions between a Resource and an Execution."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from include.nacre.definition.expressions import Scalar
from include.nacre.local.pipelines.execution import Execution, StepRun
from include.nacre.local.place import Place
from include.nacre.local.store import Resource

PIPELINE, VERSION, EXECUTION = "pipeline", "pipeline-version", "pipeline-execution"


def version_name(pipeline: str, number: int) -> str:
    """Return the name of a version's row."""
    return f"{pipeline}/{number}"


def pipeline_arn(place: Place, pipeline: str) -> str:
    """Return the ARN of a pipeline."""
    return place.arn(f"pipeline/{pipeline}")


def new_execution(
    place: Place,
    execution_id: str,
    pipeline: str,
    version: int,
    now: float,
    *,
    parameters: Mapping[str, Scalar],
    request: Mapping[str, Any],
    parallelism: int | None = None,
    selected: Sequence[str] | None = None,
    reused: Mapping[str, StepRun] | None = None,
    state: Mapping[str, Any] | None = None,
) -> Resource:
    """Return the row of an execution that has just been asked for.

    `pipeline` is the pipeline's name, `parameters` all typed values, defaults included;
    `request` what Start said (kept as it is), `parallelism` the most steps at once: the start's,
    else the pipeline's. `reused` is what a selective execution takes from its source. `state`
    may hold more, which the executor leaves alone (display name, description).
    """
    execution = Execution(
        execution_id,
        f"{pipeline_arn(place, pipeline)}/execution/{execution_id}",
        pipeline,
        version,
        now,
        parallelism=parallelism,
        steps=reused or {},
    )
    fixed = {
        "PipelineName": pipeline,
        "PipelineVersionId": version,
        "Parameters": dict(parameters),
        "SelectedSteps": None if selected is None else list(selected),
    }
    row = Resource(EXECUTION, execution_id, execution.arn, "Executing", now, now, {})
    row = replace(row, request={**request, **fixed}, state={**(state or {}), "Pipeline": pipeline})
    return changed(row, execution, now)


def execution_of(row: Resource) -> Execution:
    """Return the execution that a row holds."""
    request, state = row.request, row.state
    selected = request["SelectedSteps"]
    return Execution(
        row.name,
        row.arn,
        request["PipelineName"],
        request["PipelineVersionId"],
        row.created,
        parameters=request["Parameters"],
        selected=None if selected is None else frozenset(selected),
        status=row.status,  # type: ignore[arg-type]  # what `changed` wrote
        steps={name: StepRun.from_json(run) for name, run in state["Steps"].items()},
        parallelism=state["MaxParallelExecutionSteps"],
        retries=state["Retries"],
        resumed=state["Resumed"],
        failure=state["FailureReason"],
    )


def changed(row: Resource, execution: Execution, now: float) -> Resource:
    """Return the row with what an execution has become; other members of its state stay."""
    state = {
        **row.state,
        "Steps": {name: run.to_json() for name, run in execution.steps.items()},
        "MaxParallelExecutionSteps": execution.parallelism,
        "Retries": execution.retries,
        "Resumed": execution.resumed,
        "FailureReason": execution.failure,
    }
    return replace(row, status=execution.status, state=state, modified=max(now, row.modified))


def changing(
    change: Callable[[Execution], Execution], now: float
) -> Callable[[Resource], Resource]:
    """Return what `Store.update` applies: a pure change of an execution, to its row.

    A change that changes nothing leaves the time of change alone.
    """

    def change_row(row: Resource) -> Resource:
        before = execution_of(row)
        after = change(before)
        return row if after == before else changed(row, after, now)

    return change_row
