"""What the local SageMaker's executor of pipelines adds to the jobs, and how much it can hold."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from include.nacre.definition.authoring import Processing, pipeline
from include.nacre.definition.graph import dependencies
from include.nacre.definition.records import Pipeline
from include.pipelines.images import SCIKIT_LEARN
from include.pipelines.site import find_site
from scripts.benchmarks.by_boto3 import POLL_SECONDS, Execution, run_steps
from scripts.benchmarks.memory import peak_memory
from scripts.benchmarks.results import BrokenPromiseError, Result
from scripts.benchmarks.service import running_service
from scripts.stack import LocalSageMaker

STEPS = ("One", "Two", "Three", "Four")
PAIRS = 5
EXECUTIONS = 200
STARTERS = 8  # threads that send start calls at the same time
LONGEST_SECONDS = 900
SAMPLE_SECONDS = 0.25
LOOK_SECONDS = 0.5
SITE = find_site({}, "bench", bucket="bench")


def measure_step() -> Result:
    """Pairs of runs in turn: one execution, and its jobs created one after another by boto3."""
    chain = trivial_pipeline({"Two": "One", "Three": "Two", "Four": "Three"})
    with TemporaryDirectory() as folder, running_service(Path(folder, "state")) as service:
        sagemaker = create(service, chain)
        pairs = [(natively(sagemaker), by_boto3(sagemaker, chain, n)) for n in range(PAIRS + 1)]
    del pairs[0]  # reads every program from disk for the first time
    ours, theirs = (median(seconds) for seconds in zip(*pairs, strict=True))
    ratio = median(native / by_hand for native, by_hand in pairs)
    return Result(
        what=f"what a native execution adds to a job: four take {ours:.2f} s,"
        f" created one after another by boto3 {theirs:.2f} s (ratio {ratio:.2f})",
        unit="s",
        ours=median(native - by_hand for native, by_hand in pairs) / len(STEPS),
        goal=0.3,
        runs=PAIRS,
    )


def measure_many() -> Result:
    """The peak memory while 200 executions of a diamond of four steps go on at once."""
    diamond = trivial_pipeline({"Two": "One", "Three": "One", "Four": ("Two", "Three")})
    with TemporaryDirectory() as folder, running_service(Path(folder, "state")) as service:
        sagemaker = create(service, diamond)
        began = time.perf_counter()
        with peak_memory(folder, SAMPLE_SECONDS) as samples:
            arns = start_all(sagemaker)
            wait_for_all(sagemaker)
        seconds, peak = time.perf_counter() - began, max(samples)
        for arn in arns:
            check_order(sagemaker, arn, diamond)
    return Result(
        what=f"peak memory while {EXECUTIONS} executions of four steps go on at once"
        f" (all succeeded, in order, in {seconds:.0f} s)",
        unit="MB",
        ours=peak,
        goal=300,
    )


def trivial_pipeline(waits: dict[str, str | tuple[str, ...]]) -> Pipeline:
    """Four jobs that do nothing, each waiting for the steps given."""
    needed = {step: (names,) if isinstance(names, str) else names for step, names in waits.items()}
    steps = [Processing(name, request(), depends_on=needed.get(name, ())) for name in STEPS]
    return pipeline("Trivial", steps=steps)


def request() -> dict[str, Any]:
    """A processing job that needs nothing, and ends as soon as it has begun."""
    return {
        "RoleArn": SITE.role,
        "AppSpecification": {"ImageUri": SITE.image(SCIKIT_LEARN), "ContainerEntrypoint": ["true"]},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 1,
            }
        },
    }


def create(service: LocalSageMaker, trivial: Pipeline) -> Any:
    """A client of the service, which then has the pipeline."""
    session = boto3.Session("local", "local", region_name=service.region)
    sagemaker = session.client("sagemaker", endpoint_url=service.endpoint)
    sagemaker.create_pipeline(
        PipelineName=trivial.name, PipelineDefinition=json.dumps(trivial), RoleArn=SITE.role
    )
    return sagemaker


def natively(sagemaker: Any) -> float:
    """The seconds that one execution takes, as its starter sees it."""
    began = time.perf_counter()
    arn = start(sagemaker)
    while (status := status_of(sagemaker, arn)) == "Executing":
        time.sleep(POLL_SECONDS)
    if status != "Succeeded":
        raise BrokenPromiseError(f"{arn} is {status}")
    return time.perf_counter() - began


def by_boto3(sagemaker: Any, trivial: Pipeline, number: int) -> float:
    """The seconds that its jobs take by themselves."""
    began = time.perf_counter()
    run_steps(sagemaker, Execution(trivial, f"by-hand-{number}"), STEPS)
    return time.perf_counter() - began


def start(sagemaker: Any) -> str:
    answer = sagemaker.start_pipeline_execution(PipelineName="Trivial")
    return str(answer["PipelineExecutionArn"])


def status_of(sagemaker: Any, arn: str) -> str:
    answer = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    return str(answer["PipelineExecutionStatus"])


def start_all(sagemaker: Any) -> list[str]:
    """Start them as fast as the service answers."""
    with ThreadPoolExecutor(STARTERS) as starters:
        return list(starters.map(lambda _: start(sagemaker), range(EXECUTIONS)))


def wait_for_all(sagemaker: Any) -> None:
    """Until each has succeeded."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        statuses = list(all_statuses(sagemaker))
        if "Executing" not in statuses:
            break
        if time.monotonic() > deadline:
            raise BrokenPromiseError(f"{statuses.count('Executing')} executions do not end")
        time.sleep(LOOK_SECONDS)
    if statuses != ["Succeeded"] * EXECUTIONS:
        raise BrokenPromiseError(f"not all have succeeded: {sorted(set(statuses))}")


def all_statuses(sagemaker: Any) -> Iterator[str]:
    pages = sagemaker.get_paginator("list_pipeline_executions")
    for page in pages.paginate(PipelineName="Trivial", PaginationConfig={"PageSize": 100}):
        for item in page["PipelineExecutionSummaries"]:
            yield item["PipelineExecutionStatus"]


def check_order(sagemaker: Any, arn: str, trivial: Pipeline) -> None:
    """Every step has begun after the end of all that it waits for."""
    answer = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
    ran = {step["StepName"]: step for step in answer["PipelineExecutionSteps"]}
    for step, needed in dependencies(trivial).items():
        for other in needed:
            if ran[step]["StartTime"] - ran[other]["EndTime"] < timedelta():
                raise BrokenPromiseError(f"{arn}: {step} began before {other} had ended")
