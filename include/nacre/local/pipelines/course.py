"""What happens next in an execution: pure, from the graph of a pipeline and what has been done.

A step starts when all that it depends on has ended as it wants: successfully, unless its
`DependsOn` names another end. Where that cannot happen any more the step never runs, nor does
what depends on it; neither that nor a branch not taken is a failure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from include.nacre.definition.graph import Branch, Needs, branches, needs
from include.nacre.definition.records import COMPLETED, Pipeline
from include.nacre.local.pipelines.execution import Execution, ExecutionStatus, StepRun

OUTCOMES: Mapping[bool, str] = {True: "True", False: "False"}
"""Of a Condition step, in the service's words, by whether its conditions hold."""

_FAILED = "Step failure: One or multiple steps failed."


@dataclass(frozen=True)
class Course:
    """The graph of a pipeline, as `definition.graph` tells it, and which of its steps are Fail."""

    needs: Needs
    branches: Mapping[str, Branch]
    fails: frozenset[str]

    @classmethod
    def of(cls, pipeline: Pipeline) -> "Course":
        """Return the graph of a pipeline."""
        fails = frozenset(step.name for step in pipeline.all_steps if step.type == "Fail")
        return cls(needs(pipeline), branches(pipeline), fails)


class Fate(Enum):
    """What will become of a step that has not begun."""

    READY = "it can start"
    WAITS = "it may start later"
    NEVER = "it does not run in this execution"


@dataclass(frozen=True)
class End:
    """How an execution ends."""

    status: ExecutionStatus
    failure: str | None = None


@dataclass(frozen=True)
class Next:
    """What to do now: steps to start, or the end. Neither means to wait for what is running."""

    start: tuple[str, ...] = ()
    end: End | None = None


def meets(run: StepRun, trigger: str) -> bool:
    """Say whether a step that has ended did so as a dependent step wants."""
    return trigger == "Any" or run.status == ("Succeeded" if trigger == COMPLETED else trigger)


def fates(course: Course, execution: Execution) -> dict[str, Fate]:
    """Return what will become of each step that has not begun."""
    found: dict[str, Fate] = {}
    for step in course.needs:
        if step not in execution.steps:
            found[step] = _fate(step, course, execution, found)
    return found


def _fate(step: str, course: Course, execution: Execution, earlier: Mapping[str, Fate]) -> Fate:
    if execution.selected is not None and step not in execution.selected:
        return Fate.NEVER
    branch = course.branches.get(step)
    verdicts = {
        _upstream_fate(other, trigger, branch, execution, earlier)
        for other, trigger in course.needs[step].items()
    }
    for fate in (Fate.NEVER, Fate.WAITS):
        if fate in verdicts:
            return fate
    return Fate.READY


def _upstream_fate(
    other: str,
    trigger: str,
    branch: Branch | None,
    execution: Execution,
    earlier: Mapping[str, Fate],
) -> Fate:
    """Return what one step that is awaited means for the one that waits."""
    is_holder = branch is not None and branch.condition == other
    if is_holder and execution.selected is not None and other not in execution.selected:
        return Fate.READY  # whoever selects a step of a branch has decided the condition
    run = execution.steps.get(other)
    if run is None:
        return Fate.NEVER if earlier[other] is Fate.NEVER else Fate.WAITS
    if not run.is_over:
        return Fate.WAITS
    if branch is not None and is_holder and outcome_of(run) != OUTCOMES[branch.holds]:
        return Fate.NEVER
    return Fate.READY if meets(run, trigger) else Fate.NEVER


def outcome_of(run: StepRun) -> str | None:
    """Return the outcome of a Condition step, one of OUTCOMES; None if it has none."""
    outcome: str | None = run.metadata.get("Condition", {}).get("Outcome")
    return outcome


def next_of(course: Course, execution: Execution) -> Next:
    """Say what to do now in an execution that is not over."""
    live = execution.live
    if execution.status == "Stopping":
        return Next() if live else Next(end=End("Stopped"))
    failed = _failure(course, execution)
    if failed is not None:
        return Next() if live else Next(end=End("Failed", failed))
    ready = [name for name, fate in fates(course, execution).items() if fate is Fate.READY]
    if ready:
        room = len(ready) if execution.parallelism is None else execution.parallelism - len(live)
        return Next(start=tuple(ready[: max(0, room)]))
    return Next() if live else Next(end=_end(course, execution))


def _failure(course: Course, execution: Execution) -> str | None:
    """Return the message of the Fail step that has run."""
    for name, run in execution.steps.items():
        if name in course.fails and run.status == "Failed":
            return run.failure or ""
    return None


def _end(course: Course, execution: Execution) -> End:
    bad = {name: run for name, run in execution.steps.items() if run.status != "Succeeded"}
    unhandled = {name: run for name, run in bad.items() if not _handled(name, course, execution)}
    if unhandled:
        return End("Failed", " ".join([_FAILED, *_reasons(unhandled)]))
    return End("CompletedWithFailures" if bad else "Succeeded")


def _handled(step: str, course: Course, execution: Execution) -> bool:
    """Say whether a step ran because this one did not succeed."""
    return any(
        needs.get(step, COMPLETED) != COMPLETED and name in execution.steps
        for name, needs in course.needs.items()
    )


def _reasons(runs: Mapping[str, StepRun]) -> Iterator[str]:
    for name, run in runs.items():
        yield f"{name}: {run.failure or run.status}"
