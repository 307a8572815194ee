"""Start, stop, retry, describe, update and list executions of pipelines."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from include.nacre.local.api.checks import refuse
from include.nacre.local.api.creation import body_of
from include.nacre.local.api.listing import Listing, listed
from include.nacre.local.api.starts import experiment_of, read_parameters, read_selection
from include.nacre.local.api.tokens import once
from include.nacre.local.api.versions import (
    USER,
    aliased,
    aliases_of,
    below,
    chosen_version,
    found_pipeline,
    version_of,
)
from include.nacre.local.lifecycle import IllegalMove
from include.nacre.local.pipelines.definitions import parsed
from include.nacre.local.pipelines.execution import Execution, retried, stop_asked
from include.nacre.local.pipelines.naming import new_execution_id
from include.nacre.local.pipelines.records import (
    EXECUTION,
    PIPELINE,
    VERSION,
    changing,
    execution_of,
    new_execution,
)
from include.nacre.local.protocol.core import Request, Response
from include.nacre.local.protocol.errors import ResourceNotFoundError, ValidationError
from include.nacre.local.store import Filter, Resource
from include.nacre.local.world import World

_NAMES = ("PipelineExecutionDisplayName", "PipelineExecutionDescription")
_EXPERIMENT = "PipelineExperimentConfig"
_SELECTION = "SelectiveExecutionConfig"
_MOST_STEPS = "MaxParallelExecutionSteps"


def start_execution(world: World, request: Request) -> Response:
    """Begin an execution, or refuse it for everything that is wrong with it."""
    arn = once(world, "StartPipelineExecution", request, lambda: _started(world, request))
    world.pipelines.submitted(_id_in(arn))
    return {"PipelineExecutionArn": arn}


def stop_execution(world: World, request: Request) -> Response:
    """Ask an execution to end: what runs is stopped, nothing new starts."""
    arn = once(world, "StopPipelineExecution", request, lambda: _stopping(world, request))
    world.pipelines.stop(_id_in(arn))
    return {"PipelineExecutionArn": arn}


def retry_execution(world: World, request: Request) -> Response:
    """Let an execution that has ended go on: what succeeded stays, all else runs anew."""
    arn = once(world, "RetryPipelineExecution", request, lambda: _retrying(world, request))
    world.pipelines.submitted(_id_in(arn))
    return {"PipelineExecutionArn": arn}


def describe_execution(world: World, request: Request) -> Response:
    """All that is known of an execution, without its steps."""
    row = found_execution(world, request["PipelineExecutionArn"])
    return execution_description(row) | {"PipelineVersionAliases": _aliases(world, row)}


def update_execution(world: World, request: Request) -> Response:
    """Change what an execution is called, and how many of its steps run at once."""
    row = found_execution(world, request["PipelineExecutionArn"])
    facts = {key: request[key] for key in _NAMES if key in request}
    if most := _most_steps(request):
        facts[_MOST_STEPS] = most
    now = world.clock()

    def change(found: Resource) -> Resource:
        return replace(found, state={**found.state, **facts}, modified=max(now, found.modified))

    world.store.update(EXECUTION, row.name, change)
    world.pipelines.submitted(row.name)
    return {"PipelineExecutionArn": row.arn}


def list_executions(world: World, request: Request) -> Response:
    """One page of a pipeline's executions, newest first."""
    pipeline = found_pipeline(world, request["PipelineName"])
    filters = [below(pipeline, EXECUTION)]
    if "PipelineVersionAlias" in request:
        version = aliased(world, pipeline, request["PipelineVersionAlias"])
        filters.append(Filter("VersionId", "=", version.request["PipelineVersionId"]))

    def summary(row: Resource) -> dict[str, Any]:
        return execution_description(row) | {"PipelineVersionAliases": _aliases(world, row)}

    listing = Listing(EXECUTION, "PipelineExecutionSummaries", summary, True, filters=filters)
    return listed(world.store, listing, request)


def found_execution(world: World, arn: str) -> Resource:
    """The execution of that ARN, or the service's error."""
    found = world.store.by_arn(arn)
    if found is None or found.kind != EXECUTION:
        raise ResourceNotFoundError(f"Pipeline execution '{arn}' does not exist.")
    return found


