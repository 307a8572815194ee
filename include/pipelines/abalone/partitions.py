"""Which days' data a run is about. Values in, values out; it imports no data library."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta


class NoDataError(Exception):
    """There is nothing to work on; the text says where it was looked for, and what to do."""


def date_of(
    asked: str | None,
    logical_date: datetime | None,
    run_after: datetime,
    landed: Sequence[str] = (),
) -> str:
    """The date (YYYY-MM-DD) that a run works on.

    What the form asks for; else, of a run that an arrival has started, the newest partition that
    has `landed`; else the run's logical date; else, for a run without one, when it was due.
    """
    if asked:
        return checked(asked)
    return max(landed, default=(logical_date or run_after).date().isoformat())


def dates(paths: Iterable[str]) -> list[str]:
    """The dates of the partitions that files belong to, by their paths; ascending."""
    return sorted({day for path in _files(paths) if (day := _day(path))})


def checked(text: str) -> str:
    """A date as it names a partition; NoDataError for anything else."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise NoDataError(f"{text!r} is no date; write it as YYYY-MM-DD") from None


def is_date(text: str) -> bool:
    """Whether a text is a date as partitions are named: 2026-11-01."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def days_before(day: str, count: int) -> list[str]:
    """That many dates before a date, the oldest first."""
    last = date.fromisoformat(day)
    if count >= last.toordinal():
        raise NoDataError(f"{day} has no {count} days before it: ask for fewer (HistoryDays)")
    return [(last - timedelta(days=back)).isoformat() for back in range(count, 0, -1)]


@dataclass(frozen=True)
class History:
    """What lies below an address, as preprocess.py will choose from it."""

    dates: tuple[str, ...]
    """The partitions' dates up to the run's, ascending."""
    later: int
    """How many partitions are passed over, since they are newer."""
    undated: int
    """How many files lie in no dated folder: they always count."""
    size: int
    """Bytes of all files that count."""

    def __str__(self) -> str:
        dated = f"{len(self.dates)} partitions"
        if self.dates:
            dated += f" ({self.dates[0]} to {self.dates[-1]})"
        undated = f" and {self.undated} files without a date" if self.undated else ""
        later = f"; {self.later} newer partitions are passed over" if self.later else ""
        return f"{dated}{undated}, {self.size / 1000:.0f} kB{later}"


def history(sizes: Mapping[str, int], address: str, until: str) -> History:
    """What counts up to a date, of files (bytes by their paths) below an address.

    Raises NoDataError if nothing does. Which files count is preprocess.py's rule.
    """
    days = {path: _day(path) for path in _files(sizes)}
    there = dates(sizes)
    counting = [path for path, day in days.items() if day <= until]
    if not counting:
        raise NoDataError(_nothing(there, address, until))
    counted = tuple(day for day in there if day <= until)
    return History(
        dates=counted,
        later=len(there) - len(counted),
        undated=sum(not day for day in days.values()),
        size=sum(sizes[path] for path in counting),
    )


def require_batch(paths: Iterable[str], address: str) -> None:
    """Raise NoDataError if no file of rows to score is among those below an address: a training
    scores some with its model, and its jobs would fail without.
    """
    if not _files(paths):
        raise NoDataError(
            f"{address} holds no rows to score, and a training scores some with its model. Run"
            " abalone_ingest with a BatchSource, or ask for another address (BatchData)."
        )


def _files(paths: Iterable[str]) -> list[str]:
    """The paths but those of hidden files, and of folders that S3's console has made."""
    names = {path: path.rpartition("/")[2] for path in paths}
    return [path for path, name in names.items() if name and not name.startswith(".")]


def _day(path: str) -> str:
    return next((part for part in path.split("/")[:-1] if is_date(part)), "")


def _nothing(there: list[str], address: str, until: str) -> str:
    begins = f": its partitions begin at {there[0]}" if there else ""
    return (
        f"{address} holds no rows up to {until}{begins}. Run abalone_ingest with Date {until}"
        " (HistoryDays 29 lands the 29 days before it, too), or ask for another date."
    )
