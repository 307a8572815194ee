"""Ten past dates of the abalone training at once, four at a time, in a real Airflow.

Ours: from the request to the end of the last run. Theirs: what the same jobs take by themselves,
from each one's start to its end, shared by the four that may run at once. Every run is a chain of
jobs, so ten runs on four places need three rounds: a ratio of 1.2 is the least there is.
"""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from include.pipelines.abalone import source
from include.pipelines.abalone.layout import PREFIX, batch_key, raw_key
from include.pipelines.site import find_site
from scripts.benchmarks.airflow import Airflow, running_airflow
from scripts.benchmarks.results import BrokenPromiseError, Result
from scripts.benchmarks.service import running_service

DAG = "abalone_training"
RUNS, AT_ONCE = 10, 4
# The dates of the DAG's own schedule are Mondays. The last one that is due is among them: if it
# were not, Airflow would run it as well.
DUE = datetime.now(UTC) - timedelta(hours=7)
LAST = DUE.date() - timedelta(days=DUE.weekday())
FIRST = LAST - timedelta(weeks=RUNS - 1)
HISTORY = timedelta(days=6)  # before the first date, so that every run has a week of rows
KINDS = ("processing", "training", "transform")
LONGEST_SECONDS = 600.0
GOAL = 1.5


def measure() -> Result:
    """One backfill, in an Airflow and a local SageMaker of its own."""
    with TemporaryDirectory() as folder, running_service(Path(folder, "state")) as service:
        session = boto3.Session("local", "local", region_name=service.region)
        land(session.client("s3", endpoint_url=service.s3_endpoint))
        with running_airflow(Path(folder, "airflow"), service) as airflow:
            ours = backfill(airflow)
        jobs = list(durations(session.client("sagemaker", endpoint_url=service.endpoint)))
    theirs = sum(jobs) / AT_ONCE
    return Result(
        what=f"a backfill of {RUNS} dates, {AT_ONCE} at a time, beside its {len(jobs)} jobs' own"
        f" times ({sum(jobs):.0f} s) divided by {AT_ONCE}",
        unit="s",
        ours=ours,
        theirs=theirs,
        ratio=ours / theirs,
        goal=GOAL,
    )


def land(s3: Any) -> None:
    """The partitions that the runs read."""
    bucket = find_site(os.environ, PREFIX).bucket
    day = FIRST - HISTORY
    while day <= LAST:
        s3.put_object(Bucket=bucket, Key=raw_key(f"{day}"), Body=source.raw_of(day))
        s3.put_object(Bucket=bucket, Key=batch_key(f"{day}"), Body=source.batch_of(day))
        day += timedelta(days=1)


def backfill(airflow: Airflow) -> float:
    """The seconds from the request to the end of the last run."""
    airflow.unpause(DAG)
    began = time.monotonic()
    body = {
        "dag_id": DAG,
        "from_date": f"{FIRST}T00:00:00Z",
        "to_date": f"{LAST}T23:00:00Z",
        "max_active_runs": AT_ONCE,
        # A week's rows make a weak model; it shall be registered all the same.
        "dag_run_conf": {"MseThreshold": 50},
    }
    airflow.call("POST", "/backfills", body)
    while (states := run_states(airflow)) != ["success"] * RUNS:
        if "failed" in states or time.monotonic() - began > LONGEST_SECONDS:
            raise BrokenPromiseError(f"the runs are {states}")
        time.sleep(1.0)  # each answer costs Airflow some of the two cores
    return time.monotonic() - began


def run_states(airflow: Airflow) -> list[str]:
    runs = airflow.call("GET", f"/dags/{DAG}/dagRuns?run_type=backfill")["dag_runs"]
    return [run["state"] for run in runs]


def durations(sagemaker: Any) -> Iterator[float]:
    """The seconds from start to end of every job that there is."""
    for kind in KINDS:
        word = kind.capitalize()
        pages = sagemaker.get_paginator(f"list_{kind}_jobs").paginate()
        for summary in (item for page in pages for item in page[f"{word}JobSummaries"]):
            name = {f"{word}JobName": summary[f"{word}JobName"]}
            job = getattr(sagemaker, f"describe_{kind}_job")(**name)
            if job[f"{word}JobStatus"] != "Completed":
                raise BrokenPromiseError(f"{name} is {job[f'{word}JobStatus']}")
            yield (job[f"{word}EndTime"] - job[f"{word}StartTime"]).total_seconds()
