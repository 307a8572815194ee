"""Retries that fit the failure: what passes by itself is tried again, what does not is not.

Airflow asks the task's retry policy when a try has failed, and shows its reason in the task's log.
The service's own codes decide; what has none is left to the task's `retries`, as ever. Where a step
has RetryPolicies, they decide (`policies.py`).
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from airflow.sdk import RetryAction, RetryDecision, RetryPolicy

from include.nacre.dag.faults import StepFailed
from include.nacre.dag.troubles import Trouble, trouble_of_code
from include.nacre.definition.retrying import exception_of_code, exception_of_failure

STOPPED, LOST, OVER_TIME = "Stopped", "Lost", "MaxRuntimeExceeded"
"""Codes of our own for ends that have none: a job that was stopped, one that was deleted while it
was waited for; and for any job that ran as long as it may SageMaker's word for a training job."""
KILLED = "Killed"
"""The code of a process that Airflow told to end: it says nothing about the job."""
ALGORITHM_ERROR, CLIENT_ERROR = "AlgorithmError", "ClientError"
"""What the FailureReason of a job begins with whose script failed, or whose request was wrong."""

_PASSES: Mapping[str, str] = {
    "Step.THROTTLING": "SageMaker asked for fewer calls",
    "Step.SERVICE_FAULT": "SageMaker had a fault of its own",
    "SageMaker.JOB_INTERNAL_ERROR": "SageMaker had a fault of its own",
    "SageMaker.CAPACITY_ERROR": "there were no instances of this type at the moment",
    "SageMaker.RESOURCE_LIMIT": "the account's quota was used up at the moment",
    "MaxWaitTimeExceeded": "there was no spot capacity for as long as the job may wait",
    STOPPED: "its job was stopped, and a new one may end well",
    LOST: "its job was deleted, and a new one may end well",
}
"""Why another try may end well, by the exceptions of the language and by other codes."""

_STAYS: Mapping[str, str] = {
    ALGORITHM_ERROR: "its script failed, and would fail again on the same data",
    CLIENT_ERROR: "what the job was asked to do is wrong, and stays so",
    OVER_TIME: "it ran as long as it may, and would again",
}
_STAYS_BY_TROUBLE: Mapping[Trouble, str] = {
    Trouble.DENIED: "its credentials do not permit this, and will not by themselves",
    Trouble.MISSING: "what it needs does not exist, and will not by itself",
    Trouble.REFUSED: "its request is wrong, and stays so",
}


class StepRetries(RetryPolicy):
    """A retry policy of ours, which can be asked before Airflow asks it."""

    @abstractmethod
    def gives_up(self, failure: BaseException, context: Any) -> bool:
        """Say whether no other try is to follow a failure; keep nothing."""


class FittingRetries(StepRetries):
    """The retry policy of all steps, unless they are given another one, or None."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002  (Airflow's signature)
        max_tries: int,  # noqa: ARG002
        context: Any = None,  # noqa: ARG002
    ) -> RetryDecision:
        """Decide by the code of a failed step; all else is Airflow's to decide."""
        return decide(exception.code) if isinstance(exception, StepFailed) else RetryDecision()

    def gives_up(self, failure: BaseException, context: Any) -> bool:
        return self.evaluate(failure, 0, 0, context).action is RetryAction.FAIL

    def serialize(self) -> dict[str, Any]:
        return {"__type": type(self).__name__}


FITTING_RETRIES = FittingRetries()


def decide(code: str) -> RetryDecision:
    """Return what follows a failure by its code: an error code of the service, the code that a
    FailureReason begins with, or one of those above.
    """
    exception = exception_of_code(code) or exception_of_failure(code) or code
    if why := _PASSES.get(exception):
        return try_again(code, why)
    if why := _STAYS.get(code) or _STAYS_BY_TROUBLE.get(trouble_of_code(code, 0)):
        return give_up(code, why)
    return RetryDecision.default()


def try_again(code: str, why: str) -> RetryDecision:
    """Return the decision to try again, with its reason."""
    return RetryDecision.retry(reason=f"Worth another try{_in_brackets(code)}: {why}.")


def give_up(code: str, why: str) -> RetryDecision:
    """Return the decision not to try again, with its reason."""
    return RetryDecision.fail(reason=f"Not worth another try{_in_brackets(code)}: {why}.")


def _in_brackets(code: str) -> str:
    return f" ({code})" if code else ""


def code_of_end(status: str, detail: str, reason: str) -> str:
    """Return the code of a job that did not succeed, from its status, finer status and
    FailureReason; "" if it has none.
    """
    if status == "Stopped":
        return detail or STOPPED
    return reason.partition(":")[0].strip() if ":" in reason else ""


def code_of_steps(reasons: Iterable[str]) -> str:
    """Return the code of an execution whose steps failed for these reasons; "" if it has none.

    A new execution runs all steps anew, so one that fails again is enough. A ClientError says
    nothing here: a step has it also where a quota or capacity was all that was in the way.
    """
    codes = [code_of_end("Failed", "", reason) for reason in reasons]
    if ALGORITHM_ERROR in codes:
        return ALGORITHM_ERROR
    return next((code for code in codes if code and code != CLIENT_ERROR), "")
