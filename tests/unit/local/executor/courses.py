"""Random graphs of steps, what their jobs come to, and what must follow from both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import strategies as st

from include.nacre.definition.graph import Branch
from include.nacre.definition.records import COMPLETED
from include.nacre.local.pipelines.course import OUTCOMES, Course, meets
from include.nacre.local.pipelines.execution import Execution, StepRun, StepStatus

Result = Literal["Succeeded", "Failed", "Stopped"]
TRIGGERS = [COMPLETED, COMPLETED, COMPLETED, "Failed", "Stopped", "Any"]


@dataclass(frozen=True)
class Plan:
    """A graph, and what each step comes to if it runs; conditions to an outcome."""

    course: Course
    results: Mapping[str, Result]
    outcomes: Mapping[str, str]


@st.composite
def plans(draw: st.DrawFn, *, fails: bool = False) -> Plan:
    """Up to eight steps: jobs, conditions with branches, perhaps Fail steps."""
    names = [f"S{number}" for number in range(draw(st.integers(1, 8)))]
    conditions = {name for name in names if draw(st.integers(0, 3)) == 0}
    ends = {name for name in names if fails and draw(st.integers(0, 4)) == 0} - conditions
    needs: dict[str, dict[str, str]] = {}
    branches: dict[str, Branch] = {}
    for number, name in enumerate(names):
        earlier = [other for other in names[:number] if other not in ends]
        chosen = (
            draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3)) if earlier else []
        )
        needs[name] = {other: draw(st.sampled_from(TRIGGERS)) for other in chosen}
        holders = [other for other in earlier if other in conditions]
        if holders and draw(st.booleans()):
            holder = draw(st.sampled_from(holders))
            branches[name] = Branch(holder, draw(st.booleans()))
            needs[name].setdefault(holder, COMPLETED)
    results: dict[str, Result] = {
        name: draw(st.sampled_from(["Succeeded", "Succeeded", "Failed", "Stopped"]))
        for name in names
    }
    return Plan(
        Course(needs, branches, frozenset(ends)),
        {**results, **dict.fromkeys(conditions, "Succeeded"), **dict.fromkeys(ends, "Failed")},
        {name: OUTCOMES[draw(st.booleans())] for name in conditions},
    )


def new(**changes: Any) -> Execution:
    """An execution in which nothing has begun."""
    facts = {"id": "x", "arn": "arn:x", "pipeline": "p", "version": 1, "started": 0.0}
    return Execution(**{**facts, **changes})


def begun(plan: Plan, step: str, now: float) -> StepRun:
    """A step that starts: a job runs, conditions and Fail steps end at once."""
    run = StepRun("Executing", now)
    if step in plan.outcomes:
        return run.moved("Succeeded", now, metadata={"Condition": {"Outcome": plan.outcomes[step]}})
    return run.failed("told to", now) if step in plan.course.fails else run


def ended(plan: Plan, step: str, run: StepRun, now: float) -> StepRun:
    """A job that has come to its end."""
    status: StepStatus = plan.results[step]
    return run.moved(status, now)


def expected(plan: Plan) -> dict[str, Result]:
    """What runs, and to which end, said without any order of time; for plans without Fail."""
    found: dict[str, Result] = {}
    for step, needs in plan.course.needs.items():
        branch = plan.course.branches.get(step)
        taken = branch is None or plan.outcomes[branch.condition] == OUTCOMES[branch.holds]
        met = all(
            other in found and meets(StepRun(found[other], 0.0), trigger)
            for other, trigger in needs.items()
        )
        if taken and met:
            found[step] = plan.results[step]
    return found
