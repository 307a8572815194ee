"""Which version is to be decided on, and beside which one: values in, values out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from include.nacre.registry.version import APPROVED, PENDING, Version


@dataclass(frozen=True)
class Finding:
    """What was found: the candidate, and what is in production.

    Without a candidate there is nothing to ask. `notes` say, for a person, why versions that might
    have been it are not: one line each.
    """

    candidate: Version | None
    champion: Version | None
    notes: tuple[str, ...] = ()


def find_candidate(
    named: Sequence[Version], waiting: Sequence[Version], champion: Version | None
) -> Finding:
    """Return the version to ask for.

    :param named: the versions whose registration started the run; if there are none, it is for
        whatever waits
    :param waiting: the versions that are pending
    :param champion: the version in production

    Of several the one with the newest data, of equals the one registered last. It must be pending,
    no pending version may have newer data, and the champion may not have newer data: one date
    that is backfilled must not take the place of a model that knows more.
    """
    pending = [version for version in named or waiting if version.status == PENDING]
    notes = [decided(version) for version in named if version.status != PENDING]
    candidate = newest(pending)
    if candidate is None:
        return Finding(None, champion, tuple(notes) or ("no version is pending",))
    notes += [_overtaken(version, candidate) for version in pending if version != candidate]
    rival = newest([version for version in waiting if overtakes(version, candidate)])
    if rival is not None:
        return Finding(None, champion, (*notes, _overtaken(candidate, rival)))
    if champion is not None and older(candidate, champion):
        return Finding(None, champion, (*notes, _late(candidate, champion)))
    return Finding(candidate, champion, tuple(notes))


def chosen(version: Version, champion: Version | None) -> Finding:
    """Return what is found when a person names a version: that one, whatever its data, and also
    one that was rejected before. One that is approved already leaves nothing to ask.
    """
    if version.status == APPROVED:
        return Finding(None, champion, (decided(version),))
    return Finding(version, champion)


def newest(versions: Iterable[Version]) -> Version | None:
    """Return the version with the newest data; of equals, the one registered last."""
    return max(versions, key=lambda version: (version.data_until, version.number), default=None)


def older(version: Version, other: Version) -> bool:
    """Say whether a version's data ends before another's. Data without dates is not older."""
    return "" < version.data_until < other.data_until


def overtakes(version: Version, other: Version) -> bool:
    """Say whether a version makes another one superfluous: it has newer data, or it is a later
    one of the same date.
    """
    if version.data_until == other.data_until:
        return version.number > other.number
    return older(other, version)


def decided(version: Version) -> str:
    """Return the line that says how a version was decided on."""
    why = f" ({version.approval})" if version.approval else ""
    return f"{version.name} is {version.status} already{why}"


def data_of(version: Version) -> str:
    """Return the words that say how new a version's data is."""
    return f"data until {version.data_until}" if version.data_until else "data without dates"


def _overtaken(version: Version, by: Version) -> str:
    return (
        f"{version.name} ({data_of(version)}) stays pending: "
        f"{by.name} ({data_of(by)}) waits for approval, too"
    )


def _late(version: Version, champion: Version) -> str:
    return (
        f"{version.name} ({data_of(version)}) stays pending: "
        f"{champion.name} ({data_of(champion)}) is in production"
    )
