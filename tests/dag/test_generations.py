"""What a run writes when it is begun again never mixes with what it wrote before."""

from typing import Any

import pytest

from include.nacre.dag.identity import execution_id
from include.nacre.definition.authoring import Condition, Integer, equals
from tests.dag.runs import Outcome, clear_and_run, output_of, run
from tests.dag.steps import dag_of, script
from tests.dag.test_one_job import broken_once
from tests.support.local_sagemaker import BUCKET

pytestmark = pytest.mark.usefixtures("airflow")


def line() -> list[Any]:
    """Three steps, one after the other."""
    return [
        script("First"),
        script("Middle", depends_on=["First"]),
        script("Last", depends_on=["Middle"]),
    ]


def ids(outcome: Outcome, *steps: str) -> list[str]:
    """The execution id that each step has written under."""
    return [output_of(outcome, step).split("/")[-2] for step in steps]


def test_a_run_that_is_cleared_as_a_whole_writes_to_new_places() -> None:
    steps = ("First", "Middle", "Last")
    outcome = run(dag_of(*line()))
    found = [ids(outcome, *steps)]
    for _ in range(2):
        outcome = clear_and_run(outcome)
        found.append(ids(outcome, *steps))
    assert outcome.state == "success"
    assert [len(set(generation)) for generation in found] == [1, 1, 1]
    assert len({generation[0] for generation in found}) == 3


def test_a_later_step_that_is_cleared_writes_to_the_same_place() -> None:
    outcome = run(dag_of(*line()))
    before = ids(outcome, "Middle", "Last")
    outcome = clear_and_run(outcome, "Middle")
    outcome = clear_and_run(outcome, "Middle", "Last")
    assert ids(outcome, "Middle", "Last") == before


def test_a_later_step_that_is_cleared_stays_in_its_runs_generation() -> None:
    outcome = clear_and_run(run(dag_of(*line())))
    before = ids(outcome, "First", "Last")
    assert ids(clear_and_run(outcome, "Last"), "First", "Last") == before


def test_a_retry_writes_to_the_same_place() -> None:
    lost = {"First": {"post_execute": broken_once()}}
    outcome = run(dag_of(*line(), retries=1, step_args=lost))
    assert outcome.task("First").try_number == 2
    assert len(set(ids(outcome, "First", "Middle", "Last"))) == 1


def test_a_retry_after_a_clear_stays_in_its_generation() -> None:
    broken = iter([False, True, False])

    def breaks_in_the_second_generation(*_: Any) -> None:
        if next(broken):
            raise RuntimeError("the worker is lost")

    hook = {"First": {"post_execute": breaks_in_the_second_generation}}
    outcome = run(dag_of(*line(), retries=1, step_args=hook))
    before = ids(outcome, "First")
    outcome = clear_and_run(outcome)
    assert outcome.task("First").try_number == 3
    found = ids(outcome, "First", "Middle", "Last")
    assert (len(set(found)), found[0] != before[0]) == (1, True)


def test_roots_that_are_cleared_together_begin_together_whatever_they_needed_before() -> None:
    steps = [script("A"), script("B"), script("Both", depends_on=["A", "B"])]
    lost = {"A": {"post_execute": broken_once()}}
    outcome = run(dag_of(*steps, retries=1, step_args=lost))
    (first,) = set(ids(outcome, "A", "B", "Both"))
    (second,) = set(ids(clear_and_run(outcome), "A", "B", "Both"))
    assert second != first


def test_the_first_generation_is_that_of_old_runs() -> None:
    outcome = run(dag_of(script("Work")))
    old = execution_id("tests", outcome.dag.dag_id, outcome.run.run_id, "", -1)
    assert ids(outcome, "Work") == [old]


def test_a_step_takes_the_newest_of_the_roots_that_it_descends_from() -> None:
    steps = [
        script("A"),
        script("B"),
        script("AfterA", depends_on=["A"]),
        script("AfterB", depends_on=["B"]),
        script("AfterBoth", depends_on=["AfterA", "AfterB"]),
    ]
    outcome = run(dag_of(*steps))
    (first,) = set(ids(outcome, "A", "B", "AfterA", "AfterB", "AfterBoth"))
    outcome = clear_and_run(outcome, "A", "AfterA", "AfterBoth")
    (second,) = set(ids(outcome, "A", "AfterA", "AfterBoth"))
    assert (ids(outcome, "B", "AfterB"), second != first) == ([first, first], True)


def test_a_root_that_is_a_condition_counts_too() -> None:
    count = Integer("Count", 1)
    check = Condition("Check", [equals(count, 1)], if_steps=[script("Work")])
    outcome = run(dag_of(check, parameters=[count]))
    before = ids(outcome, "Work")
    assert ids(clear_and_run(outcome, "Work"), "Work") == before
    assert ids(clear_and_run(outcome), "Work") != before


def test_a_step_that_refers_to_no_place_itself_counts_for_those_after_it() -> None:
    target = {
        "S3Uri": f"s3://{BUCKET}/dag-tests/fixed",
        "LocalPath": "/opt/ml/processing/report",
        "S3UploadMode": "EndOfJob",
    }
    fixed = {"Outputs": [{"OutputName": "report", "S3Output": target}]}
    first = script("First", request={"ProcessingOutputConfig": fixed})
    outcome = run(dag_of(first, script("Last", depends_on=["First"])))
    before = ids(outcome, "Last")
    assert ids(clear_and_run(outcome), "Last") != before
