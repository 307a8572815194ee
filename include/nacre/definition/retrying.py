"""Retry policies: whether a step that failed is tried again, and when (section 8). Pure.

Which exception a failure is follows from codes alone: the error code of the call that should have
created the job, or the code that a job's FailureReason begins with.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, count, islice, takewhile

from include.nacre.definition.records import RetryPolicy

_INTERVAL_SECONDS = 1
_BACKOFF_RATE = 2.0
_MAX_ATTEMPTS = 5
# In seconds. Without a pause a policy that has no MaxAttempts would try as fast as it can for days;
# no execution lasts longer than the other.
_SHORTEST_DELAY, _LONGEST_DELAY = 1.0, 672 * 3600.0
_MOST_IN_TIME = 10_000
"""More attempts than fit in the ten days of the longest ExpireAfterMin if each takes a minute and a
half; a job that fails takes longer."""

THROTTLING, SERVICE_FAULT = "Step.THROTTLING", "Step.SERVICE_FAULT"
_BY_ERROR_CODE: Mapping[str, str] = {
    "ThrottlingException": THROTTLING,
    "Throttling": THROTTLING,
    "TooManyRequestsException": THROTTLING,
    "InternalFailure": SERVICE_FAULT,
    "InternalServerError": SERVICE_FAULT,
    "ServiceUnavailable": SERVICE_FAULT,
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
}
_BY_FAILURE_CODE: Mapping[str, str] = {
    "InternalServerError": "SageMaker.JOB_INTERNAL_ERROR",
    "CapacityError": "SageMaker.CAPACITY_ERROR",
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
}
# What the service retries by itself, unless a step's own policies say otherwise.
_OF_THE_SERVICE = RetryPolicy((SERVICE_FAULT, THROTTLING))


def exception_of_code(code: str) -> str | None:
    """Return the exception type of a refused call by its error code; None if none has it."""
    return _BY_ERROR_CODE.get(code)


def exception_of_failure(reason: str) -> str | None:
    """Return the exception type of a failed job by its FailureReason; None if none has it."""
    return _BY_FAILURE_CODE.get(reason.partition(":")[0].strip())


def next_attempt(
    policies: Sequence[RetryPolicy],
    exception: str,
    earlier: Mapping[str, int],
    started: float,
    now: float,
) -> float | None:
    """Return when a step that failed now is tried again; None if it is not.

    `earlier` says how often it was tried again before, by exception; `started` is when it began
    for the first time; all times in seconds. The first policy that names the exception decides.
    """
    applying = (policy for policy in (*policies, _OF_THE_SERVICE) if _names(policy, exception))
    policy = next(applying, None)
    if policy is None:
        return None
    attempts = sum(count for other, count in earlier.items() if _names(policy, other))
    when = now + _delay(policy, attempts)
    if policy.expire_after_min is not None:
        return when if when < started + 60 * policy.expire_after_min else None
    return when if attempts < attempts_allowed(policy) else None


def attempts_allowed(policy: RetryPolicy) -> int:
    """Return how many attempts a policy allows that counts attempts, and not the time."""
    return _MAX_ATTEMPTS if policy.max_attempts is None else policy.max_attempts


def most_attempts(policies: Sequence[RetryPolicy]) -> int:
    """Return how often a step is tried again at most, whatever it fails with: what `next_attempt`
    allows in all. At most 10,000 for a policy that counts the time, not the attempts.
    """
    return sum(_most(policy) for policy in _deciding((*policies, _OF_THE_SERVICE)))


def _deciding(policies: Iterable[RetryPolicy]) -> Iterable[RetryPolicy]:
    """Yield the policies that are the first to name some exception."""
    named: set[str] = set()
    for policy in policies:
        if not named.issuperset(policy.exception_types):
            yield policy
        named.update(policy.exception_types)


def _most(policy: RetryPolicy) -> int:
    if policy.expire_after_min is None:
        return attempts_allowed(policy)
    # Attempts for exceptions that another policy decides count here, too: they make the delays of
    # a rate below 1 shorter.
    shrinks = policy.backoff_rate is not None and policy.backoff_rate < 1
    delays = (_SHORTEST_DELAY if shrinks else _delay(policy, number) for number in count())
    seconds = 60 * policy.expire_after_min
    in_time = takewhile(lambda when: when < seconds, accumulate(delays))
    return sum(1 for _ in islice(in_time, _MOST_IN_TIME))


def _names(policy: RetryPolicy, exception: str) -> bool:
    return exception in policy.exception_types


def _delay(policy: RetryPolicy, attempts: int) -> float:
    interval = _INTERVAL_SECONDS if policy.interval_seconds is None else policy.interval_seconds
    rate = _BACKOFF_RATE if policy.backoff_rate is None else policy.backoff_rate
    try:
        delay = interval * rate**attempts if interval else 0.0
    except OverflowError:
        delay = _LONGEST_DELAY
    return min(max(delay, _SHORTEST_DELAY), _LONGEST_DELAY)
