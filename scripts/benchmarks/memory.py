"""How much memory the local SageMaker takes: idle, and while a large object passes through it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3

from include.nacre.definition.authoring import Asset, Pipeline, Processing, pipeline
from include.pipelines.images import SCIKIT_LEARN
from include.pipelines.requests import script_job
from include.pipelines.site import find_site
from scripts.benchmarks.by_boto3 import Execution, run_steps
from scripts.benchmarks.results import Result
from scripts.benchmarks.service import memory_mb, running_service
from scripts.stack import LocalSageMaker

SETTLE_SECONDS = 3.0
SAMPLE_SECONDS = 0.05
OBJECT_BYTES = 500_000_000
BUCKET, KEY = "bench", "large/zeros"
COPY = Asset(
    "copy.py",
    b"import shutil\n"
    b"shutil.copy('/opt/ml/processing/input/large/zeros', '/opt/ml/processing/copied/zeros')\n",
)


def measure_idle() -> Result:
    """A fresh service that nobody asks anything."""
    with TemporaryDirectory() as folder, running_service(Path(folder, "state")):
        time.sleep(SETTLE_SECONDS)
        idle = memory_mb(folder)
    return Result(what="memory of the idle local SageMaker", unit="MB", ours=idle, goal=150)


def measure_large_object() -> Result:
    """The peak while 500 MB are put into S3, read by a job, and written back by it."""
    with TemporaryDirectory() as folder, running_service(Path(folder, "state")) as service:
        with peak_memory(folder) as samples:
            pass_through(service, Path(folder, "zeros"))
        peak = max(samples)
    return Result(
        what="peak memory while an object of 500 MB goes into S3, through a job and back",
        unit="MB",
        ours=peak,
        goal=250,
    )


def pass_through(service: LocalSageMaker, file: Path) -> None:
    session = boto3.Session("local", "local", region_name=service.region)
    s3 = session.client("s3", endpoint_url=service.s3_endpoint)
    with file.open("wb") as zeros:
        zeros.truncate(OBJECT_BYTES)
    s3.create_bucket(Bucket=BUCKET)
    s3.upload_file(str(file), BUCKET, KEY)
    copying = copy_pipeline()
    for uri, script in copying.assets.items():
        s3.put_object(Bucket=BUCKET, Key=uri.removeprefix(f"s3://{BUCKET}/"), Body=script.content)
    sagemaker = session.client("sagemaker", endpoint_url=service.endpoint)
    run_steps(sagemaker, Execution(copying, "bench"), ["Copy"])
    written = s3.head_object(Bucket=BUCKET, Key="bench/runs/bench/Copy/copied/zeros")
    if written["ContentLength"] != OBJECT_BYTES:
        raise ValueError(f"{written['ContentLength']} of {OBJECT_BYTES} bytes came back")


def copy_pipeline() -> Pipeline:
    """One processing job that copies its input to its output."""
    site = find_site({}, "bench", bucket=BUCKET)
    request = script_job(
        site,
        "Copy",
        COPY,
        image=SCIKIT_LEARN,
        inputs={"large": f"s3://{BUCKET}/{KEY}"},
        outputs=["copied"],
        instance_type="ml.m5.xlarge",
    )
    return pipeline("Copy", steps=[Processing("Copy", request)], assets={site.code(COPY): COPY})


@contextmanager
def peak_memory(state: str, every: float = SAMPLE_SECONDS) -> Iterator[list[float]]:
    """Samples of the memory (MB) of the service at `state`, taken during the block."""
    samples = [memory_mb(state)]
    done = threading.Event()

    def sample() -> None:
        while not done.wait(every):
            samples.append(memory_mb(state))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield samples
    finally:
        done.set()
        sampler.join()
