"""Questions about tasks: each is asked for once, in few questions that are not too long."""

from collections import Counter
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from include.nacre.dag.identity import TaskKey
from include.nacre.dag.ledger import LONGEST_QUESTION, questions

RUNS = st.sampled_from(["r1", "r2", "\N{SPIRAL SHELL}" * 250, "x" * 250])
KEYS = st.builds(
    TaskKey,
    st.just("here"),
    st.sampled_from("AB"),
    st.tuples(RUNS, st.integers(0, 30)).map(lambda it: f"{it[1]}{it[0]}"[:250]),
    st.sampled_from("CD"),
    st.integers(-1, 2),
)


@given(st.sets(KEYS, max_size=40))
def test_every_task_is_asked_for_once_and_beside_its_own_kind(keys: set[TaskKey]) -> None:
    asked = [(name, key) for name, some in questions(keys) for key in some]
    assert Counter(key for _, key in asked) == Counter(keys)
    assert [item for item in asked if item[0] != (item[1].dag_id, item[1].task_id)] == []


@given(st.sets(KEYS, max_size=40))
def test_no_question_is_longer_than_an_address_may_be(keys: set[TaskKey]) -> None:
    runs = [{key.run_id for key in some} for _, some in questions(keys)]
    lengths = [sum(len(quote(run)) for run in some) for some in runs]
    longest = max((len(quote(key.run_id)) for key in keys), default=0)
    assert all(length <= max(LONGEST_QUESTION, longest) for length in lengths)


def test_tasks_of_usual_runs_are_few_questions() -> None:
    runs = [f"scheduled__2026-11-21T{hour:02}:00:00+00:00" for hour in range(24)]
    keys = {TaskKey("here", "abalone", run, "Train", index) for run in runs for index in range(99)}
    assert len([*questions(keys)]) == 1
