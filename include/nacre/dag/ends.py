"""How other tasks of the run have ended: what Airflow's trigger rules do not tell apart.

`all_failed` holds also where a task was never started, and `all_done` where it was skipped; in
the language a step that did not run has no end, and what waits for one does not run either.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from include.nacre.dag.faults import StepRefused
from include.nacre.definition.records import COMPLETED

_ENDS = {"success": COMPLETED, "failed": "Failed"}
"""The ends of tasks that ran, by Airflow's states."""
_STOPPED = "Stopped"


def require_ends(awaited: Mapping[str, str], context: Context) -> None:
    """Skip the running task unless the others, by their ids, have ended as it awaits."""
    if not awaited:
        return
    states, ti = _states(awaited, context), context["ti"]
    ends = {name: _end(name, states.get(name, "unknown"), ti) for name in awaited}
    unmet = [
        f"{name} is {ends[name] or states.get(name, 'unknown')} and not {trigger}"
        for name, trigger in awaited.items()
        if not (ends[name] == trigger or (trigger == "Any" and ends[name]))
    ]
    if unmet:
        raise AirflowSkipException("This step does not run: " + "; ".join(unmet))


def _end(task_id: str, state: str, ti: Any) -> str | None:
    """Return how the step of a task has ended, or None where it did not run."""
    if state != "failed":
        return _ENDS.get(state)
    # Airflow knows no stopped tasks; what the step has left says how its job ended.
    left = ti.xcom_pull(task_ids=task_id, map_indexes=ti.map_index)
    return _STOPPED if left and left["status"] == _STOPPED else _ENDS[state]


def require_branch(branch: tuple[str, bool] | None, context: Context) -> None:
    """Skip the running task if it is in a mapped task group and its branch was not taken.

    Elsewhere Airflow does so. In such a group Airflow 3.3 looks for what the Condition has
    written to be skipped as if that task had no index, finds nothing, and runs both branches.
    """
    ti: Any = context["ti"]
    if branch is None or _index(ti) is None:
        return
    condition, wanted = branch
    verdict = ti.xcom_pull(task_ids=condition, map_indexes=ti.map_index)
    if verdict is None or verdict["holds"] is not wanted:
        raise AirflowSkipException(f"{condition} has not taken the branch of this step")


def show_failures(steps: Mapping[str, Iterable[str]], context: Context) -> None:
    """Fail where a task has failed and none of its handlers has run; both by their ids."""
    handlers = {name: [*ids] for name, ids in steps.items()}
    states = _states([*handlers, *(name for ids in handlers.values() for name in ids)], context)
    ran = {name for name, state in states.items() if state in _ENDS}
    failed = [name for name in handlers if states.get(name) == "failed"]
    if unhandled := [name for name in failed if not ran & {*handlers[name]}]:
        raise StepRefused(f"These steps have failed: {', '.join(unhandled)}")


def _states(task_ids: Iterable[str], context: Context) -> dict[str, str]:
    ti: Any = context["ti"]
    index = _index(ti)
    found = ti.get_task_states(
        dag_id=ti.dag_id, task_ids=[*task_ids], run_ids=[ti.run_id], map_index=index
    )
    # Of a mapped task group Airflow writes the index behind the id.
    suffix = "" if index is None else f"_{index}"
    return {str(key).removesuffix(suffix): str(state) for key, state in found[ti.run_id].items()}


def _index(ti: Any) -> int | None:
    """Return which of a mapped task's instances this is, or None if it is not mapped."""
    return ti.map_index if ti.map_index is not None and ti.map_index >= 0 else None
