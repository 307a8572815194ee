"""Any number of jobs of any kinds and durations, in simulated time: within the budget, every end is
noticed soon, and nobody waits for ever.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from include.nacre.dag.budget import BURST, Budget
from include.nacre.dag.kinds import KINDS, Kind
from include.nacre.dag.polling import SWEEP
from include.nacre.dag.watcher import GATHERING, Watcher
from include.nacre.native.pace import interval
from tests.unit.dag import virtual
from tests.unit.dag.memory import BEGIN, MemoryService, refused
from tests.unit.dag.test_watcher import at_once

WATCHED = ("Training", "Processing", "Transform", "RegisterModel")
LISTS = sorted(KINDS[kind].operation("List") for kind in WATCHED)
LINES = 2 * len(WATCHED) + 3  # lists, describes and, of the kinds that can be listed, a census
MARGIN = 2.0  # seconds: the service's clock is in whole ones, and what arrives is gathered


@dataclass(frozen=True)
class Course:
    """What becomes of one job. Times are in seconds."""

    kind: str
    start: float
    duration: float
    hidden: bool = False
    """Whether lists of changes never show its end."""


@dataclass
class Service(MemoryService):
    """SageMaker in the event loop's time, which notes when it was asked."""

    hidden: set[str] = field(default_factory=set)
    asked: list[float] = field(default_factory=list)
    fails: Callable[[str], bool] = lambda _: False
    sent: Callable[[], None] = lambda: None

    def describe(self, kind: Kind, name: str) -> dict[str, Any] | None:
        self.enter(kind.operation("Describe"))
        return super().describe(kind, name)

    def list_page(self, kind: Kind, request: Mapping[str, Any]) -> dict[str, Any]:
        self.enter(kind.operation("List"))
        answer = super().list_page(kind, request)
        if "LastModifiedTimeAfter" in request:
            found = answer[kind.summaries_key]
            shown = [job for job in found if job[kind.name_key] not in self.hidden]
            answer[kind.summaries_key] = shown
        return answer

    def enter(self, operation: str) -> None:
        self.sent()
        self.asked.append(time())
        self.now = moment(time())
        if self.fails(operation):
            raise refused(operation, "ThrottlingException")


def time() -> float:
    return asyncio.get_running_loop().time()


