"""Whether somebody goes on with a job whose task's process is told to end."""

from types import SimpleNamespace
from typing import Any

import pytest

from include.nacre.dag.succession import has_successor, state_of

STATES = {
    # state: (with tries left, on the last try)
    "none": (True, True),  # the scheduler died and another one begins the task anew
    "scheduled": (True, True),
    "queued": (True, True),
    "deferred": (True, True),
    "up_for_retry": (True, True),
    "up_for_reschedule": (True, True),
    "running": (True, False),  # the worker shuts down, or the task runs elsewhere
    "restarting": (False, False),  # cleared while it ran
    "failed": (False, False),
    "success": (False, False),
    "skipped": (False, False),
    "upstream_failed": (False, False),
    "removed": (False, False),
}


def test_a_job_is_left_to_whoever_comes_next_unless_the_task_was_marked_or_cleared() -> None:
    found = {
        state: (has_successor(state, tries_left=True), has_successor(state, tries_left=False))
        for state in STATES
    }
    assert found == STATES


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"r1": {"train": "running"}}, "running"),
        ({"r1": {"train": None}}, "none"),
        ({"r1": {}}, "removed"),
        ({}, "removed"),
    ],
)
def test_a_state_is_the_one_that_airflow_has(answer: dict[str, Any], state: str) -> None:
    ti = SimpleNamespace(dag_id="d", run_id="r1", task_id="train", map_index=-1)
    assert state_of(ti, lambda **_: answer) == state


def test_a_mapped_task_asks_for_its_own_state() -> None:
    asked: list[dict[str, Any]] = []

    def get_task_states(**of: Any) -> dict[str, Any]:
        asked.append(of)
        return {"r1": {"train_2": "failed"}}

    ti = SimpleNamespace(dag_id="d", run_id="r1", task_id="train", map_index=2)
    assert (state_of(ti, get_task_states), asked) == (
        "failed",
        [{"dag_id": "d", "run_ids": ["r1"], "task_ids": ["train"], "map_index": 2}],
    )
