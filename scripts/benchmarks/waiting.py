"""A thousand deferred tasks in a real triggerer: the calls that it makes, and the memory it takes.

The jobs are the local SageMaker's, starting slowly, so they cost nothing. Ours are a thousand. Of
the stock operators' triggers each has a client of its own, so a tenth as many are measured, and
what they call is multiplied: each looks by itself, every 30 s.
"""

import json
import os
import resource
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import httpx
import psutil

from scripts.airflow_env import ROOT, airflow_environment
from scripts.benchmarks.deferred import OURS, THEIRS, job_name
from scripts.benchmarks.results import BrokenPromiseError, Result
from scripts.benchmarks.service import running_service
from scripts.benchmarks.sleeping import request
from scripts.benchmarks.stock import stock_packages
from scripts.processes import Child, start, tail
from scripts.stack import SETTINGS_FILE, LocalSageMaker
from scripts.standalone import load_settings

COUNTS: Mapping[str, int] = {OURS: 1000, THEIRS: 100}
WINDOWS: Mapping[str, float] = {OURS: 310.0, THEIRS: 120.0}
"""Seconds in which calls are counted. Ours have one look of the safety net in it, which comes every
300 s; theirs four looks.
"""
FIRST_CALLS: Mapping[str, int] = {OURS: 10, THEIRS: COUNTS[THEIRS]}
"""As many calls show that the triggerer waits for all: pages of a hundred, or a look at each."""
SETTLE_SECONDS = 30.0
READY_SECONDS = 300.0
OPEN_FILES = 4096  # a triggerer keeps a log file open for each task
STOP_SECONDS = 60.0
STARTERS = 8
CALLS_GOAL, MEMORY_GOAL = 1 / 25, 300


def measure_calls() -> Result:
    """Calls a minute to SageMaker."""
    ours, theirs = found(OURS), found(THEIRS)
    return Result(
        what="calls a minute for 1,000 deferred tasks, beside the stock deferrable operators"
        f" ({COUNTS[THEIRS]} of them, times ten); no worker is held",
        unit="/min",
        ours=ours.calls_a_minute,
        theirs=theirs.calls_a_minute,
        ratio=ours.calls_a_minute / theirs.calls_a_minute,
        goal=CALLS_GOAL,
    )


def measure_memory() -> Result:
    """What the triggerer's processes hold, with a thousand tasks of ours."""
    return Result(
        what=f"memory of a triggerer with 1,000 deferred tasks (the stock operators' takes"
        f" {found(THEIRS).megabytes:.0f} MB with {COUNTS[THEIRS]})",
        unit="MB",
        ours=found(OURS).megabytes,
        goal=MEMORY_GOAL,
    )


@dataclass(frozen=True)
class Found:
    """`calls_a_minute` is for a thousand tasks, `megabytes` for as many as there were."""

    calls_a_minute: float
    megabytes: float


@cache
def found(side: str) -> Found:
    """Let a triggerer of its own wait, and count."""
    with TemporaryDirectory() as folder, running_service(Path(folder, "state")) as service:
        create_jobs(service, COUNTS[side])
        home = Path(folder, "airflow")
        environment = deferred(side, home, service)
        before = total(calls(service))
        with triggerer(home, environment) as child:
            wait_until_watched(side, service, before, child, home)
            began, counted = time.monotonic(), calls(service)
            time.sleep(WINDOWS[side])
            made = total(calls(service)) - total(counted)
            minutes = (time.monotonic() - began) / 60
            megabytes = memory_mb(child)
        check_deferred(home, COUNTS[side])
    scale = COUNTS[OURS] / COUNTS[side]
    return Found(scale * made / minutes, megabytes)


def create_jobs(service: LocalSageMaker, count: int) -> None:
    """Jobs that stay InProgress without a process."""
    rule = {"job": "*", "do": "slow_start", "seconds": 86_400}
    httpx.put(f"{service.endpoint}/faults", json={"rules": [rule]}).raise_for_status()
    session = boto3.Session("local", "local", region_name=service.region)
    sagemaker = session.client("sagemaker", endpoint_url=service.endpoint)

    def create(number: int) -> None:
        sagemaker.create_processing_job(
            ProcessingJobName=job_name(number), **request(1, upstream="none")
        )

    with ThreadPoolExecutor(STARTERS) as starters:
        list(starters.map(create, range(count)))


def deferred(side: str, home: Path, service: LocalSageMaker) -> dict[str, str]:
    """The environment of an Airflow whose database says that the tasks are deferred."""
    environment = airflow_environment(home, local=True)
    del environment["AIRFLOW__NACRE__CALLS_PER_SECOND"]  # what an account is spared by default
    environment["AIRFLOW__CORE__DAGS_FOLDER"] = str(Path(__file__).parent / "waits")
    environment["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps(service.connection())
    if side == THEIRS:
        path = [str(stock_packages()), environment["PYTHONPATH"]]
        environment["PYTHONPATH"] = os.pathsep.join(path)
    load_settings(SETTINGS_FILE, environment)
    run(environment, "airflow", "dags", "reserialize")
    run(environment, "scripts.benchmarks.deferred", side, str(COUNTS[side]))
    return environment


def run(environment: Mapping[str, str], *command: str) -> None:
    argv = [sys.executable, "-m", *command]
    done = subprocess.run(argv, env=environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise BrokenPromiseError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")


@contextmanager
def triggerer(home: Path, environment: Mapping[str, str]) -> Iterator[Child]:
    """Airflow's triggerer, for the time of the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(OPEN_FILES, hard)), hard))
    argv = [sys.executable, "-m", "airflow", "triggerer", "--skip-serve-logs"]
    child = start("triggerer", argv, env=environment, log=home / "triggerer.log", cwd=ROOT)
    child.grace_seconds = STOP_SECONDS
    try:
        yield child
    finally:
        child.stop()


def wait_until_watched(
    side: str, service: LocalSageMaker, before: int, child: Child, home: Path
) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while total(calls(service)) - before < FIRST_CALLS[side]:
        if not child.alive or time.monotonic() > deadline:
            raise BrokenPromiseError(f"nobody waits:\n{tail(home / 'triggerer.log')}")
        time.sleep(0.5)
    time.sleep(SETTLE_SECONDS)


def calls(service: LocalSageMaker) -> Counter[str]:
    """How often each operation was called so far."""
    answer: dict[str, Any] = httpx.get(f"{service.endpoint}/calls").raise_for_status().json()
    return Counter({name: sum(ends.values()) for name, ends in answer["sagemaker"].items()})


def total(counted: Counter[str]) -> int:
    return sum(counted.values())


def memory_mb(child: Child) -> float:
    """What the triggerer's processes hold, in MB; shared pages count once (PSS)."""
    process = psutil.Process(child.process.pid)
    family = [process, *process.children(recursive=True)]
    return sum(member.memory_full_info().pss for member in family) / 1e6


def check_deferred(home: Path, count: int) -> None:
    """All tasks wait still: none has failed, none was given to a worker."""
    with sqlite3.connect(home / "airflow.db") as database:
        query = "select state, count(*) from task_instance where state is not null group by state"
        states = dict(database.execute(query).fetchall())
    if states != {"deferred": count}:
        raise BrokenPromiseError(f"the tasks are {states}, of {count} deferred ones")
