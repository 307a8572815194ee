"""RetryPolicies of a step as the retry policy of its task."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import RetryAction, RetryDecision

from include.nacre.dag.faults import NO_EXCEPTION, StepFailed
from include.nacre.dag.policies import KEY, SPARE_TRIES, Attempts, PolicyRetries
from include.nacre.dag.retries import KILLED
from include.nacre.definition.records import RetryPolicy

RETRY, FAIL, DEFAULT = RetryAction.RETRY, RetryAction.FAIL, RetryAction.DEFAULT
CAPACITY, LIMIT = "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"
BEGAN = datetime(2026, 11, 21, 12, tzinfo=UTC)
ON_CAPACITY = RetryPolicy((CAPACITY,), interval_seconds=60, max_attempts=2)
NO_CAPACITY = StepFailed("no instances", "CapacityError", CAPACITY)
BROKEN = StepFailed("exit code 1", "AlgorithmError", NO_EXCEPTION)
LOST_CONNECTION = RuntimeError("the worker's disk is full")


class Store(dict[str, Any]):
    """Airflow's state store of a task, in memory."""

    def set(self, key: str, value: Any, **_: Any) -> None:
        self[key] = value


def context(store: Store | None, retries: int = 20) -> dict[str, Any]:
    ti, task = SimpleNamespace(start_date=BEGAN), SimpleNamespace(retries=retries)
    return {"ti": ti, "task": task, "task_state_store": store}


def decisions(
    policy: PolicyRetries,
    *failures: BaseException,
    store: Store | None = None,
    max_tries: int = 20,
    durable: bool = True,
) -> list[RetryDecision]:
    """What is decided about failures of one try after the other."""
    kept = context(Store() if store is None and durable else store)
    return [
        policy.evaluate(failure, number, max_tries, kept)
        for number, failure in enumerate(failures, 1)
    ]


def actions(*arguments: Any, **options: Any) -> list[RetryAction]:
    return [decision.action for decision in decisions(*arguments, **options)]


def test_what_a_policy_names_is_tried_again_as_it_says() -> None:
    found = decisions(PolicyRetries((ON_CAPACITY,)), *[NO_CAPACITY] * 3)
    assert [(item.action, item.retry_delay) for item in found] == [
        (RETRY, timedelta(seconds=60)),
        (RETRY, timedelta(seconds=120)),
        (FAIL, None),
    ]
    assert found[1].reason == (
        "Worth another try (CapacityError): attempt 2 for SageMaker.CAPACITY_ERROR by the step's "
        "RetryPolicies, in 0:02:00."
    )
    assert found[2].reason == (
        "Not worth another try (CapacityError): of attempts for SageMaker.CAPACITY_ERROR the "
        "step's RetryPolicies allow no more after 2."
    )


def test_whether_it_gives_up_can_be_asked_before_and_counts_nothing() -> None:
    kept, policy = context(Store()), PolicyRetries((ON_CAPACITY,))
    found = []
    for number in (1, 2, 3):
        kept["ti"].try_number, kept["ti"].max_tries = number, 20
        found += [policy.gives_up(failure, kept) for failure in (NO_CAPACITY, BROKEN)]
        policy.evaluate(NO_CAPACITY, number, 20, kept)
    assert found == [False, True, False, True, True, True]


def test_what_no_policy_names_is_not_tried_again() -> None:
    over_quota = StepFailed("too many", "ResourceLimitExceeded", LIMIT)
    found = decisions(PolicyRetries((ON_CAPACITY,), own=3), BROKEN, over_quota)
    assert [item.action for item in found] == [FAIL, FAIL]
    assert found[0].reason == (
        "Not worth another try (AlgorithmError): no RetryPolicies can name this."
    )
    assert found[1].reason == (
        "Not worth another try (ResourceLimitExceeded): of attempts for SageMaker.RESOURCE_LIMIT "
        "the step's RetryPolicies allow none."
    )


def test_the_services_own_retries_hold_too() -> None:
    throttled = StepFailed("slower", "ThrottlingException", "Step.THROTTLING")
    found = decisions(PolicyRetries((ON_CAPACITY,)), *[throttled] * 6)
    assert [item.retry_delay and item.retry_delay.total_seconds() for item in found] == [
        1,
        2,
        4,
        8,
        16,
        None,
    ]


