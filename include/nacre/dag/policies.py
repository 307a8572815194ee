"""The RetryPolicies of a step as the retry policy of its Airflow task.

When another attempt is made is said in `definition/retrying.py`, as for all executors. What was
tried so far is kept in the task's state, as Airflow counts tries alone: a lost process is one, too,
and a cleared task keeps them. See docs/decisions/0015.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from airflow.sdk import RetryAction, RetryDecision

from include.nacre.dag.faults import StepFailed
from include.nacre.dag.retries import (
    FITTING_RETRIES,
    KILLED,
    StepRetries,
    give_up,
    try_again,
)
from include.nacre.definition import records
from include.nacre.definition.retrying import most_attempts, next_attempt

if TYPE_CHECKING:
    from include.nacre.dag.deployment import TaskStore

KEY = "nacre_retries"
"""Where the attempts are kept in the task's state."""

SPARE_TRIES = 3
"""So many processes of a step may be lost without taking a try from its policies."""


@dataclass(frozen=True)
class Attempts:
    """How often a step was tried again since its task was cleared for the last time."""

    cleared: int
    """The task's `ti.max_tries` then, see `identity.Generation`."""
    started: float
    """When the first of these tries that failed began, in seconds of the epoch."""
    made: Mapping[str, int] = field(default_factory=dict)
    """After failures that RetryPolicies can name, by the exception type."""
    own: int = 0
    """After all others."""

    def to_record(self) -> dict[str, Any]:
        return {**vars(self), "made": dict(self.made)}

    @classmethod
    def from_record(cls, record: Any) -> "Attempts | None":
        """Read what `to_record` wrote; None for anything else."""
        match record:
            case {
                "cleared": int(cleared),
                "started": int() | float() as started,
                "made": dict(made),
                "own": int(own),
            }:
                return cls(cleared, started, made, own)
            case _:
                return None

    def one_more(self, exception: str | None) -> Self:
        """Return the attempts with one after a failure of this exception type."""
        if exception is None:
            return replace(self, own=self.own + 1)
        return replace(self, made={**self.made, exception: self.made.get(exception, 0) + 1})


@dataclass(frozen=True)
class PolicyRetries(StepRetries):
    """What a step's RetryPolicies name is tried again as they say; no other end that SageMaker
    gives it is. What is not SageMaker's affair they cannot name: that is tried again as in any
    step, if it is worth it.

    :param policies: the step's
    :param own: the `retries` that the task would have without them
    """

    policies: tuple[records.RetryPolicy, ...]
    own: int = 0

    @property
    def retries(self) -> int:
        """The `retries` that the task needs: Airflow allows no policy more tries than those."""
        return most_attempts(self.policies) + max(self.own, SPARE_TRIES)

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Any = None,
    ) -> RetryDecision:
        """Decide by the policies and what was tried so far; keep that there is one try more."""
        from include.nacre.dag.deployment import TaskStore

        if _code(exception) == KILLED:  # as a lost process, of which nobody is asked
            return RetryDecision.default()
        store, named = TaskStore(context), _exception(exception)
        so_far = _so_far(store, named, try_number, max_tries, context)
        decision = self.decide(exception, so_far, time.time())
        if decision.action is not RetryAction.FAIL:
            store.set(KEY, so_far.one_more(named).to_record())
        return decision

    def gives_up(self, failure: BaseException, context: Any) -> bool:
        from include.nacre.dag.deployment import TaskStore

        ti, store, named = context["ti"], TaskStore(context), _exception(failure)
        so_far = _so_far(store, named, ti.try_number, ti.max_tries, context)
        return self.decide(failure, so_far, time.time()).action is RetryAction.FAIL

    def decide(self, failure: BaseException, so_far: Attempts, now: float) -> RetryDecision:
        """Return what follows a failure `now`, in seconds of the epoch."""
        named = _exception(failure)
        if named is None:
            return self._of_its_own(failure, so_far)
        code, made = _code(failure), so_far.made.get(named, 0)
        if not named:
            return give_up(code, "no RetryPolicies can name this")
        when = next_attempt(self.policies, named, so_far.made, so_far.started, now)
        if when is None:
            more = f"no more after {made}" if made else "none"
            return give_up(code, f"of attempts for {named} the step's RetryPolicies allow {more}")
        rest = timedelta(seconds=round(when - now))
        why = f"attempt {made + 1} for {named} by the step's RetryPolicies, in {rest}"
        return replace(try_again(code, why), retry_delay=rest)

    def _of_its_own(self, failure: BaseException, so_far: Attempts) -> RetryDecision:
        decision = FITTING_RETRIES.evaluate(failure, 0, 0)
        if decision.action is RetryAction.FAIL or so_far.own < self.own:
            return decision
        return give_up(_code(failure), f"the task's own retries are {self.own}")

    def serialize(self) -> dict[str, Any]:
        return {
            "__type": type(self).__name__,
            "policies": [policy.to_json() for policy in self.policies],
            "own": self.own,
        }


def _so_far(
    store: "TaskStore", named: str | None, try_number: int, max_tries: int, context: Any
) -> Attempts:
    so_far = Attempts.from_record(store.get(KEY))
    if so_far is None or so_far.cleared != max_tries:
        so_far = Attempts(max_tries, context["ti"].start_date.timestamp())
    if not store.durable:  # every try since the clear may have been for the same
        earlier = try_number - 1 - max(0, max_tries - context["task"].retries)
        so_far = replace(so_far, made={named or "": earlier}, own=earlier)
    return so_far


def _exception(failure: BaseException) -> str | None:
    """Return the exception type that RetryPolicies know a failure by; "" of an end that they have
    no name for, None of what is not SageMaker's affair.
    """
    return failure.exception if isinstance(failure, StepFailed) else None


def _code(failure: BaseException) -> str:
    return failure.code if isinstance(failure, StepFailed) else ""
