"""Runs that are parked at points of their steps' lives, kills, and what came of it."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil

from include.nacre.dag.identity import Generation, TaskKey, job_name, readable_name
from include.nacre.dag.points import Point
from tests.chaos.cells import (
    NATIVE,
    NATIVE_IN_WORKER,
    RETRIES,
    STEP,
    TASK,
    Cell,
    Victim,
)
from tests.chaos.deployment import (
    API_SERVER,
    SAGEMAKER,
    SCHEDULER,
    TRIGGERER,
    Deployment,
    kill,
)
from tests.support.airflow import wait_for

# On a machine that is three times slower than ours, with every core taken.
PATIENCE = 300.0
AFTER_THE_END = (Point.SEEN, Point.ENDED, Point.PUSHED)
"""Points that a run comes to when its job has ended."""
PARTS = {
    Victim.TRIGGERER: TRIGGERER,
    Victim.SCHEDULER: SCHEDULER,
    Victim.SCHEDULER_ALONE: SCHEDULER,
    Victim.API_SERVER: API_SERVER,
    Victim.API_SERVER_AWAY: API_SERVER,
    Victim.SAGEMAKER: SAGEMAKER,
}

ALONE = (Victim.SCHEDULER_ALONE, Victim.SAGEMAKER)
"""Killed without what they have started: the end of SageMaker's API ends no job."""


@dataclass(frozen=True)
class Run:
    """A run of one cell, from the trigger on."""

    cell: Cell
    run_id: str
    order: Path
    until: Path
    """Its job ends when this file is there."""
    began: datetime

    @property
    def task_id(self) -> str:
        return self.cell.dag_id if self.is_native else TASK

    @property
    def is_native(self) -> bool:
        return self.cell.way in (NATIVE, NATIVE_IN_WORKER)

    def parked(self) -> Path | None:
        """The order as the process has renamed it that stands at the point."""
        return next(self.order.parent.glob(f"{self.order.name}.*"), None)

    def process(self) -> psutil.Process:
        """Whoever stands at the point."""
        parked = self.parked()
        assert parked is not None
        return psutil.Process(int(parked.suffix[1:]))


@dataclass(frozen=True)
class Outcome:
    """What came of one cell; no problems: as if nothing had been killed."""

    cell: Cell
    problems: tuple[str, ...]
    tries: int
    seconds: float
    """From the kill to the end of the run."""


def play(at: Deployment, orders: Path, cells: Sequence[Cell]) -> list[Outcome]:
    """Park a run for each cell, kill all victims, let the runs go on to their ends, and look."""
    runs: list[Run] = []
    try:
        for cell in cells:
            runs.append(begin(at, orders, cell))  # noqa: PERF401  (the first must not be forgotten)
        return _played(at, runs)
    finally:
        for run in runs:  # also if something was not as expected: the next ones shall not suffer
            run.order.unlink(missing_ok=True)
            let_go(run)
            run.until.touch()


def _played(at: Deployment, runs: Sequence[Run]) -> list[Outcome]:
    for run in runs:
        if run.cell.point in AFTER_THE_END:
            _end_job(at, run)
        wait_until_parked(at, run)
    standing = {run.cell: run.process() for run in runs}
    for run in runs:
        if run.cell.victim is Victim.API_SERVER_AWAY:
            let_go(run)
            _wait(partial(_is_in_its_wait, at, run), "the task to wait", run, at)
    began = time.monotonic()
    for victim in dict.fromkeys(run.cell.victim for run in runs):
        _kill(at, victim, [standing[run.cell] for run in runs if run.cell.victim is victim])
    for run in runs:
        let_go(run)
    _bring_back(at, runs, standing)
    for run in runs:
        run.until.touch()
    return [_end(at, run, began) for run in runs]


def _is_in_its_wait(at: Deployment, run: Run) -> bool:
    return "InProgress" in (log := _log(at, run, 1)) or "Executing" in log


def let_go(run: Run) -> None:
    """Let whoever stands at the point go on; who has died there needs it no more."""
    if parked := run.parked():
        parked.unlink()


def _end_job(at: Deployment, run: Run) -> None:
    """Let the job end, if its task defers not before it has: what ends at once never defers."""
    if run.cell.way in (STEP, NATIVE):
        at.api.wait_task(run.cell.dag_id, run.run_id, run.task_id, "deferred", seconds=PATIENCE)
    run.until.touch()


def wait_until_parked(at: Deployment, run: Run) -> None:
    over = ("success", "failed")
    _wait(
        lambda: bool(run.parked()) or at.api.run_state(run.cell.dag_id, run.run_id) in over,
        f"{run.cell} to be reached",
        run,
        at,
    )
    assert run.parked(), "\n".join([f"{run.cell} was not reached:", *_logs(at, run)])


