"""What an execution did: its steps, its parameters and the definition that it followed."""

from typing import Any

from include.nacre.definition.records import Pipeline, Step
from include.nacre.local.api.executions import found_execution
from include.nacre.local.api.listing import paged
from include.nacre.local.api.versions import version_of
from include.nacre.local.pipelines.definitions import parsed
from include.nacre.local.pipelines.execution import Execution, StepRun
from include.nacre.local.pipelines.records import execution_of
from include.nacre.local.protocol.core import Request, Response
from include.nacre.local.protocol.errors import ResourceNotFoundError, ValidationError
from include.nacre.local.store import Resource
from include.nacre.local.world import World

_PAGE = 100  # the most that a page may have: the SDK's list_steps() reads one page alone


def list_steps(world: World, request: Request) -> Response:
    """One page of the steps that have begun, the last one first."""
    if "PipelineExecutionArn" not in request:
        raise ValidationError("Missing PipelineExecutionArn.")
    row = found_execution(world, request["PipelineExecutionArn"])
    definition = version_ran(world, row).request["PipelineDefinition"]
    execution = execution_of(row)
    described = described_steps(parsed(definition, execution.pipeline), execution)
    if request.get("SortOrder") != "Ascending":
        described.reverse()
    page, token = paged(described, request, _PAGE)
    return {"PipelineExecutionSteps": page, "NextToken": token}


def list_parameters(world: World, request: Request) -> Response:
    """One page of an execution's parameters."""
    row = found_execution(world, request["PipelineExecutionArn"])
    parameters = [{"Name": name, "Value": text} for name, text in parameter_texts(row).items()]
    page, token = paged(parameters, request, _PAGE)
    return {"PipelineParameters": page, "NextToken": token}


def describe_definition(world: World, request: Request) -> Response:
    """The definition that an execution follows, whatever its pipeline's is now."""
    version = version_ran(world, found_execution(world, request["PipelineExecutionArn"]))
    text = version.request["PipelineDefinition"]
    return {"PipelineDefinition": text, "CreationTime": version.created}


def described_steps(definition: Pipeline, execution: Execution) -> list[dict[str, Any]]:
    """The steps that have begun, in that order, as ListPipelineExecutionSteps has them."""
    steps = {step.name: step for step in definition.all_steps}
    return [_described(steps[name], run) for name, run in execution.steps.items()]


def parameter_texts(row: Resource) -> dict[str, str]:
    """The parameters of an execution: the text that was given, else the default's."""
    given = {item["Name"]: item["Value"] for item in row.request.get("PipelineParameters", [])}
    return {name: str(value) for name, value in execution_of(row).parameters.items()} | given


def version_ran(world: World, row: Resource) -> Resource:
    """The version that an execution follows."""
    execution = execution_of(row)
    version = version_of(world, execution.pipeline, execution.version)
    if version is None:  # deleted, with its executions, since this one was found
        raise ResourceNotFoundError(f"Pipeline execution '{row.arn}' does not exist.")
    return version


def _described(step: Step, run: StepRun) -> dict[str, Any]:
    return {
        "StepName": step.name,
        "StepDisplayName": step.display_name,
        "StepDescription": step.description,
        "StartTime": run.started,
        "EndTime": run.ended,
        "StepStatus": run.status,
        "CacheHitResult": _source(run.cached_from),
        "FailureReason": run.failure,
        "Metadata": dict(run.metadata),
        "AttemptCount": run.attempt,
        "SelectiveExecutionResult": _source(run.reused_from),
    }


def _source(arn: str | None) -> dict[str, str] | None:
    return {"SourcePipelineExecutionArn": arn} if arn else None
