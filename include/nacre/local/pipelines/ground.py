"""What every step of an execution stands on: the execution as it is now, and how to change it.

Whatever is done is written down first: a killed server's successor finds which steps had begun,
under which names, and goes on from there. All changes are pure functions of what the store holds,
so that a stop or an answer which comes in between is never lost.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from include.nacre.definition.expressions import EvaluationError, Json, Value, evaluate
from include.nacre.definition.records import Pipeline, Step
from include.nacre.local.objects import ObjectError
from include.nacre.local.pipelines.course import End
from include.nacre.local.pipelines.execution import Execution, StepRun, StepStatus
from include.nacre.local.pipelines.kinds import KINDS
from include.nacre.local.pipelines.records import EXECUTION, changing, execution_of, pipeline_arn
from include.nacre.local.pipelines.scope import ExecutionScope
from include.nacre.local.pipelines.service import Service
from include.nacre.local.protocol.errors import ApiError
from include.nacre.local.runner import JobKey
from include.nacre.local.world import World

Send = Callable[[str, str], None]
"""Send a message (the body) to an SQS queue (the URL); raises SendError."""

Watch = Callable[[JobKey, str], None]
"""Have an execution looked at, by its id, when a job has ended."""


@dataclass(frozen=True)
class Means:
    """Through what executions act on the world."""

    world: World
    service: Service
    send: Send
    watch: Watch


@dataclass
class Ground:
    """One execution; `execution` is as the store had it last."""

    means: Means
    pipeline: Pipeline
    execution: Execution

    @property
    def now(self) -> float:
        """The time, in seconds since the epoch."""
        return self.means.world.clock()

    @property
    def is_stopping(self) -> bool:
        """Whether somebody wants the execution to end."""
        return self.execution.status == "Stopping"

    def value(self, value: Value, job: str | None = None) -> Json:
        """Return a value with its references resolved; `job` names the job that it is for."""
        return evaluate(value, self.scope(job))

    def scope(self, job: str | None = None) -> ExecutionScope:
        """Return what references mean now."""
        return ExecutionScope(
            self.pipeline,
            read_json=self._read_json,
            present=self.execution,
            pipeline_arn=pipeline_arn(self.means.world.place, self.execution.pipeline),
            now=self.now,
            describe=self._describe,
            job_name=job,
        )

    def begin(self, step: Step, run: StepRun) -> bool:
        """Write down that a step has begun; False if the execution is being stopped by now."""

        def change(found: Execution) -> Execution:
            waits = found.status == "Executing" and step.name not in found.steps
            return found.with_step(step.name, run) if waits else found

        self._change(change, run.started)
        return self.execution.steps.get(step.name) == run

    def move(self, step: Step, status: StepStatus, **facts: Any) -> None:
        """Write down the next status of a step that runs, with other facts."""
        now = self.now
        self.change_run(step, lambda run: run.moved(status, now, **facts), now)

    def fail(self, step: Step, reason: str) -> None:
        """Write down that a step has failed."""
        now = self.now
        self.change_run(step, lambda run: run.failed(reason, now), now)

    def change_run(self, step: Step, change: Callable[[StepRun], StepRun], now: float) -> None:
        """Change a step that runs; one that somebody else has ended by now stays as it is."""

        def change_execution(found: Execution) -> Execution:
            run = found.steps[step.name]
            return found if run.is_over else found.with_step(step.name, change(run))

        self._change(change_execution, now)

    def end(self, end: End) -> None:
        """End the execution, unless somebody has changed its status by now."""
        status = self.execution.status

        def change(found: Execution) -> Execution:
            return found.moved(end.status, end.failure) if found.status == status else found

        self._change(change, self.now)

    def _change(self, change: Callable[[Execution], Execution], now: float) -> None:
        row = self.means.world.store.update(EXECUTION, self.execution.id, changing(change, now))
        self.execution = execution_of(row)

    def _describe(self, step: Step, run: StepRun) -> Mapping[str, Json]:
        try:
            return self.means.service.describe(KINDS[step.type], str(run.job))
        except ApiError as error:  # models and packages can be deleted
            raise EvaluationError(f"what step {step.name!r} created is gone: {error}") from None

    def _read_json(self, uri: str) -> Json:
        try:
            return json.loads(self.means.world.objects.get(uri).path.read_bytes())
        except ObjectError as error:
            raise EvaluationError(str(error)) from None
        except (ValueError, RecursionError) as error:  # the latter: nested too deep
            raise EvaluationError(f"{uri} is no JSON file: {error}") from None
