"""What a Create call can be refused for at once, beyond its shape: all of it in one answer."""

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from include.nacre.local.faults.force import Excess
from include.nacre.local.images import UnknownImage
from include.nacre.local.jobrecord import JobKind
from include.nacre.local.jobs.spec import Kind
from include.nacre.local.objects import ObjectError, parse_s3_uri
from include.nacre.local.protocol.core import Request
from include.nacre.local.protocol.errors import ResourceLimitExceededError, ValidationError
from include.nacre.local.store import Resource
from include.nacre.local.world import World

# The default quota of a new account for the common instance types.
MOST_INSTANCES = 20

Check = Callable[[World, Request], Iterator[str]]


def check_job(world: World, kind: JobKind, request: Request) -> None:
    """Raise one error with everything that speaks against the job."""
    refuse(text for check in _CHECKS[kind.kind] for text in check(world, request))
    _check_quota(kind, request)


def refuse(faults: Iterable[str]) -> None:
    """Raise a ValidationError with the faults, if there are any."""
    texts = list(dict.fromkeys(faults))
    if texts:
        raise ValidationError(" ".join(texts))


def missing_data(world: World, uri: str) -> bool:
    """Whether an S3 address names neither an object nor a prefix of any."""
    try:
        return next(world.objects.list(uri), None) is None
    except ObjectError:
        return True


def image_faults(world: World, image: str) -> Iterator[str]:
    """What is wrong with an image: that nothing here stands in for it."""
    try:
        world.known_image(image)
    except UnknownImage as unknown:
        yield str(unknown)


def check_quotas(world: World, kind: JobKind, job: Resource) -> None:
    """Raise a ResourceLimitExceededError if the quotas that are asked for leave no room."""
    delta = functools.partial(_instances, kind, [job.request])

    def used(types: str) -> int:
        running = world.store.unfinished([kind.kind], ["InProgress", "Stopping"])
        return _instances(kind, [other.request for other in running], types)

    excess = world.faults.beyond_quota(kind.word, delta, used)
    if excess is not None:
        raise _beyond(kind, _groups(kind, job.request)[0], excess)


def _check_quota(kind: JobKind, request: Request) -> None:
    for group in _groups(kind, request):
        count = group.get("InstanceCount", 0)
        if count > MOST_INSTANCES:
            raise _beyond(kind, group, Excess(MOST_INSTANCES, 0, count))


def _instances(kind: JobKind, requests: Iterable[Request], types: str) -> int:
    """How many instances requests want whose types fit a glob."""
    return sum(
        group.get("InstanceCount", 0)
        for request in requests
        for group in _groups(kind, request)
        if fnmatchcase(group.get("InstanceType", ""), types)
    )


def _groups(kind: JobKind, request: Request) -> Sequence[Mapping[str, Any]]:
    cluster = _at(request, *_CLUSTERS[kind.kind]) or {}
    return cluster.get("InstanceGroups") or [cluster]


def _beyond(kind: JobKind, group: Mapping[str, Any], excess: Excess) -> ResourceLimitExceededError:
    instance = group.get("InstanceType", "instance")
    return ResourceLimitExceededError(
        f"The account-level service limit '{instance} for {kind.noun} usage' is {excess.limit}"
        f" Instances, with current utilization of {excess.used} Instances and a request delta of"
        f" {excess.delta} Instances. Please use AWS Service Quotas to request an increase for this"
        " quota. If AWS Service Quotas is not available, contact AWS support to request an"
        " increase for this quota."
    )


_CLUSTERS: Mapping[Kind, Sequence[str]] = {
    "processing": ("ProcessingResources", "ClusterConfig"),
    "training": ("ResourceConfig",),
    "transform": ("TransformResources",),
}


def _training_parts(_world: World, request: Request) -> Iterator[str]:
    for member in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
        if member not in request and "ServerlessJobConfig" not in request:
            yield f"Missing {member}: a training job without serverless configuration needs it."
    if "ServerlessJobConfig" in request:
        yield "ServerlessJobConfig: serverless training does not run on the local SageMaker."
    names = [channel["ChannelName"] for channel in request.get("InputDataConfig", [])]
    yield from _twice(names, "ChannelName", "InputDataConfig")


def _training_image(world: World, request: Request) -> Iterator[str]:
    algorithm = request.get("AlgorithmSpecification", {})
    image = algorithm.get("TrainingImage")
    if image:
        yield from image_faults(world, image)
    elif algorithm:
        yield (
            "AlgorithmSpecification has no TrainingImage: algorithms of the marketplace"
            " (AlgorithmName) do not run on the local SageMaker. Name an image."
        )


