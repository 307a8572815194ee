"""The versions of a pipeline: each definition that it has had, and what people call them."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from include.nacre.local.api.checks import refuse
from include.nacre.local.api.listing import Listing, listed
from include.nacre.local.pipelines.records import (
    EXECUTION,
    PIPELINE,
    VERSION,
    pipeline_arn,
    version_name,
)
from include.nacre.local.protocol.core import Request, Response
from include.nacre.local.protocol.errors import (
    ConflictError,
    ResourceNotFoundError,
    ValidationError,
)
from include.nacre.local.store import Filter, Query, Resource
from include.nacre.local.world import World

USER: Mapping[str, str] = MappingProxyType({"UserProfileName": "local"})
# What stands in the ARN, behind the pipeline's own.
_BELOW = {VERSION: "version", EXECUTION: "execution"}
_MOST_ALIASES = 10  # a version, as on the service


def list_versions(world: World, request: Request) -> Response:
    """One page of a pipeline's versions, newest first."""
    pipeline = found_pipeline(world, request["PipelineName"])

    def summary(version: Resource) -> dict[str, Any]:
        return {"PipelineArn": pipeline.arn, **version_facts(version)}

    filters = [below(pipeline, VERSION)]
    listing = Listing(VERSION, "PipelineVersionSummaries", summary, True, filters=filters)
    return listed(world.store, listing, request)


def update_version(world: World, request: Request) -> Response:
    """Name and describe a version, and move aliases onto it or off it."""
    number, changes = request["PipelineVersionId"], request.get(_OPERATIONS, {})
    added, removed = changes.get("Add", []), changes.get("Remove", [])
    with world.store.transaction():
        pipeline = found_pipeline(world, request["PipelineArn"])
        version = _numbered(world, pipeline, number)
        aliases = _changed(version, added, removed)
        check_aliases_free(world, pipeline, added, but=version)
        named = {key: request[key] for key in _NAMES if key in request}
        state = {**version.state, **named, "PipelineVersionAliases": aliases}
        world.store.update(VERSION, version.name, lambda found: replace(found, state=state))
    return {"PipelineArn": pipeline.arn, "PipelineVersionId": number}


def found_pipeline(world: World, name_or_arn: str) -> Resource:
    """The pipeline of that name or ARN, or the service's error."""
    is_arn = name_or_arn.startswith("arn:")
    arn = name_or_arn if is_arn else pipeline_arn(world.place, name_or_arn)
    found = world.store.by_arn(arn)
    if found is None or found.kind != PIPELINE:
        raise ResourceNotFoundError(f"Pipeline '{arn}' does not exist.")
    return found


def chosen_version(world: World, pipeline: Resource, request: Request) -> Resource:
    """The version that a request means: by id, by alias, else the latest."""
    number, alias = request.get("PipelineVersionId"), request.get("PipelineVersionAlias")
    if number is not None and alias is not None:
        raise ValidationError(
            "Both PipelineVersionId and PipelineVersionAlias are given. Give one of them."
        )
    if alias is not None:
        return aliased(world, pipeline, alias)
    return _numbered(world, pipeline, number or pipeline.state["PipelineVersionId"])


def aliased(world: World, pipeline: Resource, alias: str) -> Resource:
    """The version that has an alias now, or the service's error."""
    version = _with_alias(world, pipeline, alias)
    if version is None:
        raise ResourceNotFoundError(
            f"No version of the pipeline '{pipeline.arn}' has the alias '{alias}'."
        )
    return version


def version_of(world: World, pipeline: str, number: int) -> Resource | None:
    """A version by its pipeline's name; None when the pipeline is gone."""
    return world.store.get(VERSION, version_name(pipeline, number))


def aliases_of(version: Resource) -> list[str]:
    """The aliases that a version has now."""
    aliases: list[str] = version.state["PipelineVersionAliases"]
    return aliases


def version_facts(version: Resource) -> dict[str, Any]:
    """A version under the names that the answers share."""
    return {
        "PipelineVersionId": version.request["PipelineVersionId"],
        "CreationTime": version.created,
        **version.state,
    }


def add_version(
    world: World, pipeline: Resource, text: str, aliases: Sequence[str], now: float
) -> None:
    """Keep a definition as the version that the pipeline's state names as its latest."""
    number = pipeline.state["PipelineVersionId"]
    arn = f"{pipeline.arn}/{_BELOW[VERSION]}/{number}"
    request = {
        "PipelineName": pipeline.name,
        "PipelineVersionId": number,
        "PipelineDefinition": text,
    }
    state = {"PipelineVersionAliases": list(aliases)}
    name = version_name(pipeline.name, number)
    world.store.add(Resource(VERSION, name, arn, "Active", now, now, request, state))


def alias_faults(aliases: Sequence[str]) -> Iterator[str]:
    """What the shape of a list of aliases does not say."""
    for alias, count in Counter(aliases).items():
        if alias.isdecimal():
            yield f"The alias '{alias}' consists of digits only: it would read as a version's id."
        if count > 1:
            yield f"The alias '{alias}' is given {count} times."


def check_aliases_free(
    world: World, pipeline: Resource, aliases: Sequence[str], but: Resource | None = None
) -> None:
    """Refuse aliases that other versions of the pipeline have."""
    found = {alias: _with_alias(world, pipeline, alias) for alias in aliases}
    taken = [
        f"'{alias}' is an alias of version {version.request['PipelineVersionId']}"
        for alias, version in found.items()
        if version is not None and (but is None or version.name != but.name)
    ]
    if taken:
        raise ConflictError(
            f"An alias names one version of a pipeline: {', '.join(taken)}. Remove it there first."
        )


def below(pipeline: Resource, kind: str) -> Filter:
    """What belongs to a pipeline, known by its ARN: its versions or its executions."""
    return Filter("arn", "starts with", f"{pipeline.arn}/{_BELOW[kind]}/")


_OPERATIONS = "PipelineVersionAliasOperations"
_NAMES = ("PipelineVersionDisplayName", "PipelineVersionDescription")


def _with_alias(world: World, pipeline: Resource, alias: str) -> Resource | None:
    # The database sees the list as JSON text; no alias has quotation marks in it.
    has = Filter("PipelineVersionAliases", "contains", json.dumps(alias))
    found = world.store.find(Query(VERSION, [below(pipeline, VERSION), has], limit=1))
    return found[0] if found else None


def _numbered(world: World, pipeline: Resource, number: int) -> Resource:
    version = version_of(world, pipeline.name, number)
    if version is None:
        raise ResourceNotFoundError(
            f"Version {number} of the pipeline '{pipeline.arn}' does not exist."
        )
    return version


def _changed(version: Resource, added: Sequence[str], removed: Sequence[str]) -> list[str]:
    both = sorted(set(added) & set(removed))
    missing = sorted(set(removed) - set(aliases_of(version)))
    kept = [alias for alias in aliases_of(version) if alias not in removed]
    aliases = list(dict.fromkeys([*kept, *added]))
    refuse(
        [
            *alias_faults(added),
            *(f"The alias '{alias}' is both added and removed." for alias in both),
            *(f"The version has no alias '{alias}' to remove." for alias in missing),
        ]
    )
    if len(aliases) > _MOST_ALIASES:
        raise ValidationError(f"A version has at most {_MOST_ALIASES} aliases, not {len(aliases)}.")
    return aliases
