"""Which calls are made when, for given jobs, ages and times."""

import math
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from include.nacre.dag.polling import (
    CHECKED_ALONE,
    DESCRIBED_ALONE,
    OVERLAP,
    SWEEP,
    Call,
    Means,
    Turns,
    Watched,
    What,
    backoff,
    calls,
    choose,
    joined,
    look_back,
    oldest,
    put_off,
    unchecked,
    was_listed,
    was_missed,
    was_seen,
    was_told_of,
)
from include.nacre.native.pace import interval

NOW = 1_000.0
CHANGES, CENSUS, DESCRIBE = What.CHANGES, What.CENSUS, What.DESCRIBE


def young(number: int, kind: str = "Training", now: float = NOW) -> list[Watched]:
    return [joined(kind, f"job-{i}", created=now, now=now, age=0.0) for i in range(number)]


def old(number: int, kind: str = "Training") -> list[Watched]:
    return [joined(kind, f"old-{i}", created=i, now=NOW, age=7200.0) for i in range(number)]


def due(jobs: Iterable[Watched], now: float = NOW, means: Means | None = None) -> list[Call]:
    return [call for call in calls(jobs, now, means) if call.due <= now]


def asked(jobs: Iterable[Watched], now: float = NOW, means: Means | None = None) -> set[What]:
    return {call.what for call in due(jobs, now, means)}


def test_a_job_is_asked_about_after_a_second_then_ever_more_rarely() -> None:
    ages = [0, 30, 60, 300, 600, 3600, 86_400]
    assert [round(interval(age), 3) for age in ages] == [1, 1, 1.8, 9, 18, 30, 30]


@given(st.floats(0, 1e7))
def test_an_end_is_noticed_within_a_few_per_cent_and_30_seconds(age: float) -> None:
    assert 1 <= interval(age) <= min(30, max(1, 0.05 * age))


def test_a_job_that_a_worker_hands_over_is_asked_about_at_once() -> None:
    assert due(young(1)) == [Call(DESCRIBE, "Training", NOW, "job-0")]


def test_few_jobs_are_described_the_one_that_is_due_first_before_the_other() -> None:
    first, second = young(DESCRIBED_ALONE)
    jobs = [was_seen(first, NOW, NOW), second]
    assert calls(jobs, NOW) == [Call(DESCRIBE, "Training", NOW, "job-1")]


def test_many_jobs_are_listed_with_one_call_for_each_kind() -> None:
    found = due([*young(500), *young(500, "Processing")])
    assert [call.line for call in found] == [(CHANGES, "Training"), (CHANGES, "Processing")]


def test_packages_are_described_because_their_list_knows_no_changes() -> None:
    assert asked(young(4, "RegisterModel")) == {DESCRIBE}


def test_a_kind_that_may_not_be_listed_is_described() -> None:
    assert asked(young(4), means=Means(unlisted={"Training"})) == {DESCRIBE}


def test_a_kind_whose_lists_fail_is_described_and_its_list_tried_again() -> None:
    assert asked(young(4), means=Means(failing={"Training"})) == {DESCRIBE, CHANGES}


def test_what_was_listed_is_due_after_a_share_of_its_age() -> None:
    jobs = [was_listed(job, NOW, NOW + 100) for job in young(4)]
    assert (asked(jobs, NOW + 2.9), asked(jobs, NOW + 3.1)) == (set(), {CHANGES})


def test_where_events_tell_of_ends_asking_is_slow() -> None:
    jobs = [was_listed(job, NOW, NOW, slow=True) for job in young(4)]
    assert (asked(jobs, NOW + 29), asked(jobs, NOW + 30)) == (set(), {CHANGES})


def test_a_few_jobs_from_before_a_lists_view_are_described_at_once() -> None:
    found = due([*young(5), *old(CHECKED_ALONE)])
    assert [(call.what, call.name) for call in found] == [(DESCRIBE, "old-0"), (CHANGES, "")]


def test_a_thousand_jobs_after_a_restart_are_counted_and_listed_not_described() -> None:
    assert asked(old(1000)) == {CENSUS, CHANGES}


