"""The model registry: groups, and the versions in them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from include.nacre.local.api.checks import missing_data, refuse
from include.nacre.local.api.creation import add, body_of
from include.nacre.local.api.listing import Listing, listed
from include.nacre.local.api.tokens import once
from include.nacre.local.protocol.core import Request, Response
from include.nacre.local.protocol.errors import ConflictError, ValidationError
from include.nacre.local.store import Filter, Query, Resource
from include.nacre.local.world import World

GROUP, PACKAGE = "model-package-group", "model-package"
APPROVED, PENDING = "Approved", "PendingManualApproval"
_USER = {"UserProfileName": "local"}
# What UpdateModelPackage simply puts in the place of what was there.
_REPLACEABLE = (
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
)


def create_group(world: World, request: Request) -> Response:
    """Open a group of versions."""
    name, now = request["ModelPackageGroupName"], world.clock()
    arn = world.place.arn(f"{GROUP}/{name}")
    group = Resource(GROUP, name, arn, "Completed", now, now, body_of(request))
    add(world, group, request, "Model Package Group already exists: {arn}")
    return {"ModelPackageGroupArn": arn}


def describe_group(world: World, request: Request) -> Response:
    """All that is known of a group."""
    return group_description(_found_group(world, request["ModelPackageGroupName"]))


def list_groups(world: World, request: Request) -> Response:
    """One page of the groups."""
    # Nobody shares groups with this account.
    shared = request.get("CrossAccountFilterOption") == "CrossAccount"
    filters = [Filter("SharedBy", "is not", None)] if shared else []
    listing = Listing(GROUP, "ModelPackageGroupSummaryList", group_description, filters=filters)
    return listed(world.store, listing, request)


def delete_group(world: World, request: Request) -> Response:
    """Close an empty group."""
    group = _found_group(world, request["ModelPackageGroupName"])
    with world.store.transaction():
        if world.store.find(Query(PACKAGE, _of_group(group), limit=1)):
            raise ConflictError(
                f"Model Package Group {group.arn} still contains model packages: delete them first."
            )
        world.store.delete(GROUP, group.name)
    return {}


def create_package(world: World, request: Request) -> Response:
    """Register a model: as the next version of a group, or under a name of its own."""
    refuse(_faults(world, request))
    arn = once(world, "CreateModelPackage", request, lambda: _registered(world, request).arn)
    return {"ModelPackageArn": arn}


def describe_package(world: World, request: Request) -> Response:
    """All that is known of a model package."""
    return package_description(found_package(world, request["ModelPackageName"]))


def list_packages(world: World, request: Request) -> Response:
    """One page of the packages: those of the group named, else those without a group."""
    if "ModelPackageGroupName" in request:
        filters = _of_group(_found_group(world, request["ModelPackageGroupName"]))
    else:
        filters = _TYPES[request.get("ModelPackageType", "Unversioned")]
    listing = Listing(PACKAGE, "ModelPackageSummaryList", package_description, filters=filters)
    return listed(world.store, listing, request)


def update_package(world: World, request: Request) -> Response:
    """Change what may be changed: the approval, the customer's metadata, the descriptions."""
    package = found_package(world, request["ModelPackageArn"])

    def change() -> str:
        now = world.clock()
        world.store.update(PACKAGE, package.name, lambda found: _updated(found, request, now))
        return package.arn

    return {"ModelPackageArn": once(world, "UpdateModelPackage", request, change)}


def delete_package(world: World, request: Request) -> Response:
    """Forget a package; its version is not given out again."""
    world.store.delete(PACKAGE, found_package(world, request["ModelPackageName"]).name)
    return {}


def found_package(world: World, name_or_arn: str) -> Resource:
    """The package of that name or ARN, or the service's error."""
    return _found(world, PACKAGE, name_or_arn, "ModelPackage {arn} does not exist.")


