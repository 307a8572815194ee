"""One step, moved: which functions begin and carry on with the steps of which type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from include.nacre.definition.expressions import EvaluationError
from include.nacre.definition.records import Step
from include.nacre.local.pipelines import jobsteps, plainsteps
from include.nacre.local.pipelines.execution import StepRun
from include.nacre.local.pipelines.ground import Ground
from include.nacre.local.pipelines.kinds import KINDS


def _nothing(_ground: Ground, _step: Step, _run: StepRun) -> None:
    """What ends at once needs no carrying on."""


@dataclass(frozen=True)
class Work:
    """What a step type does.

    `first` gives the run with which a step begins, from one that is Starting: nothing is done
    yet. `carry_on` does what can be done now for a step that runs. Both may raise
    EvaluationError, which fails the step.
    """

    first: Callable[[Ground, Step, StepRun], StepRun]
    carry_on: Callable[[Ground, Step, StepRun], None] = _nothing


def _refuse(ground: Ground, step: Step, run: StepRun) -> StepRun:  # noqa: ARG001 - as every `first`
    known = ", ".join(sorted(WORK))
    return run.failed(
        f"ClientError: The local SageMaker does not run {step.type} steps. It runs: {known}. Run"
        " this pipeline on SageMaker, or run its other steps with SelectiveExecutionConfig.",
        run.started,
    )


WORK: Mapping[str, Work] = {
    **dict.fromkeys(KINDS, Work(jobsteps.first, jobsteps.carry_on)),
    "Condition": Work(plainsteps.decide),
    "Fail": Work(plainsteps.fail),
    "Callback": Work(plainsteps.call_back, plainsteps.carry_on_callback),
}
"""By step type; every other type fails."""

_UNKNOWN = Work(_refuse)


def begin(ground: Ground, step: Step) -> None:
    """Start a step that has not begun, unless the execution is being stopped by now."""
    work, starting = WORK.get(step.type, _UNKNOWN), StepRun("Starting", ground.now)
    try:
        run = work.first(ground, step, starting)
    except EvaluationError as error:
        run = starting.failed(f"ClientError: {error}", starting.started)
    if ground.begin(step, run) and not run.is_over:
        carry_on(ground, step)


def carry_on(ground: Ground, step: Step) -> bool:
    """Do what can be done now for a step that runs; say whether it moved."""
    before = ground.execution.steps[step.name]
    try:
        WORK.get(step.type, _UNKNOWN).carry_on(ground, step, before)
    except EvaluationError as error:
        ground.fail(step, f"ClientError: {error}")
    return ground.execution.steps[step.name] != before
