"""The states of task instances, as a running task learns them, and as a command on a machine of
Airflow's own does, which may ask the database.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote

from include.nacre.dag.identity import TaskKey
from include.nacre.dag.strays import States

LONGEST_QUESTION = 4000
"""Characters of runs' ids in one question: escaped, they stand in an address, and what is between a
worker and the API server may take no more than 8 kB of that."""


def states_in_task(keys: Collection[TaskKey]) -> States:
    """Return the states of tasks, from within a task: over Airflow's API for tasks."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    found: dict[TaskKey, str | None] = {}
    # One task at a time: of mapped ones the answer has `<task>_<index>`, which may be another's id.
    for (dag_id, task_id), some in questions(keys):
        runs = sorted({key.run_id for key in some})
        states = RuntimeTaskInstance.get_task_states(
            dag_id=dag_id, task_ids=[task_id], run_ids=runs
        )
        for key in some:
            name = task_id if key.map_index < 0 else f"{task_id}_{key.map_index}"
            of_run = states.get(key.run_id, {})
            if name in of_run:
                found[key] = _text(of_run[name])
    return found


def states_in_database(keys: Collection[TaskKey]) -> States:
    """Return the states of tasks, from Airflow's database."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    found: dict[TaskKey, str | None] = {}
    columns = (TaskInstance.run_id, TaskInstance.map_index, TaskInstance.state)
    with create_session() as session:
        for (dag_id, task_id), some in questions(keys):
            rows = session.execute(
                select(*columns).where(
                    TaskInstance.dag_id == dag_id,
                    TaskInstance.task_id == task_id,
                    TaskInstance.run_id.in_({key.run_id for key in some}),
                )
            )
            states = {(run_id, index): _text(state) for run_id, index, state in rows}
            for key in some:
                if (key.run_id, key.map_index) in states:
                    found[key] = states[key.run_id, key.map_index]
    return found


def has_run_anything() -> bool:
    """Say whether Airflow's database knows any run of any DAG."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return session.scalar(select(DagRun.id).limit(1)) is not None


def questions(
    keys: Collection[TaskKey],
) -> Iterator[tuple[tuple[str, str], Sequence[TaskKey]]]:
    """Yield the keys of each task, as many at a time as fit into one question."""

    def task(key: TaskKey) -> tuple[str, str]:
        return key.dag_id, key.task_id

    by_run = sorted(keys, key=lambda key: (*task(key), key.run_id))
    for name, group in groupby(by_run, task):
        some: list[TaskKey] = []
        length = 0
        for key in group:
            is_new = not some or some[-1].run_id != key.run_id
            more = len(quote(key.run_id)) if is_new else 0
            if some and length + more > LONGEST_QUESTION:
                yield name, some
                some, length = [], 0
            some.append(key)
            length += more
        yield name, some


def _text(state: Any) -> str | None:
    return None if state is None else str(getattr(state, "value", state))
