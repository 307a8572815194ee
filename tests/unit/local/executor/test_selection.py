"""Which steps may be selected together, and what they take from their source."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.local.pipelines.course import Course
from include.nacre.local.pipelines.execution import Execution, StepRun
from include.nacre.local.pipelines.selection import SelectionError, reused
from tests.unit.local.executor.courses import Plan, plans
from tests.unit.local.executor.test_course import condition, course
from tests.unit.local.pipelines import step

DONE, FAILED = StepRun("Succeeded", 0.0, 1.0, job="j"), StepRun("Failed", 0.0, 1.0)
CHAIN = course(step("A"), step("B", "A"), step("C", "B"))


def source(**steps: StepRun) -> Execution:
    return Execution("s", "arn:s", "p", 1, 0.0, status="Failed", steps=steps)


def faults(graph: Course, selected: list[str], given_source: Execution | None) -> tuple[str, ...]:
    with pytest.raises(SelectionError) as refused:
        reused(graph, selected, given_source)
    return refused.value.faults


def test_what_selected_steps_depend_on_comes_from_the_source() -> None:
    taken = reused(CHAIN, ["B", "C"], source(A=DONE, B=FAILED))
    assert taken == {"A": StepRun("Succeeded", 0.0, 1.0, job="j", reused_from="arn:s")}


def test_a_result_that_the_source_took_itself_keeps_its_origin() -> None:
    older = StepRun("Succeeded", 0.0, 1.0, reused_from="arn:older")
    assert reused(CHAIN, ["B"], source(A=older))["A"].reused_from == "arn:older"


def test_steps_that_depend_on_nothing_need_no_source() -> None:
    assert reused(CHAIN, ["A", "B"], None) == {}


def test_a_source_that_is_needed_and_not_given_is_a_fault() -> None:
    (fault,) = faults(CHAIN, ["B"], None)
    assert fault == (
        'Selected steps depend on others ("A"): give SourcePipelineExecutionArn, an earlier'
        " execution to take their results from."
    )


@pytest.mark.parametrize(
    ("found", "what"), [(source(), "did not run"), (source(A=FAILED), "is Failed")]
)
def test_a_source_without_the_result_is_a_fault(found: Execution, what: str) -> None:
    (fault,) = faults(CHAIN, ["B"], found)
    assert fault == (
        f'The step "A" {what} in the source execution arn:s, so there is no result of it to use:'
        " select it too, or name another source."
    )


def test_every_step_between_selected_ones_is_missing() -> None:
    graph = course(step("A"), step("B", "A"), step("C", "B"), step("D", "C"))
    assert faults(graph, ["A", "D"], source(C=DONE)) == (
        'The step "B" is between selected steps: it depends on A, and D on it. Select it too.',
        'The step "C" is between selected steps: it depends on A, and D on it. Select it too.',
    )


def test_unknown_steps_are_named_with_the_likeliest() -> None:
    graph = course(step("Train"))
    assert faults(graph, ["Trian", "x"], None) == (
        'The pipeline has no step "Trian". Did you mean "Train"?',
        'The pipeline has no step "x". Known: Train.',
    )


def test_a_step_of_a_branch_needs_no_decision() -> None:
    graph = course(step("A"), condition("C", [step("I", "A")], [], DependsOn=["A"]))
    assert list(reused(graph, ["I"], source(A=DONE))) == ["A"]


def test_a_step_that_wants_a_failure_takes_one() -> None:
    after = {"DependsOn": [{"Step": "A", "Trigger": "Failed"}]}
    graph = course(step("A"), step("H", **after))
    assert list(reused(graph, ["H"], source(A=FAILED))) == ["A"]


def paths(graph: Course, step: str) -> Iterator[list[str]]:
    """Every path that ends at a step, from its end."""
    yield [step]
    for other in graph.needs[step]:
        yield from ([step, *path] for path in paths(graph, other))


@given(plans(), st.data())
def test_a_gap_is_found_exactly_where_a_path_leaves_the_selection_and_comes_back(
    plan: Plan, data: st.DataObject
) -> None:
    graph = plan.course
    selected = data.draw(st.lists(st.sampled_from([*graph.needs]), unique=True, min_size=1))
    between = {
        other
        for name in selected
        for path in paths(graph, name)
        if path[-1] in selected
        for other in path
        if other not in selected
    }
    everything = source(**dict.fromkeys(graph.needs, DONE))
    try:
        reused(graph, selected, everything)
        found: set[str] = set()
    except SelectionError as error:
        found = {fault.split('"')[1] for fault in error.faults if "between" in fault}
    assert found == between