def begin(at: Deployment, orders: Path, cell: Cell) -> Run:
    order = orders / f"{cell.point}@{cell.dag_id}"
    until = at.gates / f"{cell.dag_id}-{time.monotonic_ns()}"
    order.touch()
    began = datetime.now(UTC)
    return Run(cell, at.api.trigger(cell.dag_id, {"Until": str(until)}), order, until, began)


def _kill(at: Deployment, victim: Victim, standing: Iterable[psutil.Process]) -> None:
    """`standing`: who stands at the points of the victim's cells."""
    match victim:
        case Victim.TASK:
            kill(*standing)
        case Victim.WORKER:
            kill(*(part for task in standing for part in (worker_of(task), task)))
        case Victim.WORKER_ALONE:
            at.left_behind += standing
            kill(*(worker_of(task) for task in standing))
        case _ if victim in PARTS:
            at.kill(PARTS[victim], alone=victim in ALONE)


def worker_of(task: psutil.Process) -> psutil.Process:
    """LocalExecutor's process that watches over a task's."""
    worker = task.parent()
    assert worker is not None
    assert "airflow worker" in " ".join(worker.cmdline())
    return worker


def _bring_back(
    at: Deployment, runs: Sequence[Run], standing: Mapping[Cell, psutil.Process]
) -> None:
    """Start what was killed, as a process manager does; freeze what is to be frozen."""
    of: defaultdict[Victim, list[Run]] = defaultdict(list)
    for run in runs:
        of[run.cell.victim].append(run)
    if away := of[Victim.API_SERVER_AWAY]:
        _wait_for_end([standing[run.cell] for run in away], "the workers to give up")
    for part in (part for victim, part in PARTS.items() if of[victim]):
        at.start(part)
    at.wait_for_api()
    if frozen := of[Victim.WORKER_FROZEN]:
        _freeze_workers(at, frozen, [standing[run.cell] for run in frozen])
    if frozen := of[Victim.TRIGGERER_FROZEN]:
        _freeze_triggerer(at, frozen)
    _wait_for_end(
        [standing[run.cell] for run in runs if run.cell.is_taken_over],
        "the tasks to be told that others have taken over",
    )


def _wait_for_end(processes: Iterable[psutil.Process], what: str) -> None:
    standing = list(processes)
    wait_for(lambda: not any(map(is_alive, standing)), what, seconds=PATIENCE)


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _freeze_workers(at: Deployment, runs: list[Run], tasks: list[psutil.Process]) -> None:
    """Stop the tasks' processes and those that watch over them, until others have taken over."""
    with _frozen([part for task in tasks for part in (worker_of(task), task)]):
        for run in runs:
            _wait(partial(_is_tried_again, at, run), "another worker to take over", run, at)


def _is_tried_again(at: Deployment, run: Run) -> bool:
    task = at.api.task(run.cell.dag_id, run.run_id, run.task_id)
    return bool(task["try_number"] > 1 and task["state"] == "running")


def _freeze_triggerer(at: Deployment, runs: list[Run]) -> None:
    """Stop the triggerer until another one has taken over; end it some time after it goes on."""
    before = {run.run_id: _triggerer_of(at, run) for run in runs}
    first = at.second(TRIGGERER)
    process = psutil.Process(first.process.pid)
    with _frozen([process, *process.children(recursive=True)]):
        for run in runs:
            _wait(
                lambda run=run: _triggerer_of(at, run) not in (None, before[run.run_id]),
                "another triggerer to take over",
                run,
                at,
            )
    for run in runs:
        _wait(partial(_is_let_go, at, run), "the triggerer that went on to notice", run, at)
    first.stop()


def _is_let_go(at: Deployment, run: Run) -> bool:
    """Say whether a triggerer's log tells of the end of a wait that another one has taken over."""
    logs = (at.home / "logs").glob(f"dag_id=*/run_id={run.run_id}/**/*.trigger.*")
    return any("Another triggerer waits" in log.read_text(errors="replace") for log in logs)


@contextmanager
def _frozen(processes: Iterable[psutil.Process]) -> Iterator[None]:
    stopped = list(processes)
    for process in stopped:
        process.suspend()
    yield
    for process in stopped:
        process.resume()


def _triggerer_of(at: Deployment, run: Run) -> int | None:
    task = at.api.task(run.cell.dag_id, run.run_id, run.task_id)
    triggerer: int | None = (task["trigger"] or {}).get("triggerer_id")
    return triggerer


