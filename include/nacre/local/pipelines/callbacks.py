"""Callback steps: whoever has the token says how the step has ended."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from include.nacre.local.lifecycle import IllegalMove
from include.nacre.local.pipelines.execution import Execution, StepRun
from include.nacre.local.pipelines.records import EXECUTION, changing
from include.nacre.local.store import Resource, Store

CALLBACK = "Callback"
"""The operation under which the store keeps the tokens: (step, ARN of the execution)."""


class UnknownToken(LookupError):  # noqa: N818 - says what is the case
    """No Callback step has given this token out."""


def register(store: Store, token: str, step: str, execution_arn: str) -> None:
    """Remember whose token this is; registering it twice is registering it once."""
    store.use_token(CALLBACK, token, step, execution_arn)


def succeeded(
    store: Store, token: str, outputs: Sequence[Mapping[str, str]], now: float
) -> Resource:
    """End a Callback step with its outputs, `{"Name", "Value"}` each; the execution's row.

    Raises UnknownToken, and IllegalMove if the step has ended already. Afterwards the executor
    must be told: `world.pipelines.submitted(row.name)`.
    """

    def change(run: StepRun) -> StepRun:
        callback = {**run.metadata[CALLBACK], "OutputParameters": [dict(item) for item in outputs]}
        return run.moved("Succeeded", now, metadata={CALLBACK: callback})

    return _answered(store, token, change, now)


def failed(store: Store, token: str, reason: str, now: float) -> Resource:
    """Fail a Callback step; otherwise as `succeeded`."""
    return _answered(store, token, lambda run: run.failed(reason, now), now)


def _answered(
    store: Store, token: str, change: Callable[[StepRun], StepRun], now: float
) -> Resource:
    registered = store.token(CALLBACK, token)
    row = store.by_arn(registered[1]) if registered else None
    if registered is None or row is None:
        raise UnknownToken(token)
    step = registered[0]

    def change_execution(found: Execution) -> Execution:
        run = found.steps.get(step)
        if run is None or token_of(run.metadata) != token:
            raise IllegalMove(f"the step {step} does not wait for this token any more")
        return found.with_step(step, change(run))

    return store.update(EXECUTION, row.name, changing(change_execution, now))


def token_of(metadata: Mapping[str, Any]) -> str | None:
    """Return the token that a step waits for, if it is a Callback step."""
    token: str | None = metadata.get(CALLBACK, {}).get("CallbackToken")
    return token
