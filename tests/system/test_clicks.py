"""A person's click starts or stops one job, in a real Airflow. (What is killed: tests/chaos.)"""

from typing import Any

import pytest

from tests.support.airflow import Airflow, wait_for
from tests.support.local_sagemaker import LocalSageMaker

TASK = "Sleep"
WAYS = {"sleep_in_triggerer": "deferred", "sleep_in_worker": "running"}


def jobs(
    sagemaker: LocalSageMaker, dag_id: str, airflow: Airflow, run_id: str, *earlier: str
) -> list[Any]:
    """All processing jobs of the run: those that write below its own prefix, or an earlier one:
    a first step that is cleared begins the run anew.
    """
    client = sagemaker.client("sagemaker")
    names = [
        job["ProcessingJobName"]
        for page in client.get_paginator("list_processing_jobs").paginate(NameContains="sleep")
        for job in page["ProcessingJobSummaries"]
    ]
    found = [client.describe_processing_job(ProcessingJobName=name) for name in names]
    prefixes = {prefix_of(airflow, dag_id, run_id), *earlier}
    return [
        job
        for job in found
        if job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] in prefixes
    ]


def prefix_of(airflow: Airflow, dag_id: str, run_id: str) -> str:
    """The run's own output address, as Rendered Templates shows it."""
    task = airflow.task(dag_id, run_id, TASK)
    request = task["rendered_fields"]["request"]
    return str(request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"])


def is_waited_for(airflow: Airflow, dag_id: str, run_id: str) -> bool:
    """Whether a worker has rendered the task's request and, if it defers, a triggerer has it."""
    task = airflow.task(dag_id, run_id, TASK)
    taken = WAYS[dag_id] == "running" or (task["trigger"] or {}).get("triggerer_id") is not None
    return taken and "request" in task["rendered_fields"]


def statuses(found: list[Any]) -> list[str]:
    return [
        job["ProcessingJobStatus"] for job in sorted(found, key=lambda job: job["CreationTime"])
    ]


def waiting(
    airflow: Airflow, sagemaker: LocalSageMaker, dag_id: str, seconds: int
) -> tuple[str, str]:
    """Start a run whose job sleeps; its id, once the job runs, and the task instance's."""
    run_id = airflow.trigger(dag_id, {"Seconds": str(seconds)})
    airflow.wait_task(dag_id, run_id, TASK, WAYS[dag_id])
    wait_for(lambda: is_waited_for(airflow, dag_id, run_id), "somebody to wait", seconds=30)
    wait_for(
        lambda: statuses(jobs(sagemaker, dag_id, airflow, run_id)) == ["InProgress"],
        "the job to be created",
        seconds=30,
    )
    return run_id, airflow.task(dag_id, run_id, TASK)["id"]


@pytest.mark.parametrize("dag_id", WAYS)
def test_clearing_a_succeeded_task_starts_a_second_job(
    airflow: Airflow, sagemaker: LocalSageMaker, dag_id: str
) -> None:
    run_id = airflow.trigger(dag_id, {"Seconds": "0"})
    assert airflow.wait_run(dag_id, run_id) == "success"
    run = (sagemaker, dag_id, airflow, run_id, prefix_of(airflow, dag_id, run_id))
    airflow.clear(dag_id, run_id, TASK)
    wait_for(lambda: len(jobs(*run)) == 2, "a second job", seconds=60)
    assert airflow.wait_run(dag_id, run_id) == "success"
    assert statuses(jobs(*run)) == ["Completed", "Completed"]


@pytest.mark.parametrize("dag_id", WAYS)
def test_marking_a_waiting_task_failed_stops_its_job(
    airflow: Airflow, sagemaker: LocalSageMaker, dag_id: str
) -> None:
    run_id, _ = waiting(airflow, sagemaker, dag_id, seconds=300)
    airflow.mark(dag_id, run_id, TASK, "failed")
    wait_for(
        lambda: statuses(jobs(sagemaker, dag_id, airflow, run_id)) == ["Stopped"],
        "the job to be stopped",
        seconds=60,
    )
    assert airflow.wait_run(dag_id, run_id) == "failed"


@pytest.mark.parametrize("dag_id", WAYS)
def test_clearing_a_waiting_task_stops_its_job_and_starts_another(
    airflow: Airflow, sagemaker: LocalSageMaker, dag_id: str
) -> None:
    run_id, _ = waiting(airflow, sagemaker, dag_id, seconds=12)
    run = (sagemaker, dag_id, airflow, run_id, prefix_of(airflow, dag_id, run_id))
    airflow.clear(dag_id, run_id, TASK)
    assert airflow.wait_run(dag_id, run_id) == "success"
    assert statuses(jobs(*run)) == ["Stopped", "Completed"]


def test_a_job_that_is_stopped_in_the_console_fails_its_task(
    airflow: Airflow, sagemaker: LocalSageMaker
) -> None:
    dag_id = "sleep_in_triggerer"
    run_id, _ = waiting(airflow, sagemaker, dag_id, seconds=15)
    (job,) = jobs(sagemaker, dag_id, airflow, run_id)
    sagemaker.client("sagemaker").stop_processing_job(ProcessingJobName=job["ProcessingJobName"])
    assert airflow.wait_run(dag_id, run_id) == "success"
    assert statuses(jobs(sagemaker, dag_id, airflow, run_id)) == ["Stopped", "Completed"]
    assert "was stopped" in airflow.log(dag_id, run_id, TASK, 1)
