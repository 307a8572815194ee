"""When to ask the service about which jobs: the pure core of all waiting.

One watcher serves every waiting task of a connection and region. A List call answers for all
jobs of a kind at once, because it returns only what changed since the call before; a Describe
call is cheaper while few wait. What a list of changes may have missed, a census finds: a list of
what goes on, now and then.

Times are seconds of one monotonic clock, which the caller reads; `created` and `seen` are seconds
of the epoch by the service's clock. No other clock counts, so none can be wrong.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from include.nacre.dag.kinds import KINDS
from include.nacre.native.pace import LONGEST, interval

DESCRIBED_ALONE = 2
"""Up to so many waiting jobs of a kind are described one by one: exact, and as few calls."""

CHECKED_ALONE = 5
"""Up to so many jobs that no call has shown for long are described; more are a census."""

OVERLAP = 60.0
"""Seconds by which each List call looks back before the one before it. Lists lag behind."""

SWEEP = 300.0
"""Seconds after which what was not shown by itself is looked at all the same: a safety net."""

BARREN_PAGES = 3
"""A census ends after so many pages in a row that showed no job that it is about: the account has
many others, and a Describe for each of ours is cheaper."""


class What(Enum):
    """The ways of asking."""

    DESCRIBE = "one job"
    CHANGES = "the jobs of a kind that have changed"
    CENSUS = "the jobs of a kind that go on"


Line = tuple[What, str]
"""What is asked about which kind. When calls are short, lines take turns."""


@dataclass(frozen=True)
class Watched:
    """A job that somebody waits for."""

    kind: str
    name: str
    created: float
    due: float
    """When to ask about it next."""
    check_due: float
    """When to look at the job itself: a list of changes may have missed its end."""
    seen: float | None
    """Up to when it is known not to have ended; None until somebody has looked."""
    alone: bool = False
    """Whether the next look is for it alone: an event or a census says that it may have ended."""
    heard: float | None = None
    """When an event said that it has ended."""


@dataclass(frozen=True)
class Call:
    """One call that may be made from `due` on."""

    what: What
    kind: str
    due: float
    name: str = ""

    @property
    def line(self) -> Line:
        return self.what, self.kind

    @property
    def operation(self) -> str:
        """The service's operation: `DescribeTrainingJob`."""
        verb = "Describe" if self.what is What.DESCRIBE else "List"
        return KINDS[self.kind].operation(verb)


@dataclass(frozen=True)
class Means:
    """What there is to ask with, beside the budget."""

    unlisted: Collection[str] = ()
    """Kinds that cannot be listed: not permitted, or by far too much else is in their lists."""
    failing: Collection[str] = ()
    """Kinds whose lists fail. They are described, and a List call tries again when it may."""
    pages: Mapping[Line, float] = field(default_factory=dict)
    """When the next page of a listing may be asked for, of those that have more pages."""


def joined(kind: str, name: str, *, created: float, now: float, age: float | None) -> Watched:
    """Begin to watch a job of an age in seconds; None where nobody knows it yet. It is asked about
    at once: its worker has looked at it before it deferred, and that took two seconds. One that
    is older than lists look back may have ended unseen.
    """
    if age is None or age >= OVERLAP:
        return Watched(kind, name, created, due=now, check_due=now, seen=None)
    return Watched(kind, name, created, due=now, check_due=now + SWEEP, seen=created)


def calls(jobs: Iterable[Watched], now: float, means: Means | None = None) -> list[Call]:
    """Return what each line may ask next, and from when on."""
    means = means or Means()
    return [
        call
        for kind, waiting in _by_kind(jobs).items()
        for call in _calls_about(kind, waiting, now, means)
    ]


def _calls_about(kind: str, waiting: Sequence[Watched], now: float, means: Means) -> Iterator[Call]:
    paging = any(kind == paged for _, paged in means.pages)
    few = len(waiting) <= DESCRIBED_ALONE and not paging
    listable = KINDS[kind].listable and kind not in means.unlisted
    if few or not listable or kind in means.failing:
        yield _describe(waiting, lambda job: min(job.due, job.check_due))
    else:
        yield from _checks(kind, waiting, now, means)
    if listable and not few:
        due = means.pages.get((What.CHANGES, kind), min(job.due for job in waiting))
        yield Call(What.CHANGES, kind, due)


