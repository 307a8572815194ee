"""When a step that failed is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.definition.records import RetryPolicy
from include.nacre.definition.retrying import (
    exception_of_code,
    exception_of_failure,
    most_attempts,
    next_attempt,
)
from include.nacre.definition.steptypes import RETRY_EXCEPTIONS

CAPACITY, LIMIT, INTERNAL = (
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
    "SageMaker.JOB_INTERNAL_ERROR",
)
THROTTLING = "Step.THROTTLING"
STARTED, NOW = 1000.0, 1060.0


def delays(policy: RetryPolicy, exception: str = CAPACITY, most: int = 30) -> list[float]:
    """The seconds before each further attempt of a step that always fails at once."""
    found: list[float] = []
    while len(found) < most:
        when = next_attempt([policy], exception, {exception: len(found)}, NOW, NOW)
        if when is None:
            break
        found.append(when - NOW)
    return found


def test_without_limits_there_are_five_attempts_each_twice_as_late() -> None:
    assert delays(RetryPolicy((CAPACITY,))) == [1, 2, 4, 8, 16]


def test_interval_and_rate_are_the_policys() -> None:
    policy = RetryPolicy((CAPACITY,), interval_seconds=10, backoff_rate=1.5, max_attempts=3)
    assert delays(policy) == [10, 15, 22.5]


def test_no_attempts_means_never() -> None:
    assert delays(RetryPolicy((CAPACITY,), max_attempts=0)) == []


def test_the_services_own_retries_are_those_of_calls() -> None:
    assert next_attempt([], THROTTLING, {}, STARTED, NOW) == NOW + 1
    assert next_attempt([], CAPACITY, {}, STARTED, NOW) is None


def test_a_policy_of_the_step_replaces_the_services_own() -> None:
    assert delays(RetryPolicy((THROTTLING,), max_attempts=0), THROTTLING) == []


def test_the_first_policy_that_names_the_exception_decides() -> None:
    policies = [
        RetryPolicy((LIMIT,), interval_seconds=7),
        RetryPolicy((LIMIT, CAPACITY), interval_seconds=9),
    ]
    found = [next_attempt(policies, name, {}, NOW, NOW) for name in (LIMIT, CAPACITY, INTERNAL)]
    assert found == [NOW + 7, NOW + 9, None]


def test_attempts_for_other_exceptions_do_not_count() -> None:
    policies = [RetryPolicy((LIMIT,), max_attempts=1), RetryPolicy((CAPACITY,), max_attempts=1)]
    assert next_attempt(policies, CAPACITY, {LIMIT: 1}, NOW, NOW) == NOW + 1
    assert next_attempt(policies, CAPACITY, {LIMIT: 1, CAPACITY: 1}, NOW, NOW) is None


def test_time_is_counted_from_the_start_of_the_step() -> None:
    policy = RetryPolicy((CAPACITY,), interval_seconds=30, expire_after_min=2)
    assert next_attempt([policy], CAPACITY, {}, STARTED, STARTED + 80) == STARTED + 110
    assert next_attempt([policy], CAPACITY, {}, STARTED, STARTED + 91) is None


@pytest.mark.parametrize("policy", [{"interval_seconds": 0}, {"backoff_rate": 0.0}])
def test_there_is_a_pause_before_every_attempt_however_many_there_were(
    policy: dict[str, float],
) -> None:
    found = delays(RetryPolicy((CAPACITY,), expire_after_min=60, **policy), most=2000)  # type: ignore[arg-type]  # by name
    assert (len(found), set(found)) == (2000, {1.0})


def test_a_delay_never_outlasts_the_longest_execution() -> None:
    policy = RetryPolicy((CAPACITY,), interval_seconds=43_200, backoff_rate=1e300, max_attempts=20)
    assert delays(policy)[1:] == [672 * 3600.0] * 19


@pytest.mark.parametrize(
    ("policies", "most"),
    [
        ([], 5),
        ([RetryPolicy((CAPACITY,))], 10),
        ([RetryPolicy((CAPACITY,), max_attempts=0)], 5),
        ([RetryPolicy((THROTTLING, "Step.SERVICE_FAULT"), max_attempts=2)], 2),
        ([RetryPolicy((LIMIT,), max_attempts=2), RetryPolicy((LIMIT,), max_attempts=9)], 7),
        # After 30, 90 and 210 seconds; the next would be after 450.
        ([RetryPolicy((CAPACITY,), interval_seconds=30, expire_after_min=5)], 8),
        ([RetryPolicy((CAPACITY,), interval_seconds=60, expire_after_min=1)], 5),
        ([RetryPolicy((CAPACITY,), backoff_rate=1.0, expire_after_min=14_400)], 10_005),
    ],
)
def test_how_often_a_step_is_tried_again_at_most(policies: list[RetryPolicy], most: int) -> None:
    assert most_attempts(policies) == most


NAMES = st.lists(st.sampled_from(RETRY_EXCEPTIONS), min_size=1, max_size=3).map(tuple)
TIMES = {
    "interval_seconds": st.none() | st.integers(0, 100),
    "backoff_rate": st.none() | st.sampled_from([0.0, 0.5, 1.0, 1.5, 3.0]),
}
POLICIES = st.lists(
    st.builds(RetryPolicy, NAMES, **TIMES, max_attempts=st.none() | st.integers(0, 20))
    | st.builds(RetryPolicy, NAMES, **TIMES, expire_after_min=st.integers(0, 3)),
    max_size=3,
)


@given(POLICIES, st.lists(st.sampled_from(RETRY_EXCEPTIONS), min_size=1, max_size=4))
def test_no_step_is_tried_again_more_often_whatever_it_fails_with(
    policies: list[RetryPolicy], failures: list[str]
) -> None:
    earlier: dict[str, int] = {}
    now: float | None = 0.0
    while now is not None and sum(earlier.values()) < 1000:
        failure = failures[sum(earlier.values()) % len(failures)]
        now = next_attempt(policies, failure, earlier, 0.0, now)
        earlier[failure] = earlier.get(failure, 0) + (now is not None)
    assert sum(earlier.values()) <= most_attempts(policies)


@pytest.mark.parametrize(
    ("code", "exception"),
    [
        ("ThrottlingException", "Step.THROTTLING"),
        ("InternalFailure", "Step.SERVICE_FAULT"),
        ("ResourceLimitExceeded", LIMIT),
        ("ValidationException", None),
    ],
)
def test_a_refused_call_is_known_by_its_code(code: str, exception: str | None) -> None:
    assert exception_of_code(code) == exception


@pytest.mark.parametrize(
    ("reason", "exception"),
    [
        ("InternalServerError: We encountered an internal error. Please try again.", INTERNAL),
        ("CapacityError: Unable to provision requested ML compute capacity.", CAPACITY),
        ("AlgorithmError: InternalServerError: says the script", None),
        ("", None),
    ],
)
def test_a_failed_job_is_known_by_the_code_of_its_reason(
    reason: str, exception: str | None
) -> None:
    assert exception_of_failure(reason) == exception
