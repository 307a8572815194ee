"""An execution and its steps: frozen records, and one table of what a status may become.

Pure: no store, no clock. Times are seconds since the epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from include.nacre.definition.expressions import Json, Scalar
from include.nacre.local.lifecycle import IllegalMove

ExecutionStatus = Literal[
    "Executing", "Stopping", "Stopped", "Failed", "Succeeded", "CompletedWithFailures"
]
StepStatus = Literal["Starting", "Executing", "Stopping", "Stopped", "Failed", "Succeeded"]

EXECUTION_MOVES: Mapping[ExecutionStatus, frozenset[ExecutionStatus]] = MappingProxyType(
    {
        "Executing": frozenset({"Stopping", "Failed", "Succeeded", "CompletedWithFailures"}),
        "Stopping": frozenset({"Stopped", "Failed"}),
        "Succeeded": frozenset(),
        # RetryPipelineExecution lets these go on.
        "Stopped": frozenset({"Executing"}),
        "Failed": frozenset({"Executing"}),
        "CompletedWithFailures": frozenset({"Executing"}),
    }
)
_ENDS: frozenset[StepStatus] = frozenset({"Stopped", "Failed", "Succeeded"})
STEP_MOVES: Mapping[StepStatus, frozenset[StepStatus]] = MappingProxyType(
    {
        "Starting": frozenset({"Starting", "Executing", "Stopping", *_ENDS}),
        # Back to Starting: a retry policy begins the next attempt.
        "Executing": frozenset({"Executing", "Starting", "Stopping", *_ENDS}),
        # What was done before the stop was noticed, was done.
        "Stopping": frozenset({"Stopping", *_ENDS}),
        "Stopped": frozenset(),
        "Failed": frozenset(),
        "Succeeded": frozenset(),
    }
)

RUNNING: frozenset[ExecutionStatus] = frozenset({"Executing", "Stopping"})
LONGEST_REASON = 1300  # of an execution
LONGEST_STEP_REASON = 1024
LONGEST_RUN = 672 * 3600.0  # seconds that an execution may take: a quota of the service


@dataclass(frozen=True)
class StepRun:
    """A step that has begun.

    `job` is the name of what the present attempt creates, known before it is created; of a
    package in a group it is the client token. `metadata` is what ListPipelineExecutionSteps
    shows. `exceptions` counts those for which it was tried again, `retry_at` is when the next
    attempt begins. `signature` is set where a later run may reuse the result, see
    `caching.py`. `cached_from` and `reused_from` are ARNs of the executions whose
    result this is.
    """

    status: StepStatus
    started: float
    ended: float | None = None
    attempt: int = 1
    job: str | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)
    failure: str | None = None
    exceptions: Mapping[str, int] = field(default_factory=dict)
    retry_at: float | None = None
    signature: str | None = None
    cached_from: str | None = None
    reused_from: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in _ENDS

    def moved(self, status: StepStatus, now: float, **facts: Any) -> "StepRun":
        """Return the run in its next status, with other facts; raise IllegalMove."""
        if status not in STEP_MOVES[self.status]:
            raise IllegalMove(f"a step that is {self.status} cannot become {status}")
        ended = max(now, self.started) if status in _ENDS else None
        return replace(self, status=status, ended=ended, **facts)

    def failed(self, reason: str, now: float) -> "StepRun":
        """Return the run that failed for a reason."""
        return self.moved("Failed", now, failure=reason[:LONGEST_STEP_REASON], retry_at=None)

    def to_json(self) -> dict[str, Json]:
        """Return plain JSON, for the store; without what is not set."""
        return {name: value for name, value in vars(self).items() if value not in (None, {})}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "StepRun":
        """Return the run that `to_json` wrote."""
        return cls(**stored)


@dataclass(frozen=True)
class Execution:
    """An execution of one version of a pipeline.

    `steps` are those that have begun, in that order. `selected` are the steps of a selective
    execution, None if all run. `retries` counts RetryPipelineExecution, `resumed` is when it was
    called last.
    """

    id: str
    arn: str
    pipeline: str
    version: int
    started: float
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    selected: frozenset[str] | None = None
    status: ExecutionStatus = "Executing"
    steps: Mapping[str, StepRun] = field(default_factory=dict)
    parallelism: int | None = None
    retries: int = 0
    resumed: float | None = None
    failure: str | None = None

    @property
    def deadline(self) -> float:
        """When it has to have ended."""
        return (self.resumed or self.started) + LONGEST_RUN

    @property
    def is_over(self) -> bool:
        """Whether it stays as it is unless somebody retries it."""
        return self.status not in RUNNING

    @property
    def live(self) -> Mapping[str, StepRun]:
        """The steps that have begun and not ended."""
        return {name: run for name, run in self.steps.items() if not run.is_over}

    def with_step(self, name: str, run: StepRun) -> "Execution":
        """Return the execution with this run of a step."""
        return replace(self, steps={**self.steps, name: run})

    def moved(self, status: ExecutionStatus, failure: str | None = None) -> "Execution":
        """Return the execution in its next status; raise IllegalMove."""
        if status not in EXECUTION_MOVES[self.status]:
            raise IllegalMove(f"an execution that is {self.status} cannot become {status}")
        return replace(self, status=status, failure=failure and failure[:LONGEST_REASON])


def stop_asked(execution: Execution) -> Execution:
    """Return the execution that somebody wants to end; raise IllegalMove if it does not run, or
    ends already.
    """
    return execution.moved("Stopping")


def retried(execution: Execution, now: float, parallelism: int | None = None) -> Execution:
    """Return the ended execution that goes on: what succeeded, or was taken from another execution,
    stays; all else runs anew.

    Raises IllegalMove if it runs, or has succeeded.
    """
    kept = {
        name: run
        for name, run in execution.steps.items()
        if run.status == "Succeeded" or run.reused_from is not None
    }
    return replace(
        execution.moved("Executing"),
        steps=kept,
        retries=execution.retries + 1,
        resumed=now,
        parallelism=parallelism or execution.parallelism,
    )
