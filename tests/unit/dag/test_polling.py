"""Which calls are made when, for given jobs, ages and times."""

import math

from hypothesis import given
from hypothesis import strategies as st

from include.nacre.dag.polling import (
    DESCRIBED_ALONE,
    DESCRIBES_A_ROUND,
    OVERLAP,
    SWEEP,
    Watched,
    backoff,
    calls_due,
    joined,
    look_back,
    wake_at,
    was_described,
    was_listed,
)
from include.nacre.native.pace import interval

NOW = 1_000.0


def young(number: int, kind: str = "Training", now: float = NOW) -> list[Watched]:
    return [joined(kind, f"job-{i}", created=0.0, now=now, age=0.0) for i in range(number)]


def names(jobs: tuple[Watched, ...]) -> list[str]:
    return [job.name for job in jobs]


def test_a_job_is_asked_about_after_a_second_then_ever_more_rarely() -> None:
    ages = [0, 30, 60, 300, 600, 3600, 86_400]
    assert [round(interval(age), 3) for age in ages] == [1, 1, 1.8, 9, 18, 30, 30]


@given(st.floats(0, 1e7))
def test_an_end_is_noticed_within_a_few_per_cent_and_30_seconds(age: float) -> None:
    assert 1 <= interval(age) <= min(30, max(1, 0.05 * age))


def test_nothing_is_due_at_once() -> None:
    calls = calls_due(young(5), NOW + 0.5)
    assert (calls.lists, calls.describes) == (frozenset(), ())


def test_few_jobs_are_described() -> None:
    calls = calls_due(young(DESCRIBED_ALONE), NOW + 1)
    assert (calls.lists, names(calls.describes)) == (frozenset(), ["job-0", "job-1"])


def test_many_jobs_are_listed_with_one_call_for_each_kind() -> None:
    calls = calls_due([*young(500), *young(500, "Processing")], NOW + 1)
    assert (calls.lists, calls.describes) == ({"Training", "Processing"}, ())


def test_packages_are_described_because_their_list_knows_no_changes() -> None:
    calls = calls_due(young(4, "RegisterModel"), NOW + 1)
    assert (calls.lists, len(calls.describes)) == (frozenset(), 4)


def test_a_kind_that_may_not_be_listed_is_described() -> None:
    calls = calls_due(young(4), NOW + 1, unlisted={"Training"})
    assert (calls.lists, len(calls.describes)) == (frozenset(), 4)


def test_a_job_that_a_worker_hands_over_is_asked_about_at_once() -> None:
    handed_over = joined("Training", "young", created=0.0, now=NOW, age=4.0)
    assert calls_due([handed_over], NOW).describes == (handed_over,)


def test_a_job_from_before_a_lists_view_is_described_at_once() -> None:
    old = joined("Training", "old", created=0.0, now=NOW, age=OVERLAP + 1)
    assert names(calls_due([*young(5), old], NOW).describes) == ["old"]


def test_a_thousand_jobs_after_a_restart_are_described_a_few_at_a_time() -> None:
    old = [joined("Training", f"j{i}", created=0.0, now=NOW, age=7200.0) for i in range(1000)]
    assert len(calls_due(old, NOW).describes) == DESCRIBES_A_ROUND


def test_a_job_that_no_list_shows_is_described_now_and_then() -> None:
    jobs = [was_listed(job, NOW + SWEEP) for job in young(5)]
    assert len(calls_due(jobs, NOW + SWEEP).describes) == 5


def test_one_list_serves_young_and_old() -> None:
    old = was_described(joined("Training", "old", created=0, now=NOW, age=3600), NOW)
    jobs = [was_listed(job, NOW + 1) for job in (*young(4), old)]
    assert (calls_due(jobs, NOW + 1.5), wake_at(jobs)) == (calls_due([], NOW), NOW + 2)


def test_the_first_list_looks_back_to_the_oldest_job_that_it_must_show() -> None:
    jobs = [joined("Training", f"j{i}", created=100.0 + i, now=NOW, age=5.0) for i in range(3)]
    described_first = joined("Training", "old", created=1.0, now=NOW, age=7200.0)
    assert look_back([*jobs, described_first], NOW) == 100.0


def test_a_rest_after_trouble_doubles_up_to_a_minute() -> None:
    assert [backoff(failures) for failures in (1, 2, 5, 6, 50)] == [2, 4, 32, 60, 60]


@given(st.lists(st.floats(0, 1e5), min_size=3, max_size=50))
def test_between_two_calls_nothing_is_due(ages: list[float]) -> None:
    jobs = [
        was_described(joined("Training", str(i), created=0.0, now=NOW, age=age), NOW)
        for i, age in enumerate(ages)
    ]
    before = math.nextafter(wake_at(jobs), 0)
    assert calls_due(jobs, before) == calls_due([], before)