def _spot(_world: World, request: Request) -> Iterator[str]:
    limits = request.get("StoppingCondition", {})
    longest, wait = limits.get("MaxRuntimeInSeconds", 0), limits.get("MaxWaitTimeInSeconds")
    if request.get("EnableManagedSpotTraining") and (wait is None or wait < longest):
        yield (
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to"
            " MaxRuntimeInSeconds."
        )
    if wait is not None and not request.get("EnableManagedSpotTraining"):
        yield "MaxWaitTimeInSeconds can only be set if EnableManagedSpotTraining is true."


def _training_data(world: World, request: Request) -> Iterator[str]:
    for channel in request.get("InputDataConfig", []):
        uri = _at(channel, "DataSource", "S3DataSource", "S3Uri")
        if uri:
            yield from _input_faults(world, uri, request["RoleArn"])
        else:
            yield (
                f"Channel {channel['ChannelName']}: the local SageMaker reads channels from S3"
                " only. Give its DataSource an S3DataSource."
            )
    yield from _output_faults(world, request["OutputDataConfig"]["S3OutputPath"])
    checkpoints = _at(request, "CheckpointConfig", "S3Uri")
    yield from _output_faults(world, checkpoints) if checkpoints else ()


def _processing_image(world: World, request: Request) -> Iterator[str]:
    yield from image_faults(world, request["AppSpecification"]["ImageUri"])


def _processing_data(world: World, request: Request) -> Iterator[str]:
    inputs = request.get("ProcessingInputs", [])
    outputs = _at(request, "ProcessingOutputConfig", "Outputs") or []
    yield from _twice([item["InputName"] for item in inputs], "InputName", "ProcessingInputs")
    yield from _twice([item["OutputName"] for item in outputs], "OutputName", "Outputs")
    paths = [_at(item, "S3Input", "LocalPath") for item in inputs]
    yield from _twice([path for path in paths if path], "LocalPath", "ProcessingInputs")
    for item in inputs:
        if "S3Input" in item:
            yield from _input_faults(world, item["S3Input"]["S3Uri"], request["RoleArn"])
        else:
            yield f"Input {item['InputName']}: the local SageMaker reads inputs from S3 only."
    for item in outputs:
        if "S3Output" in item:
            yield from _output_faults(world, item["S3Output"]["S3Uri"])
        else:
            yield f"Output {item['OutputName']}: the local SageMaker writes outputs to S3 only."


def _transform_data(world: World, request: Request) -> Iterator[str]:
    model = world.store.get("model", request["ModelName"])
    if model is None:
        arn = world.place.arn(f"model/{request['ModelName']}")
        yield f'Could not find model "{arn}".'
    uri = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    role = model.request.get("ExecutionRoleArn", "") if model else ""
    yield from _input_faults(world, uri, role)
    yield from _output_faults(world, request["TransformOutput"]["S3OutputPath"])


_CHECKS: Mapping[Kind, Sequence[Check]] = MappingProxyType(
    {
        "processing": (_processing_image, _processing_data),
        "training": (_training_parts, _training_image, _spot, _training_data),
        "transform": (_transform_data,),
    }
)


def _input_faults(world: World, uri: str, role: str) -> Iterator[str]:
    if missing_data(world, uri):
        bucket = uri.partition("://")[2].partition("/")[0]
        region = world.place.region
        yield (
            f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure'
            f" that the bucket exists in the selected region ({region}), that objects exist under"
            f' that S3 prefix, and that the role "{role}" has "s3:ListBucket" permissions on bucket'
            f' "{bucket}".'
        )


def _output_faults(world: World, uri: str) -> Iterator[str]:
    try:
        bucket = parse_s3_uri(uri).bucket
    except ObjectError as fault:
        yield f"Invalid S3 output address: {fault}."
        return
    if not world.objects.bucket_exists(bucket):
        yield (
            f'The S3 bucket "{bucket}" of the output address "{uri}" does not exist in the selected'
            f" region ({world.place.region}). Create it first."
        )


def _twice(names: Sequence[str], member: str, where: str) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{where}: the {member} {name!r} is given {count} times; each must be unique."


def _at(value: Mapping[str, Any] | None, *members: str) -> Any:
    for member in members:
        value = (value or {}).get(member)
    return value
