"""A task that is cleared while nobody can tell its job begins anew all the same (`make chaos`)."""

import os
from pathlib import Path

import pytest

from include.nacre.dag.points import Point
from tests.chaos.cells import STEP, STEP_IN_WORKER, TASK, Cell, Victim
from tests.chaos.deployment import TRIGGERER, Deployment, kill
from tests.chaos.matrix import PATIENCE, Run, begin, is_alive, let_go, wait_until_parked, worker_of
from tests.support.airflow import wait_for
from tests.support.postgres import programs

pytestmark = [
    pytest.mark.skipif(programs() is None, reason="no PostgreSQL here"),
    pytest.mark.skipif(os.environ.get("CHAOS") != "all", reason="a part of make chaos"),
]


def statuses(at: Deployment, run: Run) -> list[str]:
    """The ends of all jobs of the run's DAG, the oldest first: only one run of each begins here."""
    client = at.sagemaker.client("sagemaker")
    found = client.list_processing_jobs(
        NameContains=run.cell.dag_id, CreationTimeAfter=run.began, SortOrder="Ascending"
    )
    return [job["ProcessingJobStatus"] for job in found["ProcessingJobSummaries"]]


def test_a_task_that_is_cleared_while_no_triggerer_runs_stops_its_job_and_starts_another(
    at: Deployment, orders: Path
) -> None:
    run = begin(at, orders, Cell(Victim.TRIGGERER, STEP, Point.DEFERRED))
    wait_until_parked(at, run)
    at.kill(TRIGGERER)
    let_go(run)
    at.api.clear(run.cell.dag_id, run.run_id, TASK)
    at.start(TRIGGERER)
    wait_for(lambda: len(statuses(at, run)) == 2, "another job", seconds=PATIENCE)
    run.until.touch()
    assert at.api.wait_run(run.cell.dag_id, run.run_id, seconds=PATIENCE) == "success"
    assert statuses(at, run) == ["Stopped", "Completed"]


def test_a_task_whose_worker_dies_while_it_is_cleared_goes_on_with_its_job(
    at: Deployment, orders: Path
) -> None:
    run = begin(at, orders, Cell(Victim.WORKER, STEP_IN_WORKER, Point.WAITING))
    wait_until_parked(at, run)
    task = run.process()
    worker = worker_of(task)
    worker.suspend()  # it does not hear of the clearing
    at.api.clear(run.cell.dag_id, run.run_id, TASK)
    kill(worker, task)
    wait_for(lambda: not is_alive(task), "the worker's end", seconds=PATIENCE)
    let_go(run)
    run.until.touch()
    assert at.api.wait_run(run.cell.dag_id, run.run_id, seconds=PATIENCE) == "success"
    assert statuses(at, run) == ["Completed"]
