"""How many Describe calls a core of the local SageMaker answers in a second of its time."""

import json
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import psutil
from botocore.config import Config

from include.pipelines.images import SCIKIT_LEARN, image_uri
from scripts.benchmarks.results import BrokenPromiseError, Result
from scripts.benchmarks.service import running_service
from scripts.stack import LocalSageMaker

JOBS, CALLS, CLIENTS = 100, 4000, 4
# Jobs that are Starting for an hour: there is something to describe, and nothing else runs.
STARTING = {"rules": [{"job": "*", "do": "slow_start", "seconds": 3600}]}
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"


def measure() -> Result:
    """Real clients call as fast as they can; only what the service's own process takes counts."""
    with TemporaryDirectory() as folder, running_service(Path(folder, "state")) as service:
        if service.child is None:
            raise BrokenPromiseError("The service at any free port is not our own.")
        server = psutil.Process(service.child.process.pid)
        names = started_jobs(service)
        call_all(service, names)  # what is imported and cached by the first calls
        before = core_seconds(server)
        call_all(service, [names[number % JOBS] for number in range(CALLS)])
        taken = core_seconds(server) - before
    return Result(
        what="Describe calls that the local SageMaker answers a second of one core",
        unit="/s",
        ours=CALLS / taken,
        goal=500,
        better="larger",
    )


def core_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def started_jobs(service: LocalSageMaker) -> list[str]:
    body = json.dumps(STARTING).encode()
    urllib.request.urlopen(  # noqa: S310  (our own service)
        urllib.request.Request(f"{service.endpoint}/faults", body, method="PUT")  # noqa: S310
    ).close()
    client, names = sagemaker(service), [f"waits-{number:03}" for number in range(JOBS)]
    for name in names:
        client.create_processing_job(**request(name))
    return names


def call_all(service: LocalSageMaker, names: Iterable[str]) -> None:
    client = sagemaker(service)

    def status(name: str) -> str:
        return str(client.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"])

    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = set(pool.map(status, names))
    if statuses != {"InProgress"}:
        raise BrokenPromiseError(f"Jobs that start slowly are {', '.join(sorted(statuses))}.")


def sagemaker(service: LocalSageMaker) -> Any:
    return boto3.client(
        "sagemaker",
        endpoint_url=service.endpoint,
        region_name=service.region,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106  (the local service wants some, and no more)
        config=Config(max_pool_connections=CLIENTS),
    )


def request(name: str) -> dict[str, Any]:
    """A processing job that needs no data."""
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": image_uri(SCIKIT_LEARN, "us-east-1"),
            "ContainerEntrypoint": ["python3", "-V"],
        },
        "ProcessingResources": {"ClusterConfig": cluster},
    }
