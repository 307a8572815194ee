"""Names of jobs, and the moves towards having exactly one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.dag.identity import (
    CLIENT_TOKEN_LENGTH,
    Beginning,
    Do,
    Found,
    Generation,
    Move,
    TaskKey,
    beginning,
    client_token,
    execution_id,
    first_move,
    job_name,
    next_move,
    readable_name,
)

SERVICE_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
FIRST = Generation(0, 1)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=260)
KEYS = st.builds(TaskKey, ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT, st.integers(-1, 2000))
GENERATIONS = st.builds(Generation, st.integers(0, 50), st.integers(1, 50))


def key(**other: object) -> TaskKey:
    usual = {"installation": "here", "dag_id": "abalone", "run_id": "r1", "task_id": "Train"}
    return TaskKey(**{**usual, **other})  # type: ignore[arg-type]


def test_a_name_begins_with_pipeline_and_step() -> None:
    assert readable_name("abalone", "Evaluate") == "abalone-evaluate"


def test_a_step_that_repeats_the_pipelines_name_is_not_repeated() -> None:
    assert readable_name("AbalonePipeline", "AbaloneTrain") == "abalone-train"
    assert readable_name("Abalone", "Abalone") == "abalone-abalone"


def test_a_name_of_other_letters_is_still_a_name() -> None:
    assert re.fullmatch(r"job-[a-z2-7]{16}", job_name(key(), FIRST, readable_name("貝", "訓練")))


def test_a_jobs_name_is_readable_first_and_its_digest_last() -> None:
    name = job_name(key(), FIRST, "abalone-train")
    assert re.fullmatch(r"abalone-train-[a-z2-7]{16}", name)


@given(KEYS, GENERATIONS, ANY_TEXT, st.sampled_from([32, 63]))
def test_every_name_is_one_that_the_service_takes(
    task: TaskKey, generation: Generation, readable: str, limit: int
) -> None:
    name = job_name(task, generation, readable, limit)
    assert SERVICE_NAME.fullmatch(name)
    assert len(name) <= limit


@given(KEYS, GENERATIONS, ANY_TEXT)
def test_the_same_task_and_generation_give_the_same_name(
    task: TaskKey, generation: Generation, readable: str
) -> None:
    again = TaskKey(**vars(task)), Generation(*generation)
    assert job_name(task, generation, readable) == job_name(*again, readable)


@given(st.lists(st.tuples(KEYS, GENERATIONS), unique=True, min_size=2, max_size=20))
def test_different_tasks_or_generations_give_different_names(
    tasks: list[tuple[TaskKey, Generation]],
) -> None:
    names = {job_name(task, generation, "step", 32) for task, generation in tasks}
    assert len(names) == len(tasks)


def test_two_installations_with_the_same_dags_give_different_names() -> None:
    here, there = key(installation="here"), key(installation="there")
    assert job_name(here, FIRST, "x") != job_name(there, FIRST, "x")


def test_parts_of_a_key_cannot_be_mistaken_for_each_other() -> None:
    assert job_name(key(dag_id="ab", run_id="c"), FIRST, "x") != job_name(
        key(dag_id="a", run_id="bc"), FIRST, "x"
    )


@given(KEYS, GENERATIONS)
def test_a_client_token_is_one_that_the_service_takes(
    task: TaskKey, generation: Generation
) -> None:
    token = client_token(task, generation)
    assert re.fullmatch(rf"[a-z0-9]{{{CLIENT_TOKEN_LENGTH}}}", token)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_an_execution_id_has_twelve_letters_and_digits(
    installation: str, dag: str, run: str, scope: str
) -> None:
    assert re.fullmatch(r"[a-z0-9]{12}", execution_id(installation, dag, run, scope, -1))


def test_two_groups_of_one_run_have_different_execution_ids() -> None:
    assert execution_id("i", "d", "r", "one", -1) != execution_id("i", "d", "r", "two", -1)


def test_the_first_try_looks_whether_its_name_is_free() -> None:
    assert first_move(None, 2, durable=True) == Move(Do.LOOK, Generation(2, 1), owned=False)


def test_a_retry_looks_for_the_job_that_was_stored() -> None:
    stored = Generation(2, 3)
    assert first_move(stored, 2, durable=True) == Move(Do.LOOK, stored, owned=True)


def test_a_cleared_task_begins_a_generation() -> None:
    move = first_move(Generation(2, 3), 4, durable=True)
    assert move == Move(Do.LOOK, Generation(4, 1), owned=False)


def test_a_clear_after_the_tasks_retries_were_lowered_begins_a_generation() -> None:
    move = first_move(Generation(5, 1), 1, durable=True)
    assert move == Move(Do.LOOK, Generation(1, 1), owned=False)


def test_without_a_store_what_has_the_name_is_ours() -> None:
    assert first_move(None, 2, durable=False) == Move(Do.LOOK, Generation(2, 1), owned=True)


def test_a_name_that_is_free_is_followed_by_a_creation() -> None:
    move = next_move(Move(Do.LOOK, FIRST, owned=False), Found.NOTHING, durable=True)
    assert move == Move(Do.CREATE, FIRST, owned=True)


def test_a_usable_job_of_ours_is_adopted() -> None:
    move = next_move(Move(Do.LOOK, FIRST, owned=True), Found.USABLE, durable=True)
    assert move == Move(Do.ADOPT, FIRST, owned=True)


def test_a_dead_job_is_followed_by_the_next_generation() -> None:
    move = next_move(Move(Do.LOOK, FIRST, owned=True), Found.DEAD, durable=True)
    assert move == Move(Do.LOOK, Generation(0, 2), owned=False)


def test_a_job_of_ours_that_failed_untold_is_adopted_and_one_that_is_not_ours_is_not() -> None:
    ours, foreign = (Move(Do.LOOK, FIRST, owned=owned) for owned in (True, False))
    found = [next_move(move, Found.FAILED, durable=True) for move in (ours, foreign)]
    assert found == [
        Move(Do.ADOPT, FIRST, owned=True),
        Move(Do.LOOK, Generation(0, 2), owned=False),
    ]


def test_a_usable_job_that_is_not_ours_is_left_alone() -> None:
    move = next_move(Move(Do.LOOK, FIRST, owned=False), Found.USABLE, durable=True)
    assert move == Move(Do.LOOK, Generation(0, 2), owned=False)


def test_without_a_store_the_attempts_are_looked_through() -> None:
    move = next_move(Move(Do.LOOK, FIRST, owned=True), Found.DEAD, durable=False)
    assert move == Move(Do.LOOK, Generation(0, 2), owned=True)


@pytest.mark.parametrize(
    ("stored", "max_tries", "retries", "count"),
    [
        (None, 2, 2, 0),  # the first try
        (Beginning(2, 0), 2, 2, 0),  # a retry
        (Beginning(2, 0), 3, 2, 1),  # cleared after one try
        (Beginning(2, 0), 5, 2, 1),  # cleared after three
        (Beginning(5, 1), 5, 2, 1),  # a retry after that
        (Beginning(2, 0), 1, 0, 1),  # cleared after the retries were lowered
        (Beginning(2, 0), 4, 3, 1),  # and after they were raised
        (Beginning(2, 0), 2, 1, 0),  # a retry after they were lowered
        (None, 3, 2, 1),  # cleared, and what was stored is gone
        (None, 5, 2, 3),  # the same after three tries
        (None, 2, 3, 0),  # not begun when they were raised
    ],
)
def test_a_run_begins_anew_when_its_root_was_cleared(
    stored: Beginning | None, max_tries: int, retries: int, count: int
) -> None:
    assert beginning(stored, max_tries, retries) == Beginning(max_tries, count)


def test_each_generation_has_an_execution_id_and_the_first_that_of_old_runs() -> None:
    run = ("i", "d", "r", "one", -1)
    assert execution_id(*run, 0) == execution_id(*run)
    assert len({execution_id(*run, count) for count in range(4)}) == 4
