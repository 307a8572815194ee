"""What the tasks of a scoring DAG do on AWS: choose the version, keep its model, find the batches.

For tasks, over Airflow's connection `aws_default`. What is chosen goes from task to task as plain
JSON.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.nacre.dag.aws import Aws
from include.nacre.dag.deployment import TaskStore, installation
from include.nacre.dag.faults import StepFailed
from include.nacre.dag.files import read_json
from include.nacre.dag.own_tasks import account
from include.nacre.definition.expressions import EvaluationError, Json
from include.nacre.native.objects import split_s3_uri
from include.nacre.registry.client import describe, latest_approved
from include.nacre.registry.models import Models

log = logging.getLogger(__name__)


def choose_version(group: str, metadata: Sequence[str]) -> dict[str, str]:
    """Return the ARN of a group's newest approved version as `Arn`, and of its metadata what
    scoring needs. Skips the task where no version is approved; fails it where the metadata are
    not there.
    """
    with account() as aws:
        version = latest_approved(aws.sagemaker, group)
    if version is None:
        raise AirflowSkipException(
            f"No version of the model {group!r} is approved: nothing is scored. Approve one, and"
            " what is waiting will be."
        )
    if missing := [name for name in metadata if not version.metadata.get(name)]:
        raise AirflowFailException(
            f"Version {version.name} is approved, but its customer metadata lack"
            f" {' and '.join(missing)}: rows cannot be prepared for it. Register the model anew"
            " with them, or reject this version; then the one before is used."
        )
    log.info("Version %s, approved: %s", version.name, version.approval or "no words about it")
    return {"Arn": version.arn, **{name: version.metadata[name] for name in metadata}}


def ensure_model(group: str, version: str, role: str) -> str:
    """Return the name of a version's model, which is made if it is missing."""
    with account() as aws:
        name, made = _models(aws, group).ensure(describe(aws.sagemaker, version), role)
    log.info("%s the model %s of version %s", "Made" if made else "Found", name, version)
    return name


def remove_unused_models(group: str, kept: str) -> None:
    """Delete the models that this installation made for a group's other versions, but for those
    that a transform job still uses.
    """
    with account() as aws:
        removal = _models(aws, group).remove_unused(kept)
    log.info("Removed: %s", ", ".join(removal.removed) or "nothing")
    if removal.in_use:
        log.info("Kept, as transform jobs use them: %s", ", ".join(removal.in_use))


def stored(prefix: str) -> list[tuple[str, datetime]]:
    """Return key and time of change of all that lies below an S3 address."""
    bucket, start = split_s3_uri(prefix)
    try:
        with account() as aws:
            pages = aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=start)
            return [
                (item["Key"], item["LastModified"])
                for page in pages
                for item in page.get("Contents", [])
            ]
    except StepFailed as error:  # S3 says that there is no bucket, and not which
        raise StepFailed(f"{prefix}: {error}", error.code) from None


def kept(key: str, make: Callable[[], list[Any]]) -> list[Any]:
    """Return what a task has made when it first ran: done again, by a retry or by *Clear*, it
    finds the same. Nothing (an empty list) is not kept.
    """
    store = TaskStore(get_current_context())
    if not (found := store.get(key)) and (found := make()):
        store.set(key, found)
    return list(found)


def output_address(job: str, output: str) -> str:
    """Return the S3 address that a processing job writes an output to."""
    with account() as aws:
        described = aws.call("DescribeProcessingJob", ProcessingJobName=job)
    outputs = described["ProcessingOutputConfig"]["Outputs"]
    (found,) = (item for item in outputs if item["OutputName"] == output)
    return str(found["S3Output"]["S3Uri"])


def read(address: str) -> Json:
    """Return the content of a JSON file in S3."""
    try:
        with account() as aws:
            return read_json(aws, address, log.warning)
    except EvaluationError as error:
        raise AirflowFailException(str(error)) from None


def _models(aws: Aws, group: str) -> Models:
    client: Any = aws.sagemaker
    return Models(client, group, installation())