def moment(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


async def lived(watcher: Watcher, service: Service, name: str, course: Course) -> float:
    """Let a job run its course; how many seconds after its end its task was told."""
    kind = KINDS[course.kind]
    await asyncio.sleep(course.start)
    service.now = moment(time())
    service.call(kind.operation("Create"), **{f"{kind.resource}Name": name})
    created, ends = service.now.timestamp(), time() + course.duration
    asyncio.get_running_loop().call_at(ends, finish, service, kind, name, course.hidden)
    async for news in watcher.news_of(course.kind, name, created):
        if news.status:
            return time() - ends
    raise AssertionError("the news ended before the job")


def finish(service: Service, kind: Kind, name: str, hidden: bool) -> None:
    service.now = moment(time())
    service.end(kind, name, "Completed")
    if hidden:
        service.hidden.add(name)


def watched(
    courses: Sequence[Course], per_second: float, fails: Callable[[str], bool] = lambda _: False
) -> tuple[list[float], Service]:
    """How late each job's end was noticed, and what the service was asked."""

    async def main() -> tuple[list[float], Service]:
        service = Service(fails=fails)

        def connect(sent: Callable[[], None]) -> Service:
            service.sent = sent
            return service

        watcher = Watcher(connect, Budget(per_second), at_once)
        lives = (lived(watcher, service, f"j{n}", course) for n, course in enumerate(courses))
        return await asyncio.gather(*lives), service

    return virtual.run(main())


def courses(longest: float = 900.0, *, may_hide: bool = False) -> st.SearchStrategy[list[Course]]:
    return st.lists(
        st.builds(
            Course,
            st.sampled_from(WATCHED),
            st.floats(0, 300),
            st.floats(0, longest),
            st.booleans() if may_hide else st.just(False),
        ),
        min_size=1,
        max_size=12,
    )


@settings(max_examples=15, deadline=None)
@given(courses(), st.sampled_from([0.5, 1.0, 4.0]))
def test_in_no_time_are_more_calls_made_than_the_budget_has(
    given_courses: list[Course], per_second: float
) -> None:
    _, service = watched(given_courses, per_second)
    asked = service.asked
    beyond = [
        (first, last)
        for i, first in enumerate(asked)
        for number, last in enumerate(asked[i : i + 60], 1)
        if number > BURST + per_second * (last - first) + 1e-6
    ]
    assert beyond == []


@settings(max_examples=15, deadline=None)
@given(courses())
def test_with_budget_enough_each_end_is_noticed_within_its_share_of_the_duration(
    given_courses: list[Course],
) -> None:
    late, _ = watched(given_courses, per_second=40.0)
    allowed = [interval(course.duration) + MARGIN for course in given_courses]
    assert [lateness for lateness, most in zip(late, allowed, strict=True) if lateness > most] == []


@settings(max_examples=15, deadline=None)
@given(courses(), st.sampled_from([0.2, 1.0]))
def test_with_too_small_a_budget_nobody_waits_for_ever(
    given_courses: list[Course], per_second: float
) -> None:
    late, _ = watched(given_courses, per_second)
    turn = LINES / per_second  # until each line has made a call
    packages = sum(course.kind == "RegisterModel" for course in given_courses)
    allowed = [
        interval(course.duration)
        + (packages + 2 if course.kind == "RegisterModel" else 5) * turn
        + MARGIN
        for course in given_courses
    ]
    assert [lateness for lateness, most in zip(late, allowed, strict=True) if lateness > most] == []


@settings(max_examples=15, deadline=None)
@given(courses(may_hide=True))
def test_an_end_that_no_list_shows_is_found_by_the_safety_net(given_courses: list[Course]) -> None:
    late, _ = watched(given_courses, per_second=10.0)
    assert [lateness for lateness in late if lateness > SWEEP + interval(1e6) + MARGIN] == []


@settings(max_examples=15, deadline=None)
@given(courses(longest=300.0), st.sampled_from(LISTS))
def test_a_list_that_is_throttled_for_ever_delays_only_its_own_kind_and_not_for_ever(
    given_courses: list[Course], throttled: str
) -> None:
    late, _ = watched(given_courses, per_second=10.0, fails=lambda name: name == throttled)
    own = [KINDS[course.kind].operation("List") == throttled for course in given_courses]
    allowed = [60.0 if is_own else interval(300.0) + MARGIN for is_own in own]
    assert [lateness for lateness, most in zip(late, allowed, strict=True) if lateness > most] == []


def test_a_thousand_jobs_that_go_on_cost_few_calls_a_minute() -> None:
    old, minutes = 7200.0, 20

    async def main() -> Service:
        service = Service()
        for number in range(1000):
            service.call("CreateTrainingJob", TrainingJobName=f"j{number}")
        await asyncio.sleep(old)

        def connect(sent: Callable[[], None]) -> Service:
            service.sent = sent
            return service

        watcher = Watcher(connect, Budget(1.0), at_once)

        async def wait(name: str) -> None:
            async for _ in watcher.news_of("Training", name, BEGIN.timestamp()):
                pass

        waits = [asyncio.create_task(wait(f"j{number}")) for number in range(1000)]
        await asyncio.sleep(60 * minutes)
        for task in waits:
            task.cancel()
        return service

    asked = virtual.run(main()).asked
    first_minute = sum(at < old + 60 for at in asked)
    assert (first_minute, len(asked) - first_minute) == (12, 68)


def test_gathering_what_arrives_takes_less_than_the_margin() -> None:
    assert GATHERING < MARGIN
