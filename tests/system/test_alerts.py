"""People are told of failed and of late runs, by a real Airflow's own processes."""

from collections.abc import Iterator
from typing import Any

import pytest

from include.nacre.dag.alerts import CONNECTION
from tests.dag.receivers import slack
from tests.support.airflow import Airflow, wait_for
from tests.support.local_sagemaker import LocalSageMaker

Bodies = list[Any]


@pytest.fixture
def told(airflow: Airflow) -> Iterator[Bodies]:
    """What is sent while there is a connection for it."""
    with slack() as (bodies, connection):
        known = {"connection_id": CONNECTION, **connection}
        airflow.call("POST", "/connections", json=known)
        yield bodies
        airflow.call("DELETE", f"/connections/{CONNECTION}")


def lines(airflow: Airflow, bodies: Bodies, dag_id: str, run_id: str) -> list[str]:
    """Wait for the message about a run; its lines, the last one without the UI's address."""

    def about_it() -> list[str]:
        return [
            body["text"] for _, body in bodies if f"DAG {dag_id}, run {run_id} " in body["text"]
        ]

    wait_for(lambda: bool(about_it()), f"a message about {dag_id}", seconds=180)
    (text,) = about_it()
    return [line.removeprefix(airflow.url) for line in text.split("\n")]


def test_a_failed_run_is_told_with_its_reason(airflow: Airflow, told: Bodies) -> None:
    run_id = airflow.trigger("fails")
    heading, what, *reasons, page = lines(airflow, told, "fails", run_id)
    assert (heading, what) == ("*fails has failed*", f"DAG fails, run {run_id} has failed.")
    assert sorted(reasons) == [
        "TooWeak: the error 7.1 is over the threshold 6.0",
        "land: ValueError: row 3 has no sex",
    ]
    assert page == f"/dags/fails/runs/{run_id.replace(':', '%3A').replace('+', '%2B')}"


def test_a_late_run_is_told_while_it_goes_on(
    airflow: Airflow, sagemaker: LocalSageMaker, told: Bodies
) -> None:
    run_id = airflow.trigger("late")
    heading, what, going_on, page = lines(airflow, told, "late", run_id)
    assert (heading, going_on) == ("*late is late*", "Not done yet: Slow.")
    assert what.startswith(f"DAG late, run {run_id} has not ended by its deadline, ")
    assert page.startswith("/dags/late/runs/manual__")
    # What docs/operations.md has people do about it.
    airflow.wait_task("late", run_id, "Slow", "deferred")
    airflow.call("PATCH", f"/dags/late/dagRuns/{run_id}", json={"state": "failed"})
    client = sagemaker.client("sagemaker")

    def is_stopped() -> bool:
        (job,) = client.list_processing_jobs(NameContains="slow-slow")["ProcessingJobSummaries"]
        return bool(job["ProcessingJobStatus"] == "Stopped")

    wait_for(is_stopped, "the job to be stopped", seconds=180)
