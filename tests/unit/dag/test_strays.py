"""Which jobs are strays: of every task at most its latest job is none."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.dag.identity import Generation, TaskKey
from include.nacre.dag.kinds import EXECUTION, PROCESSING
from include.nacre.dag.strays import ENDED, Running, in_words, strays
from include.nacre.dag.tags import Origin

BEGIN = datetime(2026, 11, 21, tzinfo=UTC)
LIVE = [None, "scheduled", "queued", "running", "deferred", "restarting", "up_for_retry"]
LIVE += ["up_for_reschedule", "awaiting_input"]
TASKS = [TaskKey("here", "abalone", "r1", name) for name in "ABC"]


def job(name: str, key: TaskKey = TASKS[0], seconds: int = 0, cleared: int = 0) -> Running:
    created = BEGIN + timedelta(seconds=seconds)
    origin = Origin(key, Generation(cleared, 1))
    return Running(PROCESSING, name, created, timedelta(hours=1), origin)


def why(states: dict[TaskKey, str | None], *running: Running) -> dict[str, str]:
    return {item.running.name: item.why for item in strays(running, states)}


@pytest.mark.parametrize("state", LIVE)
def test_what_a_task_waits_for_or_will_take_up_is_none(state: str | None) -> None:
    assert why({TASKS[0]: state}, job("a")) == {}


@pytest.mark.parametrize("state", sorted(ENDED))
def test_nothing_takes_up_the_job_of_a_task_that_has_ended(state: str) -> None:
    assert why({TASKS[0]: state}, job("a")) == {"a": f"its task has ended ({state})"}


def test_airflow_has_no_other_states() -> None:
    from airflow.utils.state import TaskInstanceState

    assert {*map(str, TaskInstanceState)} == {*ENDED, *(state for state in LIVE if state)}


def test_the_latest_job_of_a_task_counts_whatever_its_generation() -> None:
    earlier, later = job("a", seconds=1, cleared=4), job("b", seconds=2)
    assert why({TASKS[0]: "running"}, later, earlier) == {"a": "its task has started b since"}


def test_of_jobs_of_one_moment_none_is_the_earlier() -> None:
    assert why({TASKS[0]: "running"}, job("a"), job("b", cleared=2)) == {}


JOBS = st.builds(
    job,
    st.uuids().map(str),
    st.sampled_from(TASKS),
    st.integers(0, 3),
    st.integers(0, 3),
)
STATES = st.dictionaries(st.sampled_from(TASKS), st.sampled_from([*LIVE, *sorted(ENDED)]))


@given(st.lists(JOBS, max_size=8), STATES)
def test_the_job_that_a_live_task_has_started_last_is_never_a_stray(
    running: list[Running], states: dict[TaskKey, str | None]
) -> None:
    found = why(states, *running)
    for key in TASKS:
        own = [item for item in running if item.origin.key == key]
        last = max((item.created for item in own), default=BEGIN)
        is_live = key in states and states[key] not in ENDED
        spared = {item.name for item in own if is_live and item.created == last}
        assert {item.name for item in own} - found.keys() == spared


@pytest.mark.parametrize(
    ("minutes", "words"), [(0, "0 min"), (59.9, "59 min"), (60, "1 h 0 min"), (3000, "50 h 0 min")]
)
def test_ages_are_words(minutes: float, words: str) -> None:
    assert in_words(timedelta(minutes=minutes)) == words


def test_a_stray_is_told_with_what_has_started_it() -> None:
    key = TaskKey("here", "abalone", "r1", "train.Fit", 3)
    arn = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/abalone/execution/abc123"
    origin = Origin(key, Generation(0, 1))
    execution = Running(EXECUTION, arn, BEGIN, timedelta(minutes=200), origin)
    (stray,) = strays([execution], {})
    assert str(stray) == (
        "pipeline execution abc123, which has been running for 3 h 20 min, of DAG"
        " abalone, run r1, task train.Fit[3]: its task does not exist any more (the DAG, the run"
        " or the task was deleted)"
    )
