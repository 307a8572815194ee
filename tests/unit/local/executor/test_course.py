"""Which steps start when, and how an execution ends: by example, and as a state machine."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from include.nacre.definition.reader import read_pipeline
from include.nacre.local.lifecycle import IllegalMove
from include.nacre.local.pipelines.course import (
    OUTCOMES,
    Course,
    End,
    Fate,
    Next,
    fates,
    meets,
    next_of,
    outcome_of,
)
from include.nacre.local.pipelines.execution import (
    LONGEST_RUN,
    Execution,
    StepRun,
    retried,
    stop_asked,
)
from include.nacre.local.pipelines.records import changed, execution_of, new_execution
from include.nacre.local.place import Place
from tests.unit.local.executor.courses import Plan, begun, ended, expected, new, plans
from tests.unit.local.pipelines import definition, step

DONE, FAILED, STOPPED = (
    StepRun("Succeeded", 0.0, 1.0),
    StepRun("Failed", 0.0, 1.0, failure="AlgorithmError: x"),
    StepRun("Stopped", 0.0, 1.0),
)
RUNS = StepRun("Executing", 0.0)


def course(*steps: dict[str, Any]) -> Course:
    return Course.of(read_pipeline(definition(*steps), "p"))


def condition(name: str, if_steps: list[Any], else_steps: list[Any], **more: Any) -> dict[str, Any]:
    test = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    arguments = {"Conditions": [test], "IfSteps": if_steps, "ElseSteps": else_steps}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **more}


def went(outcome: str) -> StepRun:
    return StepRun("Succeeded", 0.0, 1.0, metadata={"Condition": {"Outcome": outcome}})


def execution(status: Any = "Executing", **steps: StepRun) -> Execution:
    return Execution("x", "arn:x", "p", 1, 0.0, status=status, steps=steps)


def after(name: str, trigger: str) -> dict[str, Any]:
    return {"DependsOn": [{"Step": name, "Trigger": trigger}]}


def test_what_depends_on_nothing_starts_in_the_order_of_the_file() -> None:
    assert next_of(course(step("B"), step("A")), execution()) == Next(start=("B", "A"))


def test_a_step_waits_for_all_that_it_depends_on() -> None:
    graph = course(step("A"), step("B"), step("C", "A", "B"))
    assert next_of(graph, execution(A=DONE, B=RUNS)) == Next()
    assert next_of(graph, execution(A=DONE, B=DONE)) == Next(start=("C",))


def test_references_and_explicit_dependencies_are_edges() -> None:
    refers = step("B")
    refers["Arguments"]["Environment"] = {"X": {"Get": "Steps.A.ProcessingJobName"}}
    assert course(refers, step("A"), step("C", "B")).needs == {
        "A": {},
        "B": {"A": "Completed"},
        "C": {"B": "Completed"},
    }


def test_a_step_after_one_that_failed_does_not_run_and_others_still_do() -> None:
    graph = course(step("A"), step("B", "A"), step("C"), step("D", "C"), step("E", "B", "D"))
    assert next_of(graph, execution(A=FAILED, C=DONE)) == Next(start=("D",))


@pytest.mark.parametrize(
    ("bad", "status"), [(FAILED, "Failed"), (STOPPED, "Failed"), (DONE, "Succeeded")]
)
def test_an_execution_ends_when_nothing_runs_and_nothing_can_start(
    bad: StepRun, status: str
) -> None:
    end = next_of(course(step("A"), step("B"), step("C", "B")), execution(A=bad, B=DONE, C=DONE))
    assert (end.start, end.end and end.end.status) == ((), status)


def test_the_reason_of_a_failure_names_the_steps_with_their_reasons() -> None:
    graph = course(step("A"), step("B"))
    assert next_of(graph, execution(A=FAILED, B=STOPPED)).end == End(
        "Failed",
        "Step failure: One or multiple steps failed. A: AlgorithmError: x B: Stopped",
    )


@pytest.mark.parametrize(
    ("trigger", "run", "starts"),
    [
        ("Failed", FAILED, True),
        ("Failed", STOPPED, False),
        ("Failed", DONE, False),
        ("Stopped", STOPPED, True),
        ("Stopped", FAILED, False),
        ("Any", DONE, True),
        ("Any", FAILED, True),
        ("Any", STOPPED, True),
    ],
)
def test_a_step_starts_at_the_end_that_it_names(trigger: str, run: StepRun, starts: bool) -> None:
    graph = course(step("A"), step("B", **after("A", trigger)))
    assert (next_of(graph, execution(A=run)).start == ("B",)) is starts


def test_a_trigger_that_waits_for_any_end_does_not_start_for_a_step_that_never_ran() -> None:
    graph = course(step("A"), step("B", "A"), step("C", **after("B", "Any")))
    assert fates(graph, execution(A=FAILED)) == {"B": Fate.NEVER, "C": Fate.NEVER}


def test_failures_that_a_step_ran_for_are_no_failure_of_the_execution() -> None:
    graph = course(step("A"), step("B", **after("A", "Failed")))
    assert next_of(graph, execution(A=FAILED, B=DONE)).end == End("CompletedWithFailures")


def test_a_failure_that_nobody_handled_fails_the_execution() -> None:
    graph = course(step("A"), step("B", **after("A", "Any")), step("C"))
    end = next_of(graph, execution(A=FAILED, B=DONE, C=FAILED)).end
    assert (end and end.status) == "Failed"


def test_an_explicit_end_also_counts_where_the_step_is_referred_to() -> None:
    handler = step("B", **after("A", "Any"))
    handler["Arguments"]["Environment"] = {"X": {"Get": "Steps.A.ProcessingJobName"}}
    assert next_of(course(step("A"), handler), execution(A=FAILED)).start == ("B",)


def test_only_the_branch_taken_runs_and_what_depends_on_the_other_does_not() -> None:
    graph = course(
        condition("C", [step("I"), step("J", "I")], [step("E")]), step("K", "E"), step("L", "C")
    )
    assert next_of(graph, execution()).start == ("C",)
    assert next_of(graph, execution(C=went("True"))).start == ("I", "L")
    assert next_of(graph, execution(C=went("False"))).start == ("E", "L")
    assert fates(graph, execution(C=went("True")))["K"] is Fate.NEVER


def test_a_condition_in_a_branch_not_taken_is_not_decided_nor_are_its_branches() -> None:
    inner = condition("D", [step("I")], [step("J")])
    graph = course(condition("C", [inner], []))
    assert next_of(graph, execution(C=went("False"))).end == End("Succeeded")


def test_branches_of_a_condition_that_failed_do_not_run() -> None:
    graph = course(condition("C", [step("I")], [step("E")]))
    end = next_of(graph, execution(C=FAILED)).end
    assert (end and end.status) == "Failed"


def test_after_a_fail_step_nothing_starts_and_what_runs_goes_on() -> None:
    fail = {"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    graph = course(step("A"), step("B", "A"), fail, step("C"))
    told = StepRun("Failed", 0.0, 0.0, failure="no")
    assert next_of(graph, execution(F=told, A=DONE, C=RUNS)) == Next()
    assert next_of(graph, execution(F=told, A=DONE, C=DONE)).end == End("Failed", "no")


def test_at_most_so_many_steps_run_at_once() -> None:
    graph = course(step("A"), step("B"), step("C"))
    few = Execution("x", "arn:x", "p", 1, 0.0, parallelism=2, steps={"A": RUNS})
    assert next_of(graph, few).start == ("B",)


def test_fewer_at_once_than_run_already_starts_nothing_more() -> None:
    graph = course(step("A"), step("B"), step("C"))
    few = Execution("x", "arn:x", "p", 1, 0.0, parallelism=1, steps={"A": RUNS, "B": RUNS})
    assert next_of(graph, few) == Next()


def test_a_stopping_execution_starts_nothing_and_ends_when_nothing_runs() -> None:
    graph = course(step("A"), step("B", "A"), step("C"))
    assert next_of(graph, execution("Stopping", A=DONE, C=RUNS)) == Next()
    assert next_of(graph, execution("Stopping", A=DONE, C=FAILED)).end == End("Stopped")


def test_only_selected_steps_run_whatever_holds_them() -> None:
    graph = course(step("A"), condition("C", [step("I", "A")], []), step("B", "I"))
    chosen = Execution(*("x", "arn:x", "p", 1, 0.0), selected=frozenset({"I"}), steps={"A": DONE})
    assert next_of(graph, chosen).start == ("I",)
    done = chosen.with_step("I", DONE)
    assert next_of(graph, done).end == End("Succeeded")


def test_a_retried_execution_keeps_what_succeeded() -> None:
    graph = course(step("A"), step("B", "A"), step("C", "B"))
    again = retried(execution("Failed", A=DONE, B=FAILED), 7.0, parallelism=3)
    assert (again.steps, again.retries, again.parallelism) == ({"A": DONE}, 1, 3)
    assert again.deadline == 7.0 + LONGEST_RUN
    assert next_of(graph, again).start == ("B",)


def test_a_retried_execution_keeps_the_failure_that_it_took_from_its_source() -> None:
    graph = course(step("A"), step("B", DependsOn=[{"Step": "A", "Trigger": "Failed"}]))
    taken = replace(FAILED, reused_from="arn:of:the:source")
    ended = replace(execution("Stopped", A=taken, B=STOPPED), selected=frozenset({"B"}))
    again = retried(ended, 7.0)
    assert (again.steps, next_of(graph, again).start) == ({"A": taken}, ("B",))


@pytest.mark.parametrize("status", ["Executing", "Stopping", "Succeeded"])
def test_what_runs_or_succeeded_is_not_retried(status: Any) -> None:
    with pytest.raises(IllegalMove):
        retried(execution(status), 7.0)


@pytest.mark.parametrize("status", ["Stopped", "Failed", "Succeeded", "CompletedWithFailures"])
def test_what_has_ended_is_not_stopped(status: Any) -> None:
    with pytest.raises(IllegalMove):
        stop_asked(execution(status))


def test_a_step_that_has_ended_does_not_move() -> None:
    with pytest.raises(IllegalMove, match="a step that is Succeeded cannot become Failed"):
        DONE.failed("too late", 2.0)


def test_reasons_are_cut_to_what_the_api_can_tell() -> None:
    run = RUNS.failed("x" * 5000, 1.0)
    whole = execution().moved("Failed", "y" * 5000)
    assert (len(run.failure or ""), len(whole.failure or "")) == (1024, 1300)


def drive(plan: Plan, order: list[int], parallelism: int | None = None) -> Execution:
    """Run a plan to its end; `order` says which of the running steps ends next."""
    now, current = 0.0, new(parallelism=parallelism)
    for number in [*order, *[0] * 40]:
        todo = next_of(plan.course, current)
        now += 1
        if todo.end:
            return current.moved(todo.end.status, todo.end.failure)
        for name in todo.start:
            current = current.with_step(name, begun(plan, name, now))
        live = [*current.live]
        if live:
            name = live[number % len(live)]
            current = current.with_step(name, ended(plan, name, current.steps[name], now))
    raise AssertionError("it did not end")


@given(plans(), st.lists(st.integers(0, 7), max_size=20), st.none() | st.integers(1, 3))
def test_what_runs_depends_on_no_order_of_ends_and_no_parallelism(
    plan: Plan, order: list[int], parallelism: int | None
) -> None:
    final = drive(plan, order, parallelism)
    assert {name: run.status for name, run in final.steps.items()} == expected(plan)


@given(plans(), st.lists(st.integers(0, 7), max_size=20))
def test_the_end_of_an_execution_follows_from_its_steps(plan: Plan, order: list[int]) -> None:
    final = drive(plan, order)
    bad = {name for name, result in expected(plan).items() if result != "Succeeded"}
    handled = {
        other
        for name in expected(plan)
        for other, trigger in plan.course.needs[name].items()
        if trigger != "Completed"
    }
    whole = "Failed" if bad - handled else "CompletedWithFailures" if bad else "Succeeded"
    assert final.status == whole


class Executions(RuleBasedStateMachine):
    """An execution to which anything happens at any time: ends, crashes, a stop, retries."""

    @initialize(plan=plans(fails=True), parallelism=st.none() | st.integers(1, 3))
    def begin(self, plan: Plan, parallelism: int | None) -> None:
        self.plan, self.now = plan, 0.0
        self.current = new(parallelism=parallelism)
        self.ever: list[tuple[int, str]] = []
        self.retries = 0

    @rule(number=st.integers(0, 7))
    def a_step_ends(self, number: int) -> None:
        live = [*self.current.live]
        if live:
            name = live[number % len(live)]
            run = ended(self.plan, name, self.current.steps[name], self.tick())
            self.current = self.current.with_step(name, run)

    @rule()
    def the_executor_looks(self) -> None:
        if self.current.is_over:
            return
        todo = next_of(self.plan.course, self.current)
        for name in todo.start:
            self.check_start(name)
            self.ever.append((self.current.retries, name))
            self.current = self.current.with_step(name, begun(self.plan, name, self.tick()))
        if todo.end:
            self.current = self.current.moved(todo.end.status, todo.end.failure)

    @rule()
    def the_server_is_killed(self) -> None:
        row = new_execution(Place(), "x", "p", 1, 0.0, parameters={}, request={})
        stored = changed(row, self.current, self.now)
        read = json.loads(json.dumps({"request": stored.request, "state": stored.state}))
        again = execution_of(
            type(row)(**{**vars(stored), "request": read["request"], "state": read["state"]})
        )
        assert again.steps == self.current.steps
        self.current = again

    @precondition(lambda self: self.current.status == "Executing")
    @rule(chance=st.integers(0, 5))
    def somebody_stops_it(self, chance: int) -> None:
        if chance == 0:
            self.current = stop_asked(self.current)

    @precondition(lambda self: self.current.is_over and self.current.status != "Succeeded")
    @rule()
    def somebody_retries_it(self) -> None:
        if self.current.retries < 2:
            self.current = retried(self.current, self.tick())

    def tick(self) -> float:
        self.now += 1
        return self.now

    def check_start(self, name: str) -> None:
        branch = self.plan.course.branches.get(name)
        assert self.current.status == "Executing"
        assert (self.current.retries, name) not in self.ever
        for other, trigger in self.plan.course.needs[name].items():
            run = self.current.steps[other]
            assert run.is_over
            assert meets(run, trigger)
            if branch and branch.condition == other:
                assert outcome_of(run) == OUTCOMES[branch.holds]

    @invariant()
    def never_more_at_once_than_allowed(self) -> None:
        if hasattr(self, "current") and self.current.parallelism is not None:
            assert len(self.current.live) <= self.current.parallelism

    @invariant()
    def nothing_runs_in_what_is_over(self) -> None:
        if hasattr(self, "current") and self.current.is_over:
            assert self.current.live == {}

    def teardown(self) -> None:
        if hasattr(self, "current"):
            for _ in range(50):
                self.the_executor_looks()
                self.a_step_ends(0)
            assert self.current.is_over


TestExecutions = Executions.TestCase
TestExecutions.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow],
)
