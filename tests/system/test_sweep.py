"""A job that Airflow has lost is found and stopped, in a real Airflow."""

import signal

import psutil

from tests.support.airflow import Airflow
from tests.support.local_sagemaker import LocalSageMaker
from tests.system.test_clicks import TASK, jobs, statuses, waiting

DAG = "sleep_in_triggerer"


def title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def test_the_job_of_a_task_that_was_failed_while_no_triggerer_ran_is_stopped_by_the_sweep(
    airflow: Airflow, sagemaker: LocalSageMaker
) -> None:
    run_id, _ = waiting(airflow, sagemaker, DAG, seconds=600)
    triggerers = [process for process in airflow.processes() if "triggerer" in title(process)]
    for process in {*triggerers, *(child for it in triggerers for child in it.children(True))}:
        process.send_signal(signal.SIGKILL)
    airflow.mark(DAG, run_id, TASK, "failed")
    airflow.start_triggerer()
    assert statuses(jobs(sagemaker, DAG, airflow, run_id)) == ["InProgress"]
    sweep = airflow.trigger("nacre_sweep", {"Stop": True, "GraceMinutes": 0})
    assert airflow.wait_run("nacre_sweep", sweep) == "success"
    (job,) = jobs(sagemaker, DAG, airflow, run_id)
    found = airflow.xcom("nacre_sweep", sweep, "sweep")
    mine = [item for item in found if item["run_id"] == run_id]
    assert [(item["name"], item["why"], item["stopped"]) for item in mine] == [
        (job["ProcessingJobName"], "its task has ended (failed)", True)
    ]
    assert job["ProcessingJobStatus"] in {"Stopping", "Stopped"}
