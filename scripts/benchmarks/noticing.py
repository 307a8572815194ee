"""How long after a job's end its task ends: ours and the stock operators', in the same Airflow.

Eight jobs of each, all below two minutes, go on side by side on the same local SageMaker; they
only sleep, so none waits for another.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from scripts.benchmarks.airflow import Airflow, running_airflow
from scripts.benchmarks.results import BrokenPromiseError, Result
from scripts.benchmarks.service import running_service
from scripts.benchmarks.sleeping import SIDE_BY_SIDE
from scripts.benchmarks.stock import stock_packages

DAGS = Path(__file__).parent / "ends"
OURS, THEIRS = "ours", "theirs"
LONGEST_SECONDS = 300.0
GOAL, LONGEST_DELAY = 1.0, 5.0


def measure() -> Result:
    """The mean delay, beside the stock operators'."""
    ours, theirs = delays()
    return Result(
        what="mean time from a job's end to its task's end, of jobs below two minutes, beside the"
        " stock deferrable operators",
        unit="s",
        ours=ours,
        theirs=theirs,
        ratio=ours / theirs,
        goal=GOAL,
        at_most=LONGEST_DELAY,
        runs=len(SIDE_BY_SIDE),
    )


def delays() -> tuple[float, float]:
    """The mean delays of ours and theirs, in seconds."""
    with (
        TemporaryDirectory() as folder,
        running_service(Path(folder, "state"), "--max-jobs", f"{2 * len(SIDE_BY_SIDE)}") as service,
        running_airflow(
            Path(folder, "airflow"), service, dags=DAGS, packages=stock_packages()
        ) as airflow,
    ):
        session = boto3.Session("local", "local", region_name=service.region)
        sagemaker = session.client("sagemaker", endpoint_url=service.endpoint)
        for side in (OURS, THEIRS):
            airflow.unpause(f"{side}_ends")
        with ThreadPoolExecutor(2) as threads:
            found = threads.map(lambda side: list(of_run(airflow, sagemaker, side)), (OURS, THEIRS))
            ours, theirs = (mean(seconds) for seconds in found)
    return ours, theirs


def of_run(airflow: Airflow, sagemaker: Any, side: str) -> Iterator[float]:
    """The delay of each task of a run."""
    dag_id = f"{side}_ends"
    run = airflow.wait_for(dag_id, airflow.trigger(dag_id), seconds=LONGEST_SECONDS)
    path = f"/dags/{dag_id}/dagRuns/{run['dag_run_id']}/taskInstances"
    for task in airflow.call("GET", path)["task_instances"]:
        ended = datetime.fromisoformat(task["end_date"])
        yield (
            ended - job_end(sagemaker, f"{side}-ends-{task['task_id'].lower()}-")
        ).total_seconds()


def job_end(sagemaker: Any, prefix: str) -> datetime:
    """When the one job ended whose name begins so."""
    found = sagemaker.list_processing_jobs(NameContains=prefix)["ProcessingJobSummaries"]
    if len(found) != 1:
        raise BrokenPromiseError(f"{len(found)} jobs are called {prefix}...")
    ended: datetime = found[0]["ProcessingEndTime"]
    return ended