def execution_description(row: Resource) -> dict[str, Any]:
    """An execution under the names of its Describe answer and of its summary."""
    execution, most = execution_of(row), row.state[_MOST_STEPS]
    return {
        "PipelineArn": row.arn.rpartition("/execution/")[0],
        "PipelineExecutionArn": row.arn,
        **{key: row.state[key] for key in _NAMES if key in row.state},
        "PipelineExecutionStatus": row.status,
        _EXPERIMENT: row.state.get(_EXPERIMENT),
        "FailureReason": execution.failure,
        "PipelineExecutionFailureReason": execution.failure,
        "CreationTime": row.created,
        "StartTime": row.created,
        "LastModifiedTime": row.modified,
        "CreatedBy": USER,
        "LastModifiedBy": USER,
        "ParallelismConfiguration": {_MOST_STEPS: most} if most else None,
        _SELECTION: row.request.get(_SELECTION),
        "PipelineVersionId": execution.version,
    }


def _started(world: World, request: Request) -> str:
    pipeline = found_pipeline(world, request["PipelineName"])
    version = chosen_version(world, pipeline, request)
    if "RoleArn" in request:
        raise ValidationError(
            "RoleArn is for pipelines that AWS manages: executions of yours use the pipeline's."
        )
    row = _new(world, pipeline, version, request)
    world.store.add(row)
    _note(world, PIPELINE, pipeline.name, {"LastRunTime": row.created})
    _note(world, VERSION, version.name, {"LastExecutionPipelineExecutionArn": row.arn})
    return row.arn


def _new(world: World, pipeline: Resource, version: Resource, request: Request) -> Resource:
    definition = parsed(version.request["PipelineDefinition"], pipeline.name)
    selected, source = _selection(world, request)
    values, faults = read_parameters(definition, request.get("PipelineParameters", []))
    taken, more = read_selection(definition, selected, source) if selected else ({}, [])
    refuse([*faults, *more])
    number, now = version.request["PipelineVersionId"], world.clock()
    named = {key: request[key] for key in _NAMES if key in request}
    name = f"execution-{now * 1000:.0f}"
    row = new_execution(
        *(world.place, new_execution_id(), pipeline.name, number, now),
        parameters=values,
        request=body_of(request),
        parallelism=_most_steps(request) or _most_steps(pipeline.state),
        selected=selected,
        reused=taken,
        state={"PipelineExecutionDisplayName": name, **named, "VersionId": number},
    )
    experiment = experiment_of(definition, execution_of(row))
    return replace(row, state={**row.state, _EXPERIMENT: experiment})


def _selection(world: World, request: Request) -> tuple[list[str] | None, Execution | None]:
    """The names of the steps that alone shall run, and where they take others' results from."""
    config = request.get(_SELECTION)
    if config is None:
        return None, None
    arn = config.get("SourcePipelineExecutionArn")
    source = execution_of(found_execution(world, arn)) if arn else None
    return [item["StepName"] for item in config["SelectedSteps"]], source


def _note(world: World, kind: str, name: str, facts: Mapping[str, Any]) -> None:
    world.store.update(kind, name, lambda found: replace(found, state={**found.state, **facts}))


def _stopping(world: World, request: Request) -> str:
    # The provider's operators know an execution that has ended by this text.
    refusal = "Only pipelines with 'Executing' status can be stopped"
    return _changed(world, request, stop_asked, refusal)


def _retrying(world: World, request: Request) -> str:
    def change(execution: Execution) -> Execution:
        return retried(execution, world.clock(), _most_steps(request))

    refusal = "Only pipeline executions that failed or were stopped can be retried"
    return _changed(world, request, change, refusal)


def _changed(
    world: World, request: Request, change: Callable[[Execution], Execution], refusal: str
) -> str:
    """Change an execution, in a transaction; its ARN. `refusal` is said of an illegal move."""
    row = found_execution(world, request["PipelineExecutionArn"])
    try:
        world.store.update(EXECUTION, row.name, changing(change, world.clock()))
    except IllegalMove as refused:
        raise ValidationError(f"{refusal}: {row.arn} is {row.status}.") from refused
    return row.arn


def _aliases(world: World, row: Resource) -> list[str]:
    version = version_of(world, row.request["PipelineName"], row.request["PipelineVersionId"])
    return aliases_of(version) if version else []


def _most_steps(request: Mapping[str, Any]) -> int | None:
    most: int | None = request.get("ParallelismConfiguration", {}).get(_MOST_STEPS)
    return most


def _id_in(arn: str) -> str:
    return arn.rpartition("/")[2]
