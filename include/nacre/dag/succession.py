"""Whether somebody goes on with a job whose task's process, or trigger, is told to end.

Airflow sends the same signal when a person has marked or cleared the task, who wants the job
stopped, and when another process has taken the task over, or is going to, who wants it to run on:
after a scheduler's death, when the API server is away for so long that the worker gives up, when
the worker is shut down, when another triggerer has taken over from one that stood still. The state
that the task has by then tells them apart.
"""

from collections.abc import Callable
from typing import Any

WAITS_ITS_TURN = "none"
"""The state of a task that the scheduler has not come to; the API gives no word for it."""
GONE = "removed"
DEFERRED, RUNNING = "deferred", "running"
NOT_MARKED = frozenset(
    {WAITS_ITS_TURN, "scheduled", "queued", DEFERRED, "up_for_retry", "up_for_reschedule"}
)
"""States out of which the task's next process comes, and finds the job by its name. Not
`restarting`: that is a task that was cleared while it ran."""


def state_of(ti: Any, get_task_states: Callable[..., dict[str, Any]]) -> str:
    """Return the state of a task instance as Airflow's database has it now; `removed` where it has
    none of it any more. `get_task_states` is that of Airflow's running task instances.

    Raises one of `silences()` where Airflow does not answer.
    """
    map_index = -1 if ti.map_index is None else ti.map_index
    found = get_task_states(
        dag_id=ti.dag_id, run_ids=[ti.run_id], task_ids=[ti.task_id], map_index=map_index
    )
    of_task = list(found.get(ti.run_id, {}).values())
    return of_task[0] or WAITS_ITS_TURN if of_task else GONE


def has_successor(state: str, *, tries_left: bool) -> bool:
    """Say whether a task's process that is told to end leaves its job to another one. Of a task
    that runs on by its state it is the next try, if there is one.
    """
    return state in NOT_MARKED or (state == RUNNING and tries_left)


def silences() -> tuple[type[Exception], ...]:
    """Return what is raised where the API server, or the process before it, does not answer."""
    from airflow.sdk.exceptions import AirflowRuntimeError

    return (AirflowRuntimeError, OSError, EOFError)
