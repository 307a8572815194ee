"""Running DAGs in this process, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow import settings
from airflow.configuration import conf
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.models.dagrun import DagRun
from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.sdk import DAG
from airflow.sdk.definitions.dag import _run_task
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType

from tests.support.local_sagemaker import LocalSageMaker

BUNDLE = "dags-folder"


@dataclass(frozen=True)
class Outcome:
    """A finished run of a DAG."""

    dag: DAG
    run: Any

    @property
    def state(self) -> str:
        return str(self.run.state)

    @property
    def states(self) -> dict[str, str]:
        return {ti.task_id: str(ti.state) for ti in self.run.get_task_instances()}

    def task(self, task_id: str, map_index: int = -1) -> Any:
        return self.run.get_task_instance(task_id, map_index=map_index)

    def result(self, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        ti = self.task(task_id, map_index)
        return ti.xcom_pull(task_ids=task_id, key=key, map_indexes=map_index)

    def rendered(self, task_id: str) -> Any:
        """What the UI shows under Rendered Templates."""
        return RenderedTaskInstanceFields.get_templated_fields(self.task(task_id))


def run(dag: DAG, conf: Mapping[str, Any] | None = None, at: datetime | None = None) -> Outcome:
    """Run a DAG to its end. Running it again `at` the same time deletes the run before."""
    register(dag)
    times = {"logical_date": at, "run_after": at} if at else {}
    return Outcome(dag, dag.test(run_conf=dict(conf or {}), **times))


def clear_and_run(outcome: Outcome, *task_ids: str) -> Outcome:
    """Clear tasks as the UI does, without others all of them, and let them run again."""
    scheduled = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(outcome.dag))
    scheduled.clear(
        run_id=outcome.run.run_id,
        task_ids=list(task_ids) or None,
        dag_run_state=DagRunState.RUNNING,
    )
    session = settings.Session()
    session.expunge_all()
    dag_run = session.get_one(DagRun, outcome.run.id)
    dag_run.dag = scheduled
    return _to_the_end(outcome.dag, dag_run, session)


def run_as(dag: DAG, run_id: str) -> Outcome:
    """Run a DAG to its end under a run id of one's own."""
    register(dag)
    scheduled = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    session = settings.Session()
    dag_run = scheduled.create_dagrun(
        run_id=run_id,
        run_after=datetime.now(UTC),
        run_type=DagRunType.MANUAL,
        state=DagRunState.RUNNING,
        triggered_by=DagRunTriggeredByType.TEST,
        session=session,
    )
    dag_run.dag = scheduled
    return _to_the_end(dag, dag_run, session)


def _to_the_end(dag: DAG, dag_run: DagRun, session: Any) -> Outcome:
    while dag_run.state == DagRunState.RUNNING:
        session.expire_all()
        ready, _ = dag_run.update_state(session=session)
        for ti in ready:
            ti.try_number += 1
            ti.state = TaskInstanceState.SCHEDULED
        session.commit()
        for ti in ready:
            _run_task(ti=ti, task=dag.get_task(ti.task_id), run_triggerer=True)
    return Outcome(dag, dag_run)


def register(dag: DAG) -> None:
    """Make a DAG known to the database, as the DAG processor does."""
    folder = Path(conf.get("core", "dags_folder"))
    file = folder / f"{dag.dag_id}.py"
    file.write_text("# Made by a test.\n", encoding="utf-8")
    dag.fileloc, dag.relative_fileloc = str(file), file.name
    bag = BundleDagBag(dag_folder=str(folder), bundle_path=folder, bundle_name=BUNDLE)
    bag.bag_dag(dag)
    sync_bag_to_db(bag, BUNDLE, None)


def jobs_of(service: LocalSageMaker, outcome: Outcome, step: str) -> list[dict[str, Any]]:
    """All processing jobs that a step of this run has started, the oldest first.

    They are found by what they write to, so whatever their names are.
    """
    client = service.client("sagemaker")
    pages = client.get_paginator("list_processing_jobs").paginate()
    names = [job["ProcessingJobName"] for page in pages for job in page["ProcessingJobSummaries"]]
    found = [client.describe_processing_job(ProcessingJobName=name) for name in names]
    address = output_of(outcome, step)
    mine = [job for job in found if _writes_to(job) == address]
    return sorted(mine, key=lambda job: job["CreationTime"])


def output_of(outcome: Outcome, step: str) -> str:
    request = outcome.rendered(step)["request"]
    return str(request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"])


def _writes_to(job: Mapping[str, Any]) -> str:
    outputs = job.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return str(outputs[0]["S3Output"]["S3Uri"]) if outputs else ""
