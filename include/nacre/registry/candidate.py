"""Which version is to be decided on, and beside which one: values in, values out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from include.nacre.registry.version import APPROVED, Version

NAMED = 10
"""How many versions a note names at most."""


@dataclass(frozen=True)
class Finding:
    """What was found: the candidate, and what is in production.

    Without a candidate there is nothing to ask. `notes` say, for a person, why versions that might
    have been it are not.
    """

    candidate: Version | None
    champion: Version | None
    notes: tuple[str, ...] = ()


def find_candidate(waiting: Iterable[Version], champion: Version | None) -> Finding:
    """Return the version to ask for, of those that are pending.

    It is the one with the newest data; of equals the one registered last. A version whose data is
    older than the champion's is none: a date that is backfilled must not take the place of a model
    that knows more.

    What is pending decides, not which registration started the run: an Airflow that is busy passes
    over some of the events that it has collected.
    """
    late, ready = _split(waiting, champion)
    candidate = newest(ready)
    notes = []
    if champion is not None and late:
        notes.append(_stay_pending(late, champion, "is in production"))
    if candidate is None:
        return Finding(None, champion, tuple(notes) or ("no version is pending",))
    others = [version for version in ready if version != candidate]
    if others:
        notes.append(_stay_pending(others, candidate, "is asked for"))
    return Finding(candidate, champion, tuple(notes))


def chosen(version: Version, champion: Version | None) -> Finding:
    """Return what is found when a person names a version: that one, whatever its data, and also
    one that was rejected before. One that is approved already leaves nothing to ask.
    """
    if version.status == APPROVED:
        return Finding(None, champion, (decided(version),))
    return Finding(version, champion)


def newest(versions: Iterable[Version]) -> Version | None:
    """Return the version with the newest data; of equals, and where data has no dates, the one
    registered last. None if there are none.
    """
    known = list(versions)
    newest_date = max((version.data_until for version in known), default="")
    # Those without a date are none the older: the one registered last may be the newest.
    best = [version for version in known if version.data_until in ("", newest_date)]
    return max(best, key=lambda version: version.number, default=None)


def older(version: Version, other: Version) -> bool:
    """Say whether a version's data ends before another's. Data without dates is not older."""
    return "" < version.data_until < other.data_until


def decided(version: Version) -> str:
    """Return the line that says how a version was decided on."""
    why = f" ({version.approval})" if version.approval else ""
    return f"{version.name} is {version.status} already{why}"


def data_of(version: Version) -> str:
    """Return the words that say how new a version's data is."""
    return f"data until {version.data_until}" if version.data_until else "data without dates"


def _split(
    waiting: Iterable[Version], champion: Version | None
) -> tuple[list[Version], list[Version]]:
    """Return the versions whose data is older than the champion's, and the others."""
    late: list[Version] = []
    ready: list[Version] = []
    for version in waiting:
        (late if champion is not None and older(version, champion) else ready).append(version)
    return late, ready


def _stay_pending(versions: Sequence[Version], behind: Version, why: str) -> str:
    names = [version.name for version in sorted(versions, key=lambda item: item.number)]
    if len(names) > NAMED:
        names = [f"{len(names) - NAMED} older ones", *names[-NAMED:]]
    return f"{', '.join(names)}: pending, as {behind.name} ({data_of(behind)}) {why}"
