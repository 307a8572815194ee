"""The abalone DAGs from their files, and the bucket that they work in."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from airflow import settings
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.models.asset import AssetEvent
from airflow.sdk import DAG

from tests.dag.runs import Outcome, run
from tests.support.local_sagemaker import PROJECT, LocalSageMaker


def parsed(name: str) -> DAG:
    """A DAG of dags/, parsed anew."""
    file = PROJECT / "dags" / f"{name}.py"
    bag = BundleDagBag(dag_folder=str(file), bundle_path=file.parent, bundle_name="dags-folder")
    assert bag.import_errors == {}
    return bag.dags[name]


def abalone(name: str, conf: Mapping[str, Any] | None = None) -> Outcome:
    """Run a DAG parsed anew: `DAG.test` leaves a run's conf in the DAG's params."""
    dag = parsed(name)
    for task in dag.tasks:
        task.retries = 0
    return run(dag, conf)


def events_of(outcome: Outcome) -> dict[str, Any]:
    """The extras of the asset events of a run, by the assets' names."""
    events = settings.Session().query(AssetEvent).filter_by(source_run_id=outcome.run.run_id)
    return {
        event.asset.name: event.extra
        for event in events
        if event.source_dag_id == outcome.dag.dag_id
    }


@contextmanager
def bucket_of(service: LocalSageMaker, name: str) -> "Iterator[Bucket]":
    """A bucket of a test file's own, which the DAGs work in: other files land data, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BUCKET", name)
        service.client("s3").create_bucket(Bucket=name)
        yield Bucket(service, name)


class Bucket:
    """What lies in a bucket."""

    def __init__(self, service: LocalSageMaker, name: str) -> None:
        self._s3 = service.client("s3")
        self.name = name

    def read(self, key: str) -> bytes:
        body: bytes = self._s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body

    def put(self, key: str, content: bytes) -> None:
        self._s3.put_object(Bucket=self.name, Key=key, Body=content)

    def keys(self, prefix: str) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def table(self, key: str) -> np.ndarray:
        return np.loadtxt(io.BytesIO(self.read(key)), delimiter=",", ndmin=2)
