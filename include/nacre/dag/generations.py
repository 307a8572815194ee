"""Which generation of a DAG run a step belongs to: how often the run was begun again.

The generation is part of the PipelineExecutionId, so that what a run writes when a date is
reprocessed never mixes with what it wrote before. Each root step of a pipeline counts its own
clears and leaves the count in XCom; a step that others come before takes the greatest count of the
roots that it descends from. So clearing a later step alone changes nothing: the addresses of what
it reads stay what they were. See docs/decisions/0012.
"""

from typing import Any

from airflow.sdk import Context
from airflow.sdk.execution_time.context import NEVER_EXPIRE

from include.nacre.dag.deployment import TaskStore
from include.nacre.dag.identity import Beginning, beginning

KEY = "nacre_generation"
"""Where a root step keeps its generation in the task's state, and leaves it in XCom for later
steps: also the first, since Airflow logs an error where there is none."""


def generation(context: Context) -> int:
    """Return the generation of the running step; of a step's task alone."""
    task: Any = context["task"]
    if not task.first_steps:
        return own_generation(context)
    ti: Any = context["ti"]
    found = ti.xcom_pull(task_ids=list(task.first_steps), key=KEY, map_indexes=ti.map_index)
    return max((int(count) for count in found if count is not None), default=0)


def own_generation(context: Context) -> int:
    """Return the generation of a root step, the same for all its tries; tell it to later steps."""
    ti: Any = context["ti"]
    store = TaskStore(context)
    stored = _beginning(store.get(KEY))
    now = beginning(stored, ti.max_tries, context["task"].retries or 0)
    if now != stored:
        store.set(KEY, now._asdict(), retention=NEVER_EXPIRE)
    ti.xcom_push(KEY, now.generation)
    return now.generation


def _beginning(record: Any) -> Beginning | None:
    match record:
        case {"max_tries": int(max_tries), "generation": int(count)}:
            return Beginning(max_tries, count)
        case _:
            return None
