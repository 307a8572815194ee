"""Steps that create something: jobs, models and packages."""

from collections.abc import Mapping
from dataclasses import replace

from include.nacre.definition.expressions import Json
from include.nacre.definition.records import Step
from include.nacre.definition.retrying import (
    exception_of_code,
    exception_of_failure,
    next_attempt,
)
from include.nacre.local.pipelines.caching import (
    Results,
    is_cached,
    signature,
    values_that_count,
)
from include.nacre.local.pipelines.execution import StepRun, StepStatus
from include.nacre.local.pipelines.ground import Ground
from include.nacre.local.pipelines.kinds import KINDS, Kind, reason_of
from include.nacre.local.pipelines.naming import client_token, job_name, prefixed_name
from include.nacre.local.pipelines.service import Creation, Refused
from include.nacre.local.protocol.errors import ApiError
from include.nacre.local.runner import JobKey


def first(ground: Ground, step: Step, run: StepRun) -> StepRun:
    """Return how a step begins: under a name, or with an earlier run's result."""
    named = replace(run, job=_name(ground, step, run.attempt))
    if not is_cached(step):
        return named
    sign = signature(ground.value(values_that_count(step), named.job))
    return _results(ground).find(step, sign, run.started) or replace(named, signature=sign)


def carry_on(ground: Ground, step: Step, run: StepRun) -> None:
    """Create what is not there yet, look at what is, stop what is no longer wanted."""
    if run.retry_at is not None:
        _wait(ground, step, run, run.retry_at)
    elif run.status == "Starting":
        _launch(ground, step, str(run.job))
    else:
        _look(ground, step, run, str(run.job))


def _wait(ground: Ground, step: Step, run: StepRun, until: float) -> None:
    if ground.is_stopping:
        ground.move(step, "Stopped", retry_at=None)
    elif ground.now >= until:
        ground.move(step, run.status, retry_at=None)


def _launch(ground: Ground, step: Step, name: str) -> None:
    """Create it under the name that is written down, unless that was done before."""
    kind, service = KINDS[step.type], ground.means.service
    _watch(ground, kind, name)
    if ground.is_stopping and service.arn(kind, name) is None:
        ground.move(step, "Stopped")
        return
    try:
        arn = service.create(Creation(kind, name, _request(ground, step, name)))
    except Refused as refused:
        _fail(ground, step, str(refused), exception_of_code(refused.code))
    else:
        status: StepStatus = "Executing" if kind.job else "Succeeded"
        ground.move(step, status, metadata={kind.metadata: {"Arn": arn}})


def _look(ground: Ground, step: Step, run: StepRun, name: str) -> None:
    kind, service = KINDS[step.type], ground.means.service
    _watch(ground, kind, name)
    try:
        answer = service.describe(kind, name)
    except ApiError as error:  # jobs and packages can be deleted
        _fail(ground, step, f"ClientError: {error}", None)
        return
    match kind.status(answer):
        case "Completed":
            _succeed(ground, step)
        case "Failed":
            reason = reason_of(answer)
            _fail(ground, step, reason, exception_of_failure(reason))
        case "Stopped":
            ground.move(step, "Stopped")
        case "InProgress" if ground.is_stopping:
            # Written down first; asked again by whoever comes after a crash.
            if run.status != "Stopping":
                ground.move(step, "Stopping")
            service.stop(kind, name)


def _succeed(ground: Ground, step: Step) -> None:
    ground.move(step, "Succeeded")
    _results(ground).keep(ground.execution, step.name, ground.execution.steps[step.name])


def _fail(ground: Ground, step: Step, reason: str, exception: str | None) -> None:
    """Fail an attempt, and with it the step unless a retry policy has it tried again."""
    run = ground.execution.steps[step.name]
    when = None
    if exception is not None and not ground.is_stopping:
        earlier = (run.exceptions, run.started, ground.now)
        when = next_attempt(step.retry_policies, exception, *earlier)
    if exception is None or when is None:
        ground.fail(step, reason)
        return
    ground.move(
        step,
        "Starting",
        attempt=run.attempt + 1,
        job=_name(ground, step, run.attempt + 1),
        metadata={},
        retry_at=when,
        exceptions={**run.exceptions, exception: run.exceptions.get(exception, 0) + 1},
    )


def _name(ground: Ground, step: Step, attempt: int) -> str:
    """Return the name, or the client token, of what an attempt creates."""
    kind, execution = KINDS[step.type], ground.execution
    identity = (execution.id, step.name, execution.retries, attempt)
    if "ModelPackageGroupName" in step.arguments:
        return client_token(*identity)
    if kind.name_key in step.arguments:
        return prefixed_name(str(ground.value(step.arguments[kind.name_key])), *identity)
    return job_name(*identity)


def _request(ground: Ground, step: Step, name: str) -> Mapping[str, Json]:
    request = ground.value(step.arguments, name)
    return {key: value for key, value in request.items() if key != KINDS[step.type].name_key}


def _watch(ground: Ground, kind: Kind, name: str) -> None:
    """Before anybody looks at the job, so that its end cannot be missed in between."""
    if kind.job:
        ground.means.watch(JobKey(kind.job, name), ground.execution.id)


def _results(ground: Ground) -> Results:
    return Results(ground.means.world.store, ground.means.world.place, ground.execution.pipeline)
