"""Which batches are to be scored."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.pipelines.abalone.batches import (
    BadBatchError,
    Batch,
    chosen,
    landed,
    named,
    scored,
)
from include.pipelines.abalone.partitions import is_date

DAYS = [f"2026-11-{day:02}" for day in range(1, 6)]
ELSEWHERE = "s3://theirs/batches/today.csv"


def at(hour: int) -> datetime:
    return datetime(2026, 11, 21, hour, tzinfo=UTC)


def there(*days: str, hour: int = 6) -> dict[str, Batch]:
    return landed("ours", [(f"abalone/batch/{day}/batch.csv", at(hour)) for day in days])


def never(_: str) -> None:
    """No date has been scored."""


def dates(found: list[dict[str, str]]) -> list[str]:
    return [batch["date"] for batch in found]


def test_a_batch_is_all_that_lies_in_a_dates_folder_and_has_landed_when_its_last_file_has() -> None:
    objects = [
        ("abalone/batch/2026-11-01/a.csv", at(7)),
        ("abalone/batch/2026-11-01/more/b.csv", at(9)),
        ("abalone/batch/2026-11-01/.hidden", at(11)),
        ("abalone/batch/2026-11-02/batch.csv", at(8)),
        ("abalone/batch/2026-11-02/", at(10)),  # a folder that the console has made
        ("abalone/batch/2026-13-01/batch.csv", at(8)),
        ("abalone/batch/batch.csv", at(8)),
        ("abalone/batch2/2026-11-03/batch.csv", at(8)),
    ]
    assert landed("ours", objects) == {
        "2026-11-01": Batch("2026-11-01", "s3://ours/abalone/batch/2026-11-01/", at(9)),
        "2026-11-02": Batch("2026-11-02", "s3://ours/abalone/batch/2026-11-02/", at(8)),
    }


def test_scores_say_when_the_rows_of_a_date_had_landed_that_they_are_of() -> None:
    files = {
        "abalone/scores/2026-11-01/aaa/quality.json": {"landed": at(8).isoformat()},
        "abalone/scores/2026-11-01/bbb/quality.json": {"landed": at(7).isoformat()},
        "abalone/scores/2026-11-02/ccc/quality.json": "is not read, as it is not asked for",
    }
    others = [
        "abalone/scores/2026-11-01/ddd/ScorePrepare/batch/batch.csv",
        "abalone/scores/2026-11-03/eee/ScoreTransform/batch.csv.out",
    ]
    done = scored([(key, at(20)) for key in [*files, *others]], files.__getitem__)
    assert (done("2026-11-01"), done("2026-11-03"), done("2026-11-04")) == (at(8), None, None)


def test_events_name_batches_wherever_they_lie_and_the_later_one_counts() -> None:
    events = [
        ({"partition": "2026-11-01", "address": ELSEWHERE, "rows": 3}, at(8)),
        ({"partition": "2026-11-01", "address": "s3://theirs/old.csv"}, at(7)),
        ({"from_rest_api": True}, at(9)),
        ({}, at(9)),
    ]
    assert named(events) == {"2026-11-01": Batch("2026-11-01", ELSEWHERE, at(8))}


def test_every_event_that_names_half_a_batch_is_refused() -> None:
    events: list[tuple[dict[str, Any], datetime]] = [
        ({"partition": "yesterday", "address": ELSEWHERE}, at(8)),
        ({"partition": "2026-11-01"}, at(8)),
        ({"partition": "2026-11-02", "address": "batch.csv"}, at(8)),
        ({"partition": 20261103, "address": ELSEWHERE}, at(8)),
    ]
    with pytest.raises(BadBatchError) as caught:
        named(events)
    assert str(caught.value).splitlines() == [
        "An asset event's partition is 'yesterday': write it as a date, such as 2026-11-01",
        "The asset event of partition 2026-11-01 has the address None: give it as s3://…",
        "The asset event of partition 2026-11-02 has the address 'batch.csv': give it as s3://…",
        "An asset event's partition is 20261103: write it as a date, such as 2026-11-01",
    ]


def test_a_batch_waits_until_its_rows_have_been_scored_as_they_landed_last() -> None:
    done = {"2026-11-01": at(6), "2026-11-02": at(5)}
    found = chosen(None, there(*DAYS[:3], hour=6), {}, done.get, days=31)
    assert dates(found) == ["2026-11-02", "2026-11-03"]


def test_rows_that_land_while_older_ones_are_scored_wait() -> None:
    (taken,) = chosen(None, there("2026-11-01", hour=6), {}, never, days=31)
    quality = "abalone/scores/2026-11-01/aaa/quality.json"
    # The scores of the rows of 6 o'clock are there at 8, and those of 7 have landed meanwhile.
    done = scored([(quality, at(8))], {quality: {"landed": taken["landed"]}}.__getitem__)
    assert dates(chosen(None, there("2026-11-01", hour=7), {}, done, days=31)) == ["2026-11-01"]


def test_the_bucket_knows_better_than_an_event_when_a_batch_landed() -> None:
    file = "s3://ours/abalone/batch/2026-11-01/batch.csv"
    late = named([({"partition": "2026-11-01", "address": file}, at(20))])
    done = {"2026-11-01": at(7)}
    assert chosen(None, there("2026-11-01", hour=6), late, done.get, days=31) == []


def test_an_event_that_names_another_place_comes_before_what_lies_in_the_bucket() -> None:
    event = named([({"partition": "2026-11-01", "address": ELSEWHERE}, at(8))])
    found = chosen(None, there("2026-11-01", hour=6), event, {"2026-11-01": at(7)}.get, days=31)
    assert found == [{"date": "2026-11-01", "address": ELSEWHERE, "landed": at(8).isoformat()}]


def test_a_batch_that_lies_elsewhere_is_scored_once_for_each_event() -> None:
    event = named([({"partition": "2026-11-01", "address": ELSEWHERE}, at(8))])
    found = [chosen(None, {}, event, {"2026-11-01": at(hour)}.get, days=31) for hour in (7, 9)]
    assert found == [
        [{"date": "2026-11-01", "address": ELSEWHERE, "landed": at(8).isoformat()}],
        [],
    ]


def test_old_batches_are_left_alone_unless_an_event_names_them() -> None:
    event = named([({"partition": "2026-11-01", "address": ELSEWHERE}, at(8))])
    found = [chosen(None, there(*DAYS), announced, never, days=2) for announced in ({}, event)]
    assert [dates(each) for each in found] == [DAYS[3:], [DAYS[0], *DAYS[3:]]]


def test_the_batch_of_a_date_is_scored_whether_it_has_been_or_not() -> None:
    done = dict.fromkeys(DAYS, at(9))
    assert dates(chosen("2026-11-01", there(*DAYS), {}, done.get, days=1)) == ["2026-11-01"]


@pytest.mark.parametrize(("days", "said"), [(DAYS[:2], "2026-11-01, 2026-11-02"), ([], "no date")])
def test_a_date_without_a_batch_is_refused(days: list[str], said: str) -> None:
    with pytest.raises(BadBatchError) as caught:
        chosen("2026-11-09", there(*days), {}, never, days=31)
    assert str(caught.value) == (
        f"No batch of 2026-11-09 has landed below abalone/batch/; there are: {said}."
    )


def test_nothing_waits_where_nothing_has_landed() -> None:
    assert chosen(None, {}, {}, never, days=31) == []


HOURS = st.dictionaries(st.sampled_from(DAYS), st.integers(0, 23))


@given(HOURS, HOURS, st.integers(1, 40))
def test_no_batch_is_scored_twice_or_forgotten(
    arrivals: dict[str, int], ends: dict[str, int], days: int
) -> None:
    batches = landed("b", [(f"abalone/batch/{d}/x", at(hour)) for d, hour in arrivals.items()])
    done = {day: at(hour) for day, hour in ends.items()}
    found = dates(chosen(None, batches, {}, done.get, days))
    newest = date.fromisoformat(max(arrivals, default="2026-11-01"))
    expected = [
        day
        for day in sorted(arrivals)
        if newest - date.fromisoformat(day) < timedelta(days=days)
        and (day not in ends or ends[day] < arrivals[day])
    ]
    assert found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01", True),
        ("2026-11-31", False),
        ("20261101", False),
        ("2026-W44-7", False),
        ("2026-11-01T00:00:00", False),
        ("", False),
    ],
)
def test_a_partition_is_named_by_its_date_in_one_form(text: str, expected: bool) -> None:
    assert is_date(text) == expected
