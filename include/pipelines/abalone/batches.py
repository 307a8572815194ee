"""Which batches are to be scored: those that have landed since they were last scored.

Pure: what lies in S3, and what asset events say, comes in as values.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from include.pipelines.abalone.layout import BATCH, QUALITY_FILE, SCORED, address
from include.pipelines.abalone.partitions import is_date
from include.pipelines.site import Site


@dataclass(frozen=True)
class Batch:
    """The rows to score of one date."""

    date: str
    address: str
    """An S3 file, or a prefix that ends with a slash."""
    landed: datetime


Stored = tuple[str, datetime]
"""An object in the bucket: its key, and when it was written."""

Scored = Callable[[str], datetime | None]
"""Of a date: when the newest rows that have been scored had landed; None if none have."""


class BadBatchError(ValueError):
    """What was asked for or announced is no batch; one line a fault."""


def find(
    site: Site,
    stored: Callable[[str], Iterable[Stored]],
    read: Callable[[str], Any],
    events: Iterable[tuple[Mapping[str, Any], datetime]],
    form: Mapping[str, Any],
) -> list[dict[str, str]]:
    """Return date, address, and time of landing of each batch to score (see `chosen`).

    Given S3 addresses, `stored` lists what lies below, and `read` returns what a JSON file says.
    """
    there = landed(site.bucket, stored(address(site, f"{BATCH}/")))
    done = scored(
        stored(address(site, f"{SCORED}/")),
        lambda key: read(address(site, key)),
    )
    return chosen(form["Date"], there, named(events), done, form["DaysBack"])


def landed(bucket: str, objects: Iterable[Stored]) -> dict[str, Batch]:
    """Return the batches that lie in the bucket, by date.

    A batch is all that lies in its date's folder, and has landed when its last file has. Files
    outside of dated folders are no batch; hidden ones (`.name`) are passed over.
    """
    found: dict[str, Batch] = {}
    for day, _, time in _dated(BATCH, objects):
        batch = Batch(day, f"s3://{bucket}/{BATCH}/{day}/", time)
        found[day] = max(batch, found.get(day, batch), key=_landed_at)
    return found


def scored(objects: Iterable[Stored], read: Callable[[str], Any]) -> Scored:
    """Return what tells, for a date, when the newest rows had landed that have been scored.

    Scores say it of themselves, and are written when they have passed every check. (When that was
    would not do: newer rows may land while older ones are scored.) `read` is given the key of a
    JSON file, and called for the dates alone that are asked for.
    """
    keys: dict[str, list[str]] = defaultdict(list)
    for day, name, _ in _dated(SCORED, objects):
        if name.endswith(f"/{QUALITY_FILE}"):
            keys[day].append(f"{SCORED}/{day}/{name}")

    def newest(day: str) -> datetime | None:
        times = [datetime.fromisoformat(read(key)["landed"]) for key in keys.get(day, ())]
        return max(times, default=None)

    return newest


def named(events: Iterable[tuple[Mapping[str, Any], datetime]]) -> dict[str, Batch]:
    """Return the batches that asset events name, by date: each event's extra, and its time.

    An event without a partition (made by hand, or that of an approval) names none. Raises
    BadBatchError with every event that names half of one.
    """
    found: dict[str, Batch] = {}
    faults: list[str] = []
    for extra, time in events:
        if "partition" not in extra:
            continue
        if fault := _fault(extra):
            faults.append(fault)
        else:
            batch = Batch(extra["partition"], extra["address"], time)
            found[batch.date] = max(batch, found.get(batch.date, batch), key=_landed_at)
    if faults:
        raise BadBatchError("\n".join(faults))
    return found


def chosen(
    date: str | None,
    there: Mapping[str, Batch],
    announced: Mapping[str, Batch],
    done: Scored,
    days: int,
) -> list[dict[str, str]]:
    """Return date, address, and time of landing of each batch to score, the oldest first.

    :param date: score this day's batch and no other, scored or not
    :param there: what lies in the bucket; it knows best when that has landed
    :param announced: what asset events name, wherever it lies; it comes before what lies in the
        bucket for the same date
    :param done: what has been scored of a date
    :param days: how many days back from the newest batch are looked at, that day counted; what an
        event names is looked at in any case
    """
    found = [_asked_for(date, there)] if date else _waiting(there, announced, done, days)
    return [
        {"date": batch.date, "address": batch.address, "landed": batch.landed.isoformat()}
        for batch in found
    ]


def _asked_for(date: str, there: Mapping[str, Batch]) -> Batch:
    if date not in there:
        dates = ", ".join(sorted(there)) or "no date"
        raise BadBatchError(f"No batch of {date} has landed below {BATCH}/; there are: {dates}.")
    return there[date]


def _waiting(
    there: Mapping[str, Batch],
    announced: Mapping[str, Batch],
    done: Scored,
    days: int,
) -> list[Batch]:
    """The batches whose rows, as they landed last, have not been scored."""
    newest = max([*there, *announced], default="")
    recent = {day: item for day, item in there.items() if _days_between(day, newest) < days}
    looked_at = recent | {day: _found_at(item, there) for day, item in announced.items()}
    return [
        batch
        for day, batch in sorted(looked_at.items())
        if (before := done(day)) is None or before < batch.landed
    ]


def _found_at(batch: Batch, there: Mapping[str, Batch]) -> Batch:
    """An announced batch; where it lies in its date's folder, as it was found there."""
    found = there.get(batch.date)
    return found if found and batch.address.startswith(found.address) else batch


def _dated(folder: str, objects: Iterable[Stored]) -> Iterator[tuple[str, str, datetime]]:
    """Yield date, name and time of what lies in a folder's dated folders."""
    for key, time in objects:
        day, _, name = key.removeprefix(f"{folder}/").partition("/")
        hidden = name.rpartition("/")[2].startswith(".")
        if key.startswith(f"{folder}/") and name and not hidden and is_date(day):
            yield day, name, time


def _fault(extra: Mapping[str, Any]) -> str:
    day, place = extra["partition"], extra.get("address")
    if not isinstance(day, str) or not is_date(day):
        return f"An asset event's partition is {day!r}: write it as a date, such as 2026-11-01"
    if not isinstance(place, str) or not place.startswith("s3://"):
        return f"The asset event of partition {day} has the address {place!r}: give it as s3://…"
    return ""


def _landed_at(batch: Batch) -> datetime:
    return batch.landed


def _days_between(earlier: str, later: str) -> int:
    return (date.fromisoformat(later) - date.fromisoformat(earlier)) // timedelta(days=1)
