"""Create, describe, list and delete models."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.nacre.local.api.checks import image_faults, missing_data, refuse
from include.nacre.local.api.creation import add, body_of
from include.nacre.local.api.listing import Listing, listed
from include.nacre.local.api.packages import APPROVED, found_package
from include.nacre.local.protocol.core import Request, Response
from include.nacre.local.protocol.errors import ValidationError
from include.nacre.local.store import Resource
from include.nacre.local.world import World


def create_model(world: World, request: Request) -> Response:
    """Keep a model, its containers resolved to an image and its data."""
    arn, now = world.place.arn(f"model/{request['ModelName']}"), world.clock()
    refuse(_faults(world, request))
    body = body_of(request) | _with_containers(world, request)
    model = Resource("model", request["ModelName"], arn, "", now, now, body)
    add(world, model, request, 'Cannot create already existing model "{arn}".')
    return {"ModelArn": arn}


def describe_model(world: World, request: Request) -> Response:
    """All that is known of a model."""
    return model_description(found_model(world, request["ModelName"]))


def list_models(world: World, request: Request) -> Response:
    """One page of the models, newest first."""
    return listed(
        world.store, Listing("model", "Models", model_description, descending=True), request
    )


def delete_model(world: World, request: Request) -> Response:
    """Forget a model; its data stays where it is, and its name is free again."""
    world.store.delete("model", found_model(world, request["ModelName"]).name)
    return {}


def found_model(world: World, name: str) -> Resource:
    """The model of that name, or the service's error."""
    arn = world.place.arn(f"model/{name}")
    model = world.store.by_arn(arn)
    if model is None:
        raise ValidationError(f'Could not find model "{arn}".')
    return model


def model_description(model: Resource) -> dict[str, Any]:
    """A model under the names of its Describe answer."""
    return {
        "EnableNetworkIsolation": False,
        **model.request,
        "ModelArn": model.arn,
        "CreationTime": model.created,
    }


def _faults(world: World, request: Request) -> Iterator[str]:
    primary, containers = request.get("PrimaryContainer"), request.get("Containers")
    if bool(primary) == bool(containers):
        yield "Give either PrimaryContainer or Containers, and not both of them."
    if "ExecutionRoleArn" not in request:
        yield "Missing ExecutionRoleArn: the model's containers run with that role."
    for container in _containers(request):
        if "ModelPackageName" in container:
            yield from _package_faults(world, container)
        elif "Image" not in container:
            yield "A container needs an Image, or a ModelPackageName that stands for one."
        else:
            yield from image_faults(world, container["Image"])
        uri = _data_address(container)
        if uri and missing_data(world, uri):
            yield f"Could not find model data at {uri}."


def _package_faults(world: World, container: Mapping[str, Any]) -> Iterator[str]:
    """Why a model package cannot stand for a container."""
    package = found_package(world, container["ModelPackageName"])
    if package.state["ModelApprovalStatus"] != APPROVED:
        yield f"Model Package {package.arn} is not approved: only approved ones are models."
    if "Image" in container:
        yield "Both Image and ModelPackageName are given in a container: give one of them."
    name = container.get("InferenceSpecificationName")
    stands_for = _inference_containers(package, name)
    if not stands_for:
        which = f"inference specification {name!r}" if name else "InferenceSpecification"
        yield f"Model Package {package.arn} has no {which}: nothing says how to serve it."
    if len(stands_for) > 1:
        yield (
            f"Model Package {package.arn} has {len(stands_for)} containers: the local SageMaker"
            " serves models of one."
        )
    for item in stands_for:
        yield from image_faults(world, item["Image"])
        uri = _data_address(item)
        if uri and missing_data(world, uri):
            yield f"Could not find model data at {uri}, the data of Model Package {package.arn}."


def _inference_containers(package: Resource, name: str | None) -> Sequence[Mapping[str, Any]]:
    """The containers of a package's inference specification; of a further one, by its name."""
    described = {**package.request, **package.state}
    further = described.get("AdditionalInferenceSpecifications") or []
    named = {item["Name"]: item for item in further}
    found = named.get(name) if name else described.get("InferenceSpecification")
    containers: Sequence[Mapping[str, Any]] = (found or {}).get("Containers", [])
    return containers


def _containers(request: Request) -> list[Mapping[str, Any]]:
    primary = request.get("PrimaryContainer")
    return [*([primary] if primary else []), *request.get("Containers", [])]


def _data_address(container: Mapping[str, Any]) -> str | None:
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    address: str | None = container.get("ModelDataUrl", source.get("S3Uri"))
    return address


def _with_containers(world: World, request: Request) -> dict[str, Any]:
    """The containers, each with the image and data of the model package that it names."""
    resolved: dict[str, Any] = {}
    if "PrimaryContainer" in request:
        resolved["PrimaryContainer"] = _resolved(world, request["PrimaryContainer"])
    if "Containers" in request:
        resolved["Containers"] = [_resolved(world, item) for item in request["Containers"]]
    return resolved


def _resolved(world: World, container: Mapping[str, Any]) -> Mapping[str, Any]:
    if "ModelPackageName" not in container:
        return {"Mode": "SingleModel", **container}
    package = found_package(world, container["ModelPackageName"])
    (first,) = _inference_containers(package, container.get("InferenceSpecificationName"))
    # A package says more of its containers (their framework, for one) than a model does.
    own = {name: first[name] for name in _OF_THE_PACKAGE if name in first}
    environment = {**first.get("Environment", {}), **container.get("Environment", {})}
    return {"Mode": "SingleModel", **own, **container, "Environment": environment}


_OF_THE_PACKAGE = ("Image", "ModelDataUrl", "ModelDataSource")