def _wait(condition: Any, what: str, run: Run, at: Deployment) -> None:
    facts = partial(at.api.states, run.cell.dag_id, run.run_id)
    wait_for(condition, f"{what}, tasks {{}}", seconds=PATIENCE, facts=facts)


def _end(at: Deployment, run: Run, began: float) -> Outcome:
    dag_id, run_id = run.cell.dag_id, run.run_id
    state = at.api.wait_run(dag_id, run_id, seconds=PATIENCE)
    seconds = time.monotonic() - began
    tries = _tries(at, run)
    problems = [] if state == "success" else [f"the run is {state}"]
    problems += _wrong_of_native(at, run) if run.is_native else _wrong_of_step(at, run)
    if problems:
        problems += _logs(at, run)
    return Outcome(run.cell, tuple(problems), tries, seconds)


def _tries(at: Deployment, run: Run) -> int:
    return int(at.api.task(run.cell.dag_id, run.run_id, run.task_id)["try_number"])


def _logs(at: Deployment, run: Run) -> list[str]:
    """The log of each try; Airflow leaves one out of its books that it has reset by itself."""
    return [f"try {number}:\n{_log(at, run, number)}" for number in range(1, _tries(at, run) + 1)]


def _log(at: Deployment, run: Run, number: int) -> str:
    try:
        return at.api.log(run.cell.dag_id, run.run_id, run.task_id, number)
    except httpx.HTTPStatusError as error:
        return str(error)


def _wrong_of_step(at: Deployment, run: Run) -> list[str]:
    client = at.sagemaker.client("sagemaker")
    key = TaskKey(at.environment["AIRFLOW__NACRE__INSTALLATION"], run.cell.dag_id, run.run_id, TASK)
    readable = readable_name(run.cell.dag_id, TASK)
    names = [job_name(key, Generation(RETRIES, number), readable) for number in (1, 2, 3)]
    found = client.get_paginator("list_processing_jobs").paginate(NameContains=run.cell.dag_id)
    mine = {
        job["ProcessingJobName"]: job["ProcessingJobStatus"]
        for page in found
        for job in page["ProcessingJobSummaries"]
        if job["ProcessingJobName"] in names
    }
    expected = {names[0]: "Completed"}
    left = _result(at, run)
    return [
        *_differs("its jobs are", expected, mine),
        *_differs(
            "its result is of", (names[0], "Completed"), (left.get("name"), left.get("status"))
        ),
    ]


def _wrong_of_native(at: Deployment, run: Run) -> list[str]:
    client = at.sagemaker.client("sagemaker")
    found = client.list_pipeline_executions(PipelineName=run.cell.dag_id, MaxResults=100)
    mine: dict[str, str] = {
        item["PipelineExecutionArn"]: item["PipelineExecutionStatus"]
        for item in found["PipelineExecutionSummaries"]
        if run.run_id in item.get("PipelineExecutionDescription", "")
    }
    left = _result(at, run)
    return [
        *_differs("its executions are", ["Succeeded"], list(mine.values())),
        *_differs("its result is of", list(mine), [left.get("arn")]),
        *_differs("its result is", "Succeeded", left.get("status")),
        *(line for arn in mine for line in _wrong_of_execution(client, arn)),
    ]


def _wrong_of_execution(client: Any, arn: str) -> list[str]:
    jobs = client.list_processing_jobs(NameContains=arn.rpartition("/")[2])
    ends = [job["ProcessingJobStatus"] for job in jobs["ProcessingJobSummaries"]]
    return _differs(f"the jobs of {arn} are", ["Completed"], ends)


def _result(at: Deployment, run: Run) -> dict[str, Any]:
    """What the task has left in XCom; nothing if there is none."""
    try:
        left: dict[str, Any] = at.api.xcom(run.cell.dag_id, run.run_id, run.task_id)
    except httpx.HTTPStatusError:
        return {}
    return left


def _differs(what: str, expected: Any, actual: Any) -> list[str]:
    return [] if expected == actual else [f"{what} {actual}, not {expected}"]


def running(at: Deployment) -> list[str]:
    """The names of all jobs and executions that run."""
    client = at.sagemaker.client("sagemaker")
    jobs = client.list_processing_jobs(StatusEquals="InProgress")["ProcessingJobSummaries"]
    pipelines = client.list_pipelines(MaxResults=100)["PipelineSummaries"]
    executions = [
        item
        for pipeline in pipelines
        for item in client.list_pipeline_executions(PipelineName=pipeline["PipelineName"])[
            "PipelineExecutionSummaries"
        ]
    ]
    return [
        *(job["ProcessingJobName"] for job in jobs),
        *(
            item["PipelineExecutionArn"]
            for item in executions
            if item["PipelineExecutionStatus"] == "Executing"
        ),
    ]
