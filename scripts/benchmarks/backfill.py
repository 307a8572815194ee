"""Ten past dates of the abalone training at once, four at a time, in a real Airflow.

Ours: from the request to the end of the last run. Theirs: what the same jobs take by themselves,
from each one's start to its end, shared by the four that may run at once. Every run is a chain of
jobs, so ten runs on four places need three rounds: a ratio of 1.2 is the least there is.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import httpx

from include.pipelines.abalone import source
from include.pipelines.abalone.layout import PREFIX, batch_key, raw_key
from include.pipelines.site import find_site
from scripts.airflow_env import airflow_environment
from scripts.benchmarks.results import Result
from scripts.benchmarks.service import running_service
from scripts.ports import free_port
from scripts.stack import SETTINGS_FILE, LocalSageMaker
from scripts.standalone import load_settings, server_environment, standalone

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


class BackfillError(Exception):
    """The backfill did not do what it is measured for, so its time says nothing."""


def measure() -> Result:
    """One backfill, in an Airflow and a local SageMaker of its own."""
    with TemporaryDirectory() as folder, running_service(Path(folder, "state")) as service:
        session = boto3.Session("local", "local", region_name=service.region)
        land(session.client("s3", endpoint_url=service.s3_endpoint))
        ours = backfill(Path(folder, "airflow"), service)
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


def backfill(home: Path, service: LocalSageMaker) -> float:
    """The seconds from the request to the end of the last run."""
    port = free_port()
    environment = airflow_environment(home, local=True) | server_environment(port)
    environment["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps(connection(service))
    load_settings(SETTINGS_FILE, environment)
    with (
        standalone(environment, port, home / "standalone.log"),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        token = client.get("/auth/token").json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        wait_until_parsed(client)
        call(client, "PATCH", f"/dags/{DAG}", {"is_paused": False})
        began = time.monotonic()
        body = {
            "dag_id": DAG,
            "from_date": f"{FIRST}T00:00:00Z",
            "to_date": f"{LAST}T23:00:00Z",
            "max_active_runs": AT_ONCE,
            # A week's rows make a weak model; it shall be registered all the same.
            "dag_run_conf": {"MseThreshold": 50},
        }
        call(client, "POST", "/backfills", body)
        while (states := run_states(client)) != ["success"] * RUNS:
            if "failed" in states or time.monotonic() - began > LONGEST_SECONDS:
                raise BackfillError(f"the runs are {states}")
            time.sleep(1.0)  # each answer costs Airflow some of the two cores
        return time.monotonic() - began


def connection(service: LocalSageMaker) -> dict[str, Any]:
    """`aws_default`, at the ports of this service."""
    return {
        "conn_type": "aws",
        "login": "local",
        "password": "local",
        "extra": {
            "region_name": service.region,
            "endpoint_url": service.endpoint,
            "config_kwargs": {"response_checksum_validation": "when_required"},
            "service_config": {"s3": {"endpoint_url": service.s3_endpoint}},
        },
    }


def wait_until_parsed(client: httpx.Client) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while client.get(f"/api/v2/dags/{DAG}").status_code != httpx.codes.OK:
        if time.monotonic() > deadline:
            raise BackfillError(f"{DAG} is not parsed")
        time.sleep(0.2)


def call(
    client: httpx.Client, method: str, path: str, body: Mapping[str, Any] | None = None
) -> Any:
    answer = client.request(method, f"/api/v2{path}", json=body)
    if not answer.is_success:
        raise BackfillError(f"{method} {path}: {answer.status_code} {answer.text}")
    return answer.json()


def run_states(client: httpx.Client) -> list[str]:
    runs = call(client, "GET", f"/dags/{DAG}/dagRuns?run_type=backfill")["dag_runs"]
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
                raise BackfillError(f"{name} is {job[f'{word}JobStatus']}")
            yield (job[f"{word}EndTime"] - job[f"{word}StartTime"]).total_seconds()
