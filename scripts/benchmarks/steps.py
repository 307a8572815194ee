"""What a step costs: the time that Airflow and the operators add to a chain of jobs.

Chains of four jobs that sleep for 1, 10 or 60 s, each referring to the one before it: as our
pipeline, and as the provider's own operators (deferrable, looking every 30 s as they do unless
told otherwise), in the same Airflow, on the same local SageMaker. A chain's cost a step is the
run's time from start to end, less its jobs' own times from creation to end, divided by four.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from scripts.benchmarks.airflow import Airflow, running_airflow
from scripts.benchmarks.results import BrokenPromiseError, Result
from scripts.benchmarks.service import running_service
from scripts.benchmarks.sleeping import SECONDS, STEPS
from scripts.benchmarks.stock import stock_packages

DAGS = Path(__file__).parent / "chains"
PAIRS = {1: 4, 10: 2, 60: 1}
"""Pairs of runs that count, by the length of the jobs: the short ones vary most."""
SLACK_SECONDS = 240.0
GOAL, LIMIT_SECONDS = 0.33, 3.0
OURS, THEIRS = "ours", "theirs"


def measure_1s() -> Result:
    """What ends while its task looks at it: nothing of it is deferred."""
    return measure(1)


def measure_10s() -> Result:
    """What is deferred, and ends between two looks of the stock operators."""
    return measure(10)


def measure_60s() -> Result:
    """As 10 s; the stock operators look twice in vain."""
    return measure(60)


def measure(length: int) -> Result:
    """Pairs of runs: of short jobs in turn, of longer ones, which mostly sleep, side by side."""
    packages = stock_packages()
    with (
        TemporaryDirectory() as folder,
        running_service(Path(folder, "state")) as service,
        running_airflow(Path(folder, "airflow"), service, dags=DAGS, packages=packages) as airflow,
    ):
        session = boto3.Session("local", "local", region_name=service.region)
        sagemaker = session.client("sagemaker", endpoint_url=service.endpoint)
        bench = Bench(airflow, sagemaker, length)
        bench.unpause()
        bench.pair(0, warm_up=True)
        pairs = [bench.pair(number) for number in range(1, PAIRS[length] + 1)]
    ours, theirs = (median(costs) for costs in zip(*pairs, strict=True))
    return Result(
        what=f"what Airflow and the operators add to a job of {length} s,"
        " beside the stock deferrable operators",
        unit="s",
        ours=ours,
        theirs=theirs,
        ratio=median(our / their for our, their in pairs),
        goal=GOAL,
        at_most=LIMIT_SECONDS,
        runs=PAIRS[length],
    )


@dataclass(frozen=True)
class Bench:
    """An Airflow and a SageMaker, and which of the chains to run there."""

    airflow: Airflow
    sagemaker: Any
    length: int

    def unpause(self) -> None:
        for length in {1, self.length}:
            for side in (OURS, THEIRS):
                self.airflow.unpause(f"{side}_{length}s")

    def pair(self, number: int, *, warm_up: bool = False) -> tuple[float, float]:
        """The seconds that a step of each side costs."""
        length = 1 if warm_up else self.length
        if length == 1:
            return self.cost(OURS, length, number), self.cost(THEIRS, length, number)
        with ThreadPoolExecutor(2) as threads:
            costs = [threads.submit(self.cost, side, length, number) for side in (OURS, THEIRS)]
        return costs[0].result(), costs[1].result()

    def cost(self, side: str, length: int, number: int) -> float:
        dag_id, jobs = f"{side}_{length}s", sum(SECONDS[length])
        run_id = self.airflow.trigger(dag_id, {"number": number})
        run = self.airflow.wait_for(dag_id, run_id, seconds=jobs + SLACK_SECONDS)
        began, ended = (datetime.fromisoformat(run[key]) for key in ("start_date", "end_date"))
        own = list(self.durations(f"{side}-{length}s-", began))
        if len(own) != len(STEPS) or sum(own) < jobs:
            raise BrokenPromiseError(f"{dag_id} took {len(own)} jobs of {own} s")
        return ((ended - began).total_seconds() - sum(own)) / len(own)

    def durations(self, prefix: str, since: datetime) -> Iterator[float]:
        """The seconds from creation to end of each job of a run."""
        answer = self.sagemaker.list_processing_jobs(
            NameContains=prefix, CreationTimeAfter=since, MaxResults=100
        )
        for summary in answer["ProcessingJobSummaries"]:
            yield (summary["ProcessingEndTime"] - summary["CreationTime"]).total_seconds()
