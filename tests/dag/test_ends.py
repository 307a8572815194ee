"""What a step makes of the ends of others, and the run of the failures of its steps."""

from typing import Any

import pytest
from airflow.sdk import DAG

from include.nacre.dag import PipelineTaskGroup
from include.nacre.definition.authoring import Condition, Dependency, Integer, Step, equals
from tests.dag.runs import Outcome, run
from tests.dag.steps import dag_of, made, script

pytestmark = pytest.mark.usefixtures("airflow")
BROKEN = "raise SystemExit(1)"


def after(name: str, *ends: Dependency) -> Step:
    return script(name, depends_on=ends)


def ran(outcome: Outcome) -> dict[str, str]:
    """The ends of the tasks that ran."""
    ends = ("success", "failed")
    return {name: state for name, state in outcome.states.items() if state in ends}


def test_a_step_that_never_began_has_not_failed() -> None:
    steps = [
        script("Broken", BROKEN),
        script("Never", depends_on=["Broken"]),
        after("Clean", Dependency("Never", "Failed")),
    ]
    outcome = run(dag_of(*steps))
    assert ran(outcome) == {"Broken": "failed", "unseen_failures": "failed"}


def test_a_step_of_a_branch_not_taken_has_no_end_at_all() -> None:
    fork = Condition("Fork", [equals(1, 2)], if_steps=[script("Other")])
    outcome = run(dag_of(fork, after("After", Dependency("Other", "Any"))))
    assert (outcome.state, ran(outcome)) == (
        "success",
        {"Fork": "success", "unseen_failures": "success"},
    )


def test_a_step_may_wait_for_the_success_of_one_and_the_failure_of_another() -> None:
    steps = [
        script("Broken", BROKEN),
        script("Fine"),
        after("Both", Dependency("Fine"), Dependency("Broken", "Failed")),
        after("Neither", Dependency("Broken"), Dependency("Fine", "Failed")),
    ]
    outcome = run(dag_of(*steps))
    assert (outcome.state, ran(outcome)) == (
        "success",
        {"Broken": "failed", "Fine": "success", "Both": "success", "unseen_failures": "success"},
    )


def hidden(*, taken: bool) -> list[Any]:
    """A step that fails, and one that waits for it in a branch."""
    fork = Condition(
        "Fork", [equals(1, 1 if taken else 2)], if_steps=[script("User", depends_on=["Broken"])]
    )
    return [script("Broken", BROKEN), fork]


@pytest.mark.parametrize("taken", [True, False])
def test_a_run_with_a_failed_step_has_failed_whichever_branch_was_taken(taken: bool) -> None:
    outcome = run(dag_of(*hidden(taken=taken)))
    assert (outcome.state, outcome.states["unseen_failures"]) == ("failed", "failed")


def test_the_failure_of_a_last_step_is_not_hidden_by_the_task_that_watches() -> None:
    fork = Condition("Fork", [equals(1, 2)], if_steps=[script("User", depends_on=["Fine"])])
    outcome = run(dag_of(script("Fine"), fork, script("Broken", BROKEN)))
    assert (outcome.state, outcome.states["unseen_failures"]) == ("failed", "failed")


def test_the_failure_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    run(dag_of(*hidden(taken=False)))
    assert "StepRefused: These steps have failed: Broken" in capfd.readouterr().out


def test_the_task_that_watches_has_a_name_of_its_own() -> None:
    steps = [*hidden(taken=False), script("unseen_failures")]
    assert ran(run(dag_of(*steps)))["unseen_failures_"] == "failed"


def test_in_a_task_group_ends_are_those_of_the_group() -> None:
    with DAG("group_ends", schedule=None) as dag:
        PipelineTaskGroup("g", made(*hidden(taken=False)))
    outcome = run(dag)
    assert (outcome.state, ran(outcome)) == (
        "failed",
        {"g.Broken": "failed", "g.Fork": "success", "g.unseen_failures": "failed"},
    )


def test_in_a_mapped_group_ends_are_those_of_the_same_index() -> None:
    from airflow.sdk import task_group

    number = Integer("Number")
    fork = Condition("Fork", [equals(number, 1)], if_steps=[script("Other")])
    rescue = after("After", Dependency("Other", "Any"))
    with DAG("mapped_ends", schedule=None) as dag:

        @task_group
        def each(value: Any) -> None:
            pipeline = made(fork, rescue, parameters=[number])
            PipelineTaskGroup("g", pipeline, parameters={"Number": value})

        each.expand(value=[1, 2])
    outcome = run(dag)
    states = [str(outcome.task("each.g.After", index).state) for index in (0, 1)]
    assert states == ["success", "skipped"]
