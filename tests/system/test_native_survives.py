"""No pipeline is executed twice, and none is left running, whatever of Airflow is killed."""

import signal
from typing import Any

from tests.support.airflow import Airflow, wait_for
from tests.support.local_sagemaker import LocalSageMaker
from tests.system.test_jobs_survive import title, worker_processes

PIPELINE = TASK = "Sleepers"


def executions(sagemaker: LocalSageMaker, run_id: str) -> list[str]:
    """The statuses of all executions of a run, whose id their descriptions begin with."""
    client = sagemaker.client("sagemaker")
    if PIPELINE not in [item["PipelineName"] for item in pipelines(client)]:
        return []
    found = client.list_pipeline_executions(PipelineName=PIPELINE, MaxResults=100)
    return [
        item["PipelineExecutionStatus"]
        for item in found["PipelineExecutionSummaries"]
        if item.get("PipelineExecutionDescription", "").startswith(f"{run_id} ")
    ]


def pipelines(client: Any) -> list[dict[str, Any]]:
    return list(client.list_pipelines()["PipelineSummaries"])


def waiting(airflow: Airflow, sagemaker: LocalSageMaker, dag_id: str, seconds: int) -> str:
    """Start a run whose pipeline sleeps; its id, once somebody waits for the execution."""
    run_id = airflow.trigger(dag_id, {"Seconds": str(seconds)})
    state = "deferred" if dag_id == "native_in_triggerer" else "running"
    airflow.wait_task(dag_id, run_id, TASK, state)

    def is_waited_for() -> bool:
        trigger = airflow.task(dag_id, run_id, TASK)["trigger"] or {}
        return state == "running" or trigger.get("triggerer_id") is not None

    wait_for(is_waited_for, "somebody to wait", seconds=30)
    wait_for(lambda: executions(sagemaker, run_id) == ["Executing"], "the execution", seconds=30)
    return run_id


def kill(processes: Any) -> None:
    killed = list(processes)
    assert killed
    for process in killed:
        process.send_signal(signal.SIGKILL)


def test_a_killed_worker_leaves_one_execution_that_the_next_try_adopts(
    airflow: Airflow, sagemaker: LocalSageMaker
) -> None:
    dag_id = "native_in_worker"
    run_id = waiting(airflow, sagemaker, dag_id, seconds=30)
    kill(worker_processes(airflow, airflow.task(dag_id, run_id, TASK)["id"]))
    assert airflow.wait_run(dag_id, run_id) == "success"
    assert executions(sagemaker, run_id) == ["Succeeded"]
    assert airflow.task(dag_id, run_id, TASK)["try_number"] == 2


def test_a_killed_triggerer_leaves_one_execution(
    airflow: Airflow, sagemaker: LocalSageMaker
) -> None:
    dag_id = "native_in_triggerer"
    run_id = waiting(airflow, sagemaker, dag_id, seconds=20)
    triggerers = [process for process in airflow.processes() if "triggerer" in title(process)]
    kill({*triggerers, *(child for parent in triggerers for child in parent.children(True))})
    airflow.start_triggerer()
    assert airflow.wait_run(dag_id, run_id) == "success"
    assert executions(sagemaker, run_id) == ["Succeeded"]
    log = airflow.log(dag_id, run_id, TASK)
    assert [line for line in ("Sleep: Executing", "Sleep: Succeeded") if line not in log] == []


def test_marking_a_deferred_task_failed_stops_the_execution(
    airflow: Airflow, sagemaker: LocalSageMaker
) -> None:
    dag_id = "native_in_triggerer"
    run_id = waiting(airflow, sagemaker, dag_id, seconds=300)
    airflow.mark(dag_id, run_id, TASK, "failed")
    wait_for(
        lambda: executions(sagemaker, run_id) == ["Stopped"],
        "the execution to be stopped",
        seconds=60,
    )
    assert airflow.wait_run(dag_id, run_id) == "failed"
