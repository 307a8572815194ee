"""The two executors: each runs a pipeline to its end on the same local SageMaker."""

import json
import time
from collections.abc import Mapping
from itertools import count
from typing import Any
from urllib.parse import unquote

from include.nacre.dag import PipelineDag
from include.nacre.definition.expressions import Scalar
from include.nacre.definition.records import Pipeline, Step
from tests.dag.outcomes.courses import (
    FAILED,
    RESOURCES,
    STOPPED,
    SUCCEEDED,
    Json,
    Ledger,
    Run,
    StepRun,
    course,
)
from tests.dag.runs import Outcome, run
from tests.support.local_sagemaker import ROLE, LocalSageMaker

CONNECTION = "outcomes"
_SECONDS = 180
_numbers = count(1)


def step_by_step(
    service: LocalSageMaker, pipeline: Pipeline, values: Mapping[str, Scalar] | None = None
) -> Json:
    """The course of a run in Airflow, every step a task."""
    ledger = Ledger(service)
    dag = PipelineDag(
        f"outcome{next(_numbers)}",
        pipeline,
        schedule=None,
        default_args={"aws_conn_id": CONNECTION, "deferrable": False, "retries": 0},
    )
    outcome = run(dag, values)
    arns = {item.name: arn for arn, item in ledger.new().items()}
    steps = {
        step.name: _task_run(outcome, step, arns)
        for step in pipeline.all_steps
        if outcome.states[step.name] in _TASK_STATES
    }
    state = SUCCEEDED if outcome.state == "success" else FAILED
    return course(Run(state, _execution_id(outcome), steps), ledger)


# Tasks in any other state, skipped or upstream_failed, did not run.
_TASK_STATES = {"success": SUCCEEDED, "failed": FAILED}


def _task_run(outcome: Outcome, step: Step, arns: Mapping[str, str]) -> StepRun:
    state = _TASK_STATES[outcome.states[step.name]]
    if step.type == "Condition":
        result = outcome.result(step.name)
        return StepRun(state, said=result and result["properties"]["Outcome"])
    if step.type == "Fail":
        return StepRun(state, said=outcome.rendered(step.name)["message"])
    # The link is there even where the job failed; nothing was created where it leads nowhere.
    page = outcome.result(step.name, "nacre_job_link") or ""
    arn = arns.get(unquote(page.rpartition("/")[2]))
    # Of a job that was stopped the task is failed; what it has left says it.
    left = outcome.result(step.name)
    if left and left["status"] == STOPPED:
        state = STOPPED
    return StepRun(state, created=(arn,) if arn else ())


def _execution_id(outcome: Outcome) -> str:
    from include.nacre.dag.deployment import installation
    from include.nacre.dag.identity import execution_id

    return execution_id(installation(), outcome.run.dag_id, outcome.run.run_id, "", -1)


def natively(
    service: LocalSageMaker,
    pipeline: Pipeline,
    values: Mapping[str, Scalar] | None = None,
    parallelism: int | None = None,
) -> Json:
    """The course of an execution by the service, of so many steps at once."""
    ledger, client = Ledger(service), service.client("sagemaker")
    upload_assets(service, pipeline)
    _put_pipeline(client, pipeline)
    limit = {"ParallelismConfiguration": {"MaxParallelExecutionSteps": parallelism}}
    arn = client.start_pipeline_execution(
        **(limit if parallelism else {}),
        PipelineName=pipeline.name,
        PipelineParameters=[
            {"Name": name, "Value": str(value)} for name, value in (values or {}).items()
        ],
    )["PipelineExecutionArn"]
    state = _wait(client, arn)
    pages = client.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=arn)
    found = [step for page in pages for step in page["PipelineExecutionSteps"]]
    steps = {step["StepName"]: _step_run(step) for step in found}
    return course(Run(state, arn.rpartition("/")[2], steps), ledger)


def _put_pipeline(client: Any, pipeline: Pipeline) -> None:
    request = {"PipelineDefinition": json.dumps(pipeline), "RoleArn": ROLE}
    known = client.list_pipelines(PipelineNamePrefix=pipeline.name)["PipelineSummaries"]
    if pipeline.name in {item["PipelineName"] for item in known}:
        client.update_pipeline(PipelineName=pipeline.name, **request)
    else:
        client.create_pipeline(PipelineName=pipeline.name, **request)


def upload_assets(service: LocalSageMaker, pipeline: Pipeline) -> None:
    """Put a pipeline's scripts where its definition expects them."""
    for uri, asset in pipeline.assets.items():
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        service.client("s3").put_object(Bucket=bucket, Key=key, Body=asset.content)


def _wait(client: Any, arn: str) -> str:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        status = client.describe_pipeline_execution(PipelineExecutionArn=arn)
        if status["PipelineExecutionStatus"] not in {"Executing", "Stopping"}:
            return str(status["PipelineExecutionStatus"])
        time.sleep(0.05)
    client.stop_pipeline_execution(PipelineExecutionArn=arn)
    raise TimeoutError(f"{arn} is still {status['PipelineExecutionStatus']}")


def _step_run(step: Mapping[str, Any]) -> StepRun:
    metadata = step.get("Metadata", {})
    arns = (metadata.get(RESOURCES[type_].metadata_key, {}).get("Arn") for type_ in RESOURCES)
    said = metadata.get("Condition", {}).get(
        "Outcome", metadata.get("Fail", {}).get("ErrorMessage")
    )
    return StepRun(step["StepStatus"], tuple(arn for arn in arns if arn), said)