def test_what_is_not_sagemakers_affair_has_the_tasks_own_retries() -> None:
    policy = PolicyRetries((ON_CAPACITY,), own=1)
    failures = [LOST_CONNECTION, NO_CAPACITY, NO_CAPACITY, StepFailed("out of time")]
    assert actions(policy, *failures) == [DEFAULT, RETRY, RETRY, FAIL]


def test_a_process_that_airflow_ended_is_as_good_as_lost() -> None:
    killed = StepFailed("is waited for no longer", KILLED)
    policy = PolicyRetries((ON_CAPACITY,))
    failures = [killed, NO_CAPACITY, killed, NO_CAPACITY, NO_CAPACITY]
    assert actions(policy, *failures) == [DEFAULT, RETRY, DEFAULT, RETRY, FAIL]


def test_what_would_stay_so_is_not_tried_again() -> None:
    denied = StepFailed("no", "AccessDeniedException")
    assert actions(PolicyRetries((ON_CAPACITY,), own=3), denied) == [FAIL]


def test_lost_processes_take_nothing_from_the_policies() -> None:
    store, policy = Store(), PolicyRetries((ON_CAPACITY,))
    found = [policy.evaluate(NO_CAPACITY, number, 20, context(store)) for number in (3, 5, 6)]
    assert [item.action for item in found] == [RETRY, RETRY, FAIL]
    assert policy.retries == 2 + 5 + SPARE_TRIES


def test_the_tasks_own_retries_count_for_lost_processes_where_they_are_more() -> None:
    assert PolicyRetries((ON_CAPACITY,), own=9).retries == 2 + 5 + 9


def test_a_clear_forgets_what_was_tried() -> None:
    store, policy = Store(), PolicyRetries((ON_CAPACITY,))
    first = actions(policy, *[NO_CAPACITY] * 3, store=store)
    assert (first, actions(policy, NO_CAPACITY, store=store, max_tries=23)) == (
        [RETRY, RETRY, FAIL],
        [RETRY],
    )
    assert store[KEY] == {
        "cleared": 23,
        "started": BEGAN.timestamp(),
        "made": {CAPACITY: 1},
        "own": 0,
    }


def test_time_counts_from_the_first_try_that_failed() -> None:
    policy = PolicyRetries((RetryPolicy((CAPACITY,), interval_seconds=60, expire_after_min=10),))
    so_far = Attempts(20, started=1000.0)
    found = [policy.decide(NO_CAPACITY, so_far, 1000.0 + seconds) for seconds in (539, 541)]
    assert [item.action for item in found] == [RETRY, FAIL]


@pytest.mark.parametrize("hours", [-48, 48])
def test_a_clock_that_jumps_changes_no_number_of_attempts(hours: int) -> None:
    policy, jumped = PolicyRetries((ON_CAPACITY,)), Attempts(20, started=3600.0 * hours)
    so_far, found = jumped, []
    for _ in range(3):
        found.append(policy.decide(NO_CAPACITY, so_far, 0.0).action)
        so_far = so_far.one_more(CAPACITY)
    assert found == [RETRY, RETRY, FAIL]


def test_without_a_store_every_try_counts_as_one_for_the_same() -> None:
    policy = PolicyRetries((ON_CAPACITY,), own=1)
    failures = [NO_CAPACITY, NO_CAPACITY, NO_CAPACITY, LOST_CONNECTION]
    assert actions(policy, *failures, durable=False) == [RETRY, RETRY, FAIL, FAIL]
    cleared = policy.evaluate(NO_CAPACITY, 5, 24, context(None))
    assert cleared.action is RETRY


@pytest.mark.parametrize(
    "record", [None, "what", {"cleared": 1}, {"cleared": "1", "started": 1, "made": {}, "own": 0}]
)
def test_what_nobody_of_ours_has_kept_is_no_record(record: Any) -> None:
    assert Attempts.from_record(record) is None


def test_the_attempts_come_back_from_the_store_as_they_were() -> None:
    so_far = Attempts(3, 17.5).one_more(CAPACITY).one_more(None)
    assert Attempts.from_record(so_far.to_record()) == so_far


def test_it_is_written_down_as_its_policies_are() -> None:
    policy = PolicyRetries((ON_CAPACITY,), own=2)
    assert policy.serialize() == {
        "__type": "PolicyRetries",
        "policies": [
            {"ExceptionType": [CAPACITY], "IntervalSeconds": 60, "MaxAttempts": 2},
        ],
        "own": 2,
    }