def _checks(kind: str, waiting: Sequence[Watched], now: float, means: Means) -> Iterator[Call]:
    """Yield the safety net's calls."""
    together, page_due = unchecked(waiting, now), means.pages.get((What.CENSUS, kind))
    census = page_due is not None or len(together) > CHECKED_ALONE
    if census:
        due = min(job.check_due for job in together) if page_due is None else page_due
        yield Call(What.CENSUS, kind, due)
    if one_by_one := [job for job in waiting if job.alone or not census]:
        yield _describe(one_by_one, lambda job: job.check_due)


def unchecked(waiting: Iterable[Watched], now: float) -> list[Watched]:
    """Return the jobs that one census is for: all that it would be time for soon."""
    return [job for job in waiting if not job.alone and job.check_due <= now + SWEEP / 2]


def _describe(jobs: Iterable[Watched], due: Callable[[Watched], float]) -> Call:
    """Return the call about the job that it is due for first."""
    job = min(jobs, key=due)
    return Call(What.DESCRIBE, job.kind, due(job), job.name)


@dataclass(frozen=True)
class Turns:
    """Who may make the next call."""

    served: Mapping[Line, float] = field(default_factory=dict)
    """When each line made its last call."""
    rests: Mapping[str, float] = field(default_factory=dict)
    """Until when operations rest that have failed."""
    busy: Collection[str] = ()
    """Operations that wait for an answer."""

    def ready(self, call: Call) -> float:
        """Return from when on a call may be made, if its operation is not busy."""
        return max(call.due, self.rests.get(call.operation, call.due))


def choose(candidates: Iterable[Call], now: float, turns: Turns) -> tuple[Call | None, float]:
    """Return the call to make now, and when to choose again if there is none (may be infinite).

    The line that has waited longest for its turn makes its call that was due first: whoever needs
    many calls delays himself, and nobody waits for ever.
    """
    free = [call for call in candidates if call.operation not in turns.busy]
    ready = [call for call in free if turns.ready(call) <= now]
    never = float("-inf")
    first = min(
        ready, key=lambda call: (turns.served.get(call.line, never), call.due), default=None
    )
    return first, min(map(turns.ready, free), default=float("inf"))


def look_back(waiting: Iterable[Watched], service_now: float) -> float:
    """Return the time, by the service's clock, from which a List must show the changes of jobs:
    the oldest knowledge about those that somebody has looked at. (The others have a census.)
    """
    return min((job.seen for job in waiting if job.seen is not None), default=service_now) - OVERLAP


def oldest(waiting: Iterable[Watched]) -> float:
    """Return the time from which a census must list creations, by the service's clock."""
    return min(job.created for job in waiting) - 1  # its filter is "after"


def was_listed(job: Watched, now: float, service_now: float, *, slow: bool = False) -> Watched:
    """Note that a list of changes, begun at that time, would have shown the job's end. `slow`:
    events tell of ends, so asking is but a safety net.
    """
    seen = None if job.seen is None else service_now
    return replace(job, due=now + _rest(job, service_now, slow), seen=seen)


def was_seen(job: Watched, now: float, service_now: float, *, slow: bool = False) -> Watched:
    """Note that a call, begun at that time, showed the job itself."""
    due = now + _rest(job, service_now, slow)
    if job.heard is not None and job.heard > now:  # what was heard since then is newer
        return replace(job, due=due, seen=service_now)
    return replace(job, due=due, check_due=now + SWEEP, seen=service_now, alone=False)


def was_missed(job: Watched) -> Watched:
    """Note that a census did not show the job: it may have ended."""
    return replace(job, alone=True)


def was_told_of(job: Watched, now: float) -> Watched:
    """Note that an event says that the job has ended."""
    return replace(job, check_due=min(job.check_due, now), alone=True, heard=now)


def put_off(job: Watched, now: float) -> Watched:
    """Note that a call about the job failed: others come before it is asked about again."""
    return replace(job, due=max(job.due, now), check_due=max(job.check_due, now))


def _rest(job: Watched, service_now: float, slow: bool) -> float:
    return LONGEST if slow else interval(service_now - job.created)


def _by_kind(jobs: Iterable[Watched]) -> dict[str, list[Watched]]:
    found: dict[str, list[Watched]] = {}
    for job in jobs:
        found.setdefault(job.kind, []).append(job)
    return found


def backoff(failures: int) -> float:
    """Return how long to rest after so many calls in a row were throttled or unanswered."""
    return float(min(60, 2 ** min(failures, 6)))
