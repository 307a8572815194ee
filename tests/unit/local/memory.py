"""The protocol core in memory: calls go in as bytes, answers are read by botocore's own parser."""

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

from include.nacre.local.api.operations import operations
from include.nacre.local.images import runtime_for
from include.nacre.local.jobrecord import after
from include.nacre.local.jobs.spec import Kind
from include.nacre.local.lifecycle import Event
from include.nacre.local.objects import Objects
from include.nacre.local.place import Place
from include.nacre.local.protocol.core import JsonService, Reply
from include.nacre.local.store import Store
from include.nacre.local.world import World

SAGEMAKER = ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")
LOGS = ServiceModel(Loader().load_service_model("logs", "service-2"), "logs")

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
BUCKET = "sagemaker-us-east-1-123456789012"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
START = 1_790_000_000.0


class Clock:
    """A clock that a test sets; it goes on by a second each time it is read."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        self.now += 1
        return self.now


class WrittenDown:
    """A runner that runs nothing: what it was asked for, in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Kind, str]] = []

    def submitted(self, kind: Kind, name: str) -> None:
        self.asked.append(("start", kind, name))

    def stop(self, kind: Kind, name: str) -> None:
        self.asked.append(("stop", kind, name))

    def let_go(self, kind: Kind, name: str) -> bool:
        self.asked.append(("let go", kind, name))
        return True


class PipelinesWrittenDown:
    """An executor that executes nothing: what it was asked for, in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def submitted(self, execution_id: str) -> None:
        self.asked.append(("go on", execution_id))

    def stop(self, execution_id: str) -> None:
        self.asked.append(("stop", execution_id))


class ServiceError(Exception):
    """An error answer as a client sees it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class InMemory:
    """The service with everything around it: a store in memory, buckets in a folder."""

    def __init__(self, folder: Path) -> None:
        (folder / "buckets" / BUCKET).mkdir(parents=True)
        self.clock = Clock()
        self.jobs = WrittenDown()
        self.objects = Objects(folder / "buckets")
        self.store = Store(Path(":memory:"))
        self.pipelines = PipelinesWrittenDown()
        self.world = World(
            *(Place(), self.store, self.objects, self.clock, runtime_for),
            *(self.jobs, self.pipelines),
        )
        self.service = JsonService(SAGEMAKER, operations(self.world))

    def put(self, key: str, content: bytes = b"1,2\n") -> str:
        """An object in the default bucket; its address."""
        self.objects.put_bytes(f"s3://{BUCKET}/{key}", content)
        return f"s3://{BUCKET}/{key}"

    def raw(self, name: str, body: bytes) -> Reply:
        """The wire's answer to a body."""
        return self.service.handle(f"SageMaker.{name}", body, "request-1")

    def call(self, name: str, **request: Any) -> dict[str, Any]:
        """Call an operation as boto3 would; raises ServiceError."""
        return called(self.service, SAGEMAKER, name, request)

    def happen(self, kind: Kind, name: str, *events: Event, **more: Any) -> None:
        """Let a job go through events, as its supervisor would."""
        for event in events:
            self.store.update(kind, name, lambda job: after(job, event, self.clock(), **more))  # noqa: B023


def called(
    service: JsonService, model: ServiceModel, name: str, request: Mapping[str, Any]
) -> dict[str, Any]:
    """What a botocore client makes of the service's answer."""
    target = f"{model.metadata['targetPrefix']}.{name}"
    operation = model.operation_model(name)
    tokens = {member: str(uuid.uuid4()) for member in operation.idempotent_members}
    reply = service.handle(target, json.dumps({**tokens, **request}).encode(), "request-1")
    parsed: dict[str, Any] = create_parser("json").parse(
        {"body": reply.body, "headers": dict(reply.headers), "status_code": reply.status},
        operation.output_shape,
    )
    parsed.pop("ResponseMetadata")
    if "Error" in parsed:
        raise ServiceError(parsed["Error"]["Code"], parsed["Error"]["Message"])
    _check_answer(operation, parsed)
    return parsed


def _check_answer(operation: OperationModel, answer: Mapping[str, Any]) -> None:
    """Our own answer's types and required members, as botocore checks a request's."""
    if operation.output_shape is None:
        return
    # A training job has no artifacts before it ends, though the model calls them required.
    report = ParamValidator().validate(
        {"ModelArtifacts": {"S3ModelArtifacts": ""}, **answer}, operation.output_shape
    )
    faults = [line for line in report.generate_report().splitlines() if "Unknown" not in line]
    assert faults == []


def processing(name: str = "clean", **changes: Any) -> dict[str, Any]:
    """A processing job's request that needs no data."""
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": SKLEARN, "ContainerEntrypoint": ["python3", "-V"]},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 1,
            }
        },
        **changes,
    }


def training(name: str = "fit", **changes: Any) -> dict[str, Any]:
    """A training job's request that needs no data."""
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "VolumeSizeInGB": 1,
        },
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }


def transform(name: str = "score", **changes: Any) -> dict[str, Any]:
    """A transform job's request, of the model `abalone` over `batch/`."""
    return {
        "TransformJobName": name,
        "ModelName": "abalone",
        "TransformInput": {
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/batch"}
            },
            "ContentType": "text/csv",
        },
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/scores"},
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
        **changes,
    }


def channel(uri: str, name: str = "train") -> dict[str, Any]:
    """An input channel of a training job."""
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
    }


def error_of(run: Any, *arguments: Any, **request: Any) -> tuple[str, str]:
    """The (code, message) that a call is refused with."""
    try:
        run(*arguments, **request)
    except ServiceError as error:
        return error.code, error.message
    raise AssertionError("it was not refused")
