"""Create, update, describe, list and delete pipelines."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from include.nacre.definition.reader import is_same_definition
from include.nacre.local.api.checks import refuse
from include.nacre.local.api.creation import add
from include.nacre.local.api.definitions import definition_of
from include.nacre.local.api.listing import Listing, listed
from include.nacre.local.api.tokens import once
from include.nacre.local.api.versions import (
    USER,
    add_version,
    alias_faults,
    below,
    check_aliases_free,
    chosen_version,
    found_pipeline,
    version_facts,
)
from include.nacre.local.pipelines.caching import Results
from include.nacre.local.pipelines.execution import RUNNING
from include.nacre.local.pipelines.records import EXECUTION, PIPELINE, VERSION, pipeline_arn
from include.nacre.local.protocol.core import Request, Response
from include.nacre.local.protocol.errors import ConflictError, ValidationError
from include.nacre.local.store import Filter, Query, Resource
from include.nacre.local.world import World

# What CreatePipeline sets and UpdatePipeline replaces; what is not given stays as it is.
_REPLACEABLE = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")
_AT_ONCE = 20
_TAKEN = (
    "Pipeline names must be unique within an AWS account and region."
    " Pipeline with name ({name}) already exists."
)


def create_pipeline(world: World, request: Request) -> Response:
    """Keep a pipeline and its first version, or refuse it for everything that is wrong with it."""
    return {"PipelineArn": once(world, "CreatePipeline", request, lambda: _created(world, request))}


def update_pipeline(world: World, request: Request) -> Response:
    """Change a pipeline; another definition is its next version."""
    found_pipeline(world, request["PipelineName"])
    text, aliases = definition_of(world, request), request.get("PipelineVersionAliases", [])
    refuse(alias_faults(aliases))
    with world.store.transaction():
        pipeline = found_pipeline(world, request["PipelineName"])
        is_new = text is not None and not _is_current(world, pipeline, text)
        if aliases and not is_new:
            raise ValidationError(
                "PipelineVersionAliases are for the new version that an update of the definition"
                " makes, and this update leaves the definition as it is. Change the aliases of a"
                " version that there is with UpdatePipelineVersion."
            )
        check_aliases_free(world, pipeline, aliases)
        number = pipeline.state["PipelineVersionId"] + is_new
        now = world.clock()
        pipeline = world.store.update(
            PIPELINE, pipeline.name, lambda found: _updated(found, request, number, now)
        )
        if text is not None and is_new:
            add_version(world, pipeline, text, aliases, now)
    return {"PipelineArn": pipeline.arn, "PipelineVersionId": number}


def describe_pipeline(world: World, request: Request) -> Response:
    """All that is known of a pipeline, with the definition of the version asked for."""
    pipeline = found_pipeline(world, request["PipelineName"])
    version = chosen_version(world, pipeline, request)
    return {
        **version_facts(version),
        **pipeline_description(pipeline),
        "PipelineDefinition": version.request["PipelineDefinition"],
    }


def list_pipelines(world: World, request: Request) -> Response:
    """One page of the pipelines, newest first."""
    # AWS manages no pipeline of this account.
    managed = request.get("ManagedBy") == "AWS"
    filters = [Filter("ManagedBy", "is not", None)] if managed else []
    listing = Listing(PIPELINE, "PipelineSummaries", pipeline_description, True, filters=filters)
    return listed(world.store, listing, request)


def delete_pipeline(world: World, request: Request) -> Response:
    """Forget a pipeline with its versions and executions; none of them may be running."""
    return {"PipelineArn": once(world, "DeletePipeline", request, lambda: _deleted(world, request))}


def pipeline_description(pipeline: Resource) -> dict[str, Any]:
    """A pipeline under the names of its Describe answer and of its summary."""
    state = pipeline.state
    return {
        "PipelineArn": pipeline.arn,
        "PipelineName": pipeline.name,
        **{key: state[key] for key in _REPLACEABLE if key in state},
        "PipelineStatus": pipeline.status,
        "CreationTime": pipeline.created,
        "LastModifiedTime": pipeline.modified,
        "LastRunTime": state.get("LastRunTime"),
        "LastExecutionTime": state.get("LastRunTime"),
        "CreatedBy": USER,
        "LastModifiedBy": USER,
    }


def _created(world: World, request: Request) -> str:
    name, now = request["PipelineName"], world.clock()
    aliases = request.get("PipelineVersionAliases", [])
    arn, taken = pipeline_arn(world.place, name), _TAKEN.format(name=name)
    # Before all other checks: an upsert has to learn that there is something to update.
    if world.store.by_arn(arn):
        raise ValidationError(taken)
    text = definition_of(world, request)
    if text is None:
        raise ValidationError("Give PipelineDefinition or PipelineDefinitionS3Location.")
    refuse(alias_faults(aliases))
    state = {"PipelineDisplayName": name, **_given(request), "PipelineVersionId": 1}
    pipeline = Resource(PIPELINE, name, arn, "Active", now, now, {"PipelineName": name}, state)
    add(world, pipeline, request, taken)
    add_version(world, pipeline, text, aliases, now)
    return arn


def _given(request: Request) -> dict[str, Any]:
    return {key: request[key] for key in _REPLACEABLE if key in request}


def _updated(pipeline: Resource, request: Request, version: int, now: float) -> Resource:
    state: Mapping[str, Any] = {
        **pipeline.state,
        **_given(request),
        "PipelineVersionId": version,
    }
    return replace(pipeline, state=state, modified=max(now, pipeline.modified))


def _is_current(world: World, pipeline: Resource, text: str) -> bool:
    latest = chosen_version(world, pipeline, {})
    return is_same_definition(latest.request["PipelineDefinition"], text)


def _deleted(world: World, request: Request) -> str:
    pipeline = found_pipeline(world, request["PipelineName"])
    running = [
        execution.arn
        for status in RUNNING
        for execution in _page(world, EXECUTION, pipeline, Filter("status", "=", status))
    ]
    if running:
        raise ConflictError(
            f"The pipeline {pipeline.arn} has running executions: {', '.join(running)}. Stop them"
            " with StopPipelineExecution, and delete it when they have ended."
        )
    for kind in (EXECUTION, VERSION):
        while page := _page(world, kind, pipeline):
            for row in page:
                world.store.delete(kind, row.name)
    Results(world.store, world.place, pipeline.name).forget()
    world.store.delete(PIPELINE, pipeline.name)
    return pipeline.arn


def _page(world: World, kind: str, pipeline: Resource, *filters: Filter) -> list[Resource]:
    """Some of the versions or executions of a pipeline: it may have more than memory."""
    return world.store.find(Query(kind, [below(pipeline, kind), *filters], limit=_AT_ONCE))
