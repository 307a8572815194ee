"""A person's click stops a whole execution, in a real Airflow. (What is killed: tests/chaos.)"""

from typing import Any

from tests.support.airflow import Airflow, wait_for
from tests.support.local_sagemaker import LocalSageMaker

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
