"""Why tasks failed, kept for the alert about their run: Airflow keeps it in their logs alone."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow.sdk import Context
from airflow.sdk._shared.secrets_masker import redact
from airflow.sdk.exceptions import AirflowException

REASON = "nacre_failure"
"""The XCom key of a failed task. A new try begins without it."""
KEPT_LENGTH = 2000


@contextmanager
def kept_reason(context: Context) -> Iterator[None]:
    """Keep what a step of ours fails with."""
    from include.nacre.dag.faults import StepFailed, StepRefused

    try:
        yield
    except (StepFailed, StepRefused) as error:
        _keep(error, context)
        raise


def keep_reason(context: Context) -> None:
    """Keep why a task has failed, for the alert about its run. Steps do so by themselves; for all
    other tasks it is an `on_failure_callback` of `default_args`.
    """
    error = context.get("exception")
    if error is not None:
        _keep(error, context)


def _keep(error: Any, context: Context) -> None:
    context["ti"].xcom_push(REASON, why(error)[:KEPT_LENGTH])


def why(error: Any) -> str:
    """Return what a task failed with, as its log shows it: without the secrets that the task knows
    (of connections, of what was given to mask_secret). Where the alert is sent nobody knows them.
    """
    name = "" if isinstance(error, AirflowException) else f"{type(error).__name__}: "
    return str(redact(f"{name}{error}"))


def task_states(dag_id: str, run_id: str) -> Mapping[str, str]:
    """Return the state of each task of a run; of mapped ones the index stands behind the id. Works
    in tasks, in the DAG processor's callbacks and in the triggerer; in a callback of dag.test()
    there is nobody to ask, and it is empty.
    """
    from airflow.sdk.execution_time import task_runner

    if not hasattr(task_runner, "SUPERVISOR_COMMS"):
        return {}
    found = task_runner.RuntimeTaskInstance.get_task_states(dag_id=dag_id, run_ids=[run_id])
    return {name: str(state) for name, state in found.get(run_id, {}).items()}


def reason_of(dag_id: str, run_id: str, name: str, task_ids: set[str]) -> str:
    """Return why a task failed, by its name in `task_states`; "" if nothing was kept."""
    from airflow.sdk.execution_time.xcom import XCom

    task_id, index = _instance(name, task_ids)
    kept = XCom.get_one(key=REASON, dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=index)
    return str(kept or "")


def _instance(name: str, task_ids: set[str]) -> tuple[str, int]:
    task_id, _, index = name.rpartition("_")
    if name not in task_ids and task_id in task_ids and index.isdigit():
        return task_id, int(index)
    return name, -1