def group_description(group: Resource) -> dict[str, Any]:
    """A group under the names of its Describe answer."""
    return {
        **group.request,
        "ModelPackageGroupArn": group.arn,
        "CreationTime": group.created,
        "CreatedBy": _USER,
        "ModelPackageGroupStatus": group.status,
    }


def package_description(package: Resource) -> dict[str, Any]:
    """A package under the names of its Describe answer."""
    changed = package.modified != package.created
    return {
        **package.request,
        **package.state,
        "ModelPackageArn": package.arn,
        "CreationTime": package.created,
        "CreatedBy": _USER,
        "LastModifiedTime": package.modified if changed else None,
        "LastModifiedBy": _USER if changed else None,
        "ModelPackageStatus": package.status,
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
    }


def _faults(world: World, request: Request) -> Iterator[str]:
    named, grouped = "ModelPackageName" in request, "ModelPackageGroupName" in request
    if named and grouped:
        yield (
            "Both ModelPackageName and ModelPackageGroupName are provided in the input."
            " Cannot determine which one to use."
        )
    if not named and not grouped:
        yield "Missing ARN. Give ModelPackageGroupName, or ModelPackageName."
    if grouped and request.get("Tags"):
        yield "Tags cannot be given for a version: it has those of its model package group."
    for container in request.get("InferenceSpecification", {}).get("Containers", []):
        uri = container.get("ModelDataUrl")
        if uri and missing_data(world, uri):
            yield f"Could not find model data at {uri}."


def _registered(world: World, request: Request) -> Resource:
    now = world.clock()
    state = {"ModelApprovalStatus": request.get("ModelApprovalStatus", PENDING)}
    body = body_of(request)
    if "ModelPackageGroupName" in request:
        group = _found_group(world, request["ModelPackageGroupName"])
        version = world.store.count_up(group.arn)
        name = f"{group.name}/{version}"
        # The answer's shape wants a ModelPackageName for versions too; their name is their group's.
        body |= {"ModelPackageGroupName": group.name, "ModelPackageName": group.name}
        state |= {"Group": group.name, "ModelPackageVersion": version}
    else:
        name = request["ModelPackageName"]
    arn = world.place.arn(f"{PACKAGE}/{name}")
    package = Resource(PACKAGE, name, arn, "Completed", now, now, body, state)
    add(world, package, request, "Model Package already exists: {arn}")
    return package


def _updated(package: Resource, request: Request, now: float) -> Resource:
    state = {**package.state, **{key: request[key] for key in _REPLACEABLE if key in request}}
    described = {**package.request, **package.state}
    properties = {
        **(described.get("CustomerMetadataProperties") or {}),
        **request.get("CustomerMetadataProperties", {}),
    }
    for key in request.get("CustomerMetadataPropertiesToRemove", []):
        properties.pop(key, None)
    state["CustomerMetadataProperties"] = properties or None
    if "AdditionalInferenceSpecificationsToAdd" in request:
        state["AdditionalInferenceSpecifications"] = [
            *described.get("AdditionalInferenceSpecifications", []),
            *request["AdditionalInferenceSpecificationsToAdd"],
        ]
    return replace(package, state=state, modified=max(now, package.modified))


def _of_group(group: Resource) -> list[Filter]:
    return [Filter("Group", "=", group.name)]


_TYPES: Mapping[str, list[Filter]] = {
    "Unversioned": [Filter("Group", "is", None)],
    "Versioned": [Filter("Group", "is not", None)],
    "Both": [],
}


def _found_group(world: World, name_or_arn: str) -> Resource:
    return _found(world, GROUP, name_or_arn, "ModelPackageGroup {arn} does not exist.")


def _found(world: World, kind: str, name_or_arn: str, missing: str) -> Resource:
    is_arn = name_or_arn.startswith("arn:")
    arn = name_or_arn if is_arn else world.place.arn(f"{kind}/{name_or_arn}")
    found = world.store.by_arn(arn)
    if found is None or found.kind != kind:
        raise ValidationError(missing.format(arn=arn))
    return found
