"""A person's click stops a whole execution, in a real Airflow. (What is killed: tests/chaos.)"""

from typing import Any

from tests.support.airflow import Airflow, wait_for
from tests.support.local_sagemaker import LocalSageMaker

DAG = "native_in_triggerer"
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


def waiting(airflow: Airflow, sagemaker: LocalSageMaker, seconds: int) -> str:
    """Start a run whose pipeline sleeps; its id, once somebody waits for the execution."""
    run_id = airflow.trigger(DAG, {"Seconds": str(seconds)})
    airflow.wait_task(DAG, run_id, TASK, "deferred")

    def is_waited_for() -> bool:
        trigger = airflow.task(DAG, run_id, TASK)["trigger"] or {}
        return trigger.get("triggerer_id") is not None

    wait_for(is_waited_for, "somebody to wait", seconds=30)
    wait_for(lambda: executions(sagemaker, run_id) == ["Executing"], "the execution", seconds=30)
    return run_id


def test_marking_a_deferred_task_failed_stops_the_execution(
    airflow: Airflow, sagemaker: LocalSageMaker
) -> None:
    run_id = waiting(airflow, sagemaker, seconds=300)
    airflow.mark(DAG, run_id, TASK, "failed")
    wait_for(
        lambda: executions(sagemaker, run_id) == ["Stopped"],
        "the execution to be stopped",
        seconds=60,
    )
    assert airflow.wait_run(DAG, run_id) == "failed"
