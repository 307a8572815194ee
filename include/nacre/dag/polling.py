"""When to ask the service about which jobs: the pure core of all waiting.

One watcher serves every waiting task of a connection and region. A List call answers for all
jobs of a kind at once, because it returns only what changed since the call before; a Describe
call is cheaper while few wait. Times here are seconds of one monotonic clock, which the caller
reads; ages are seconds since a job was created.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from include.nacre.dag.kinds import KINDS
from include.nacre.native.pace import SHORTEST, interval

DESCRIBED_ALONE = 2
"""Up to so many waiting jobs of a kind are described one by one: exact, and as few calls."""

OVERLAP = 60.0
"""Seconds by which each List call looks back before the one before it. Lists lag behind."""

SWEEP = 300.0
"""Seconds after which a job that no List has shown is described all the same: a safety net."""

DESCRIBES_A_ROUND = 10
"""At most so many Describe calls in one round; the rest follows in the next ones. A triggerer
that starts anew with a thousand waiting tasks must not be throttled for it."""


@dataclass(frozen=True)
class Watched:
    """A job that somebody waits for."""

    kind: str
    name: str
    created: float
    """When the service created it, in seconds of the epoch by the service's clock."""
    born: float
    """The same moment by the watcher's clock."""
    listed: float
    """When a call last would have shown its end."""
    described: float
    """When a Describe last showed that it goes on; in the past for one whose end may be missed."""

    @property
    def due(self) -> float:
        """When to ask about it next."""
        return self.listed + interval(self.listed - self.born)

    @property
    def describe_due(self) -> float:
        return self.described + SWEEP


def joined(kind: str, name: str, *, created: float, now: float, age: float) -> Watched:
    """Begin to watch a job. One that is older than lists look back may have ended unseen, so it
    is described at once. A young one is asked about at once, too: its worker has looked at it
    before it deferred, and the triggerer took longer than the shortest pause to get here.
    """
    described = now if age < OVERLAP else now - SWEEP
    listed = now - min(age, SHORTEST)
    return Watched(kind, name, created, born=now - age, listed=listed, described=described)


@dataclass(frozen=True)
class Calls:
    """The calls of one round: kinds to list, and single jobs to describe."""

    lists: frozenset[str] = frozenset()
    describes: tuple[Watched, ...] = ()


def calls_due(
    jobs: Iterable[Watched], now: float, unlisted: Collection[str] = frozenset()
) -> Calls:
    """Decide which calls to make now. Kinds in `unlisted` may not be listed."""
    lists: set[str] = set()
    describes: list[Watched] = []
    for kind, waiting in _by_kind(jobs).items():
        if len(waiting) <= DESCRIBED_ALONE or kind in unlisted or not KINDS[kind].listable:
            describes += [job for job in waiting if min(job.due, job.describe_due) <= now]
            continue
        describes += [job for job in waiting if job.describe_due <= now]
        if any(job.due <= now for job in waiting):
            lists.add(kind)
    describes.sort(key=lambda job: min(job.due, job.describe_due))
    return Calls(frozenset(lists), tuple(describes[:DESCRIBES_A_ROUND]))


def look_back(waiting: Sequence[Watched], now: float) -> float:
    """Return the time from which the first List of a kind must show changes, by the service's
    clock: when the oldest job was created whose end no Describe will show first.
    """
    unseen = [job.created for job in waiting if job.describe_due > now]
    return min(unseen, default=max(job.created for job in waiting))


def wake_at(jobs: Iterable[Watched]) -> float:
    """Return when the next call is due; the jobs are at least one."""
    return min(min(job.due, job.describe_due) for job in jobs)


def was_listed(job: Watched, now: float) -> Watched:
    """Note that a List call would have shown the job's end."""
    return replace(job, listed=now)


def was_described(job: Watched, now: float) -> Watched:
    """Note that the job was described, and goes on."""
    return replace(job, listed=now, described=now)


def _by_kind(jobs: Iterable[Watched]) -> dict[str, list[Watched]]:
    found: dict[str, list[Watched]] = {}
    for job in jobs:
        found.setdefault(job.kind, []).append(job)
    return found


def backoff(failures: int) -> float:
    """Return how long to rest after so many calls in a row were throttled or unanswered."""
    return float(min(60, 2 ** min(failures, 6)))