def test_a_job_that_a_census_has_missed_is_described() -> None:
    jobs = [*old(6), was_missed(old(7)[6])]
    assert {call.name for call in due(jobs) if call.what is DESCRIBE} == {"old-6"}


def test_few_jobs_that_no_list_shows_are_described_now_and_then() -> None:
    jobs = [was_listed(job, NOW + SWEEP, NOW) for job in young(4)]
    assert (asked(jobs, NOW + SWEEP - 1), asked(jobs, NOW + SWEEP)) == (set(), {DESCRIBE})


def test_one_census_is_for_all_that_it_will_be_time_for_soon() -> None:
    jobs = [job for i in range(40) for job in young(1, now=NOW + 10 * i)]
    at = NOW + SWEEP
    names = len(unchecked(jobs, at))
    assert (CENSUS in asked(jobs, at), names) == (True, 16)


def test_a_job_that_an_event_told_of_is_described_at_once_even_where_lists_serve() -> None:
    jobs = [was_listed(job, NOW, NOW) for job in young(9)]
    jobs[4] = was_told_of(jobs[4], NOW + 0.1)
    assert due(jobs, NOW + 0.1) == [Call(DESCRIBE, "Training", NOW + 0.1, "job-4")]


def test_what_was_asked_before_an_event_came_does_not_answer_it() -> None:
    told = was_told_of(young(1)[0], NOW + 1)
    before, after = was_seen(told, NOW, NOW), was_seen(told, NOW + 2, NOW)
    assert (before.alone, before.check_due, after.alone) == (True, NOW + 1, False)


def test_a_job_whose_call_failed_gives_way_to_the_others() -> None:
    first, second = young(2)
    jobs = [put_off(first, NOW + 1), second]
    assert [call.name for call in due(jobs, NOW + 1)] == ["job-1"]


def test_a_list_looks_back_to_the_oldest_knowledge_of_what_it_is_about() -> None:
    jobs = [joined("Training", str(i), created=500.0 + i, now=NOW, age=5.0) for i in range(3)]
    assert look_back([*jobs, *old(9)], 2_000.0) == 500.0 - OVERLAP


def test_a_list_of_jobs_that_nobody_has_looked_at_yet_looks_back_a_minute() -> None:
    assert look_back(old(9), 2_000.0) == 2_000.0 - OVERLAP


def test_a_census_begins_before_the_oldest_job() -> None:
    assert oldest(old(9)) < 0


def test_a_line_that_was_served_gives_way_to_one_that_waits() -> None:
    describes = Call(DESCRIBE, "Pipeline", NOW - 500, "arn")
    lists = Call(CHANGES, "Training", NOW - 1)
    turns = Turns(served={describes.line: NOW - 1, lists.line: NOW - 2})
    assert choose([describes, lists], NOW, turns) == (lists, NOW - 500)


def test_an_operation_that_rests_or_waits_for_its_answer_is_not_called() -> None:
    one, other = Call(DESCRIBE, "Training", NOW, "a"), Call(CHANGES, "Processing", NOW)
    turns = Turns(rests={"DescribeTrainingJob": NOW + 8}, busy={"ListProcessingJobs"})
    assert choose([one, other], NOW, turns) == (None, NOW + 8)


def test_nothing_to_call_is_nothing_to_wake_for() -> None:
    assert choose([], NOW, Turns()) == (None, math.inf)


def test_a_rest_after_trouble_doubles_up_to_a_minute() -> None:
    assert [backoff(failures) for failures in (1, 2, 5, 6, 50)] == [2, 4, 32, 60, 60]


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=50))
def test_between_two_calls_nothing_is_due(ages: list[float]) -> None:
    jobs = [
        was_seen(joined("Training", str(i), created=NOW - age, now=NOW, age=age), NOW, NOW)
        for i, age in enumerate(ages)
    ]
    _, wake = choose(calls(jobs, NOW), NOW, Turns())
    assert due(jobs, math.nextafter(wake, 0)) == []
