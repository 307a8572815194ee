"""What a demo's runs made, as the local SageMaker and its S3 themselves tell it."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3

from include.nacre.dag.plan import make_plan
from include.pipelines.abalone.pipeline import get_pipeline
from scripts.airflow_env import ROOT
from scripts.demo_report import Demo, Model, Predictions, Quality, Task
from scripts.stack import LocalSageMaker

INGEST, TRAINING = "abalone_ingest", "abalone_training"
Json = Any

# By a step's type: how to describe what it made, the member that names it, and its status.
# A model has no status: what exists is complete.
DESCRIBE: Mapping[str, tuple[str, str, str | None]] = {
    "Processing": ("describe_processing_job", "ProcessingJobName", "ProcessingJobStatus"),
    "Training": ("describe_training_job", "TrainingJobName", "TrainingJobStatus"),
    "Transform": ("describe_transform_job", "TransformJobName", "TransformJobStatus"),
    "RegisterModel": ("describe_model_package", "ModelPackageName", "ModelPackageStatus"),
    "Model": ("describe_model", "ModelName", None),
}


def gather(service: LocalSageMaker, state: Path, runs: Mapping[str, Json]) -> Demo:
    """The facts of the runs of both DAGs; `runs` are the `run` events of scripts/demo_run.py."""
    run, aws = runs[TRAINING], _Aws(service)
    made = {task["task"]: task["result"] for task in run["tasks"] if _is_step(task["result"])}
    described = {name: aws.describe(result) for name, result in made.items()}
    landed = {task["task"]: task["result"] for task in runs[INGEST]["tasks"]}
    tasks = {task["task"]: task for task in run["tasks"]}
    order = [task.task_id for task in make_plan(get_pipeline()).tasks]
    return Demo(
        dag_id=TRAINING,
        run_id=run["run_id"],
        run_state=run["state"],
        tasks=tuple(_task(tasks[name], described.get(name, {})) for name in order),
        quality=_quality(aws, described.get("AbaloneEval")),
        model=_model(described.get("AbaloneRegisterModel")),
        predictions=_predictions(
            aws, described.get("AbaloneTransform"), int(landed["land_batch"]["rows"]), state
        ),
    )


def _is_step(result: Json) -> bool:
    """Whether a task's return value is that of a SageMaker step."""
    return isinstance(result, Mapping) and result.get("kind") in DESCRIBE


def _task(task: Json, described: Mapping[str, Json]) -> Task:
    result = task["result"] if described else {}
    _, _, status_key = DESCRIBE.get(str(result.get("kind")), ("", "", None))
    began, ended = (task[key] and datetime.fromisoformat(task[key]) for key in ("start", "end"))
    ran = task["state"] != "skipped" and began and ended
    return Task(
        name=task["task"],
        state=task["state"],
        seconds=(ended - began).total_seconds() if ran else None,
        # A model version has no name but its ARN, whose end says it all.
        job=result["name"].split(":")[-1] if described else None,
        job_status=described[status_key] if status_key else None,
    )


def _quality(aws: "_Aws", job: Json) -> Quality | None:
    if job is None:
        return None
    (output,) = job["ProcessingOutputConfig"]["Outputs"]
    report = json.loads(aws.read(f"{output['S3Output']['S3Uri']}/evaluation.json"))
    mse = report["regression_metrics"]["mse"]
    (threshold,) = (item for item in get_pipeline().parameters if item.name == "MseThreshold")
    return Quality(mse["value"], mse["standard_deviation"], float(threshold.default or 0))


def _model(package: Json) -> Model | None:
    if package is None:
        return None
    return Model(
        package["ModelPackageArn"], package["ModelPackageVersion"], package["ModelApprovalStatus"]
    )


def _predictions(aws: "_Aws", job: Json, expected: int, state: Path) -> Predictions | None:
    if job is None:
        return None
    address = job["TransformOutput"]["S3OutputPath"].rstrip("/") + "/"
    outputs = [item for item in aws.list(address) if item.endswith(".out")]
    bucket, key = _split(address)
    folder = state / "sagemaker" / "buckets" / bucket / key
    return Predictions(
        address=address,
        folder=f"{folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder}/",
        count=sum(aws.read(item).count(b"\n") for item in outputs),
        expected=expected,
    )


class _Aws:
    """The local SageMaker and its S3, asked as any client would ask them."""

    def __init__(self, service: LocalSageMaker) -> None:
        session = boto3.Session("local", "local", region_name=service.region)
        self._sagemaker = session.client("sagemaker", endpoint_url=service.endpoint)
        self._s3 = session.client("s3", endpoint_url=service.s3_endpoint)

    def describe(self, result: Json) -> Json:
        operation, name_key, _ = DESCRIBE[result["kind"]]
        return getattr(self._sagemaker, operation)(**{name_key: result["name"]})

    def list(self, address: str) -> list[str]:
        bucket, prefix = _split(address)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [
            f"s3://{bucket}/{item['Key']}" for page in pages for item in page.get("Contents", [])
        ]

    def read(self, address: str) -> bytes:
        bucket, key = _split(address)
        body: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body


def _split(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key
