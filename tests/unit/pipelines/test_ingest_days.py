"""Days: the bundled data's slices, and which partitions a run is about."""

from datetime import UTC, date, datetime, timedelta

import pytest

from include.pipelines.abalone import partitions, preprocess, source
from include.pipelines.abalone.partitions import (
    NoDataError,
    date_of,
    days_before,
    history,
    require_batch,
)

DAY = date(2026, 11, 1)
MONDAY = datetime(2026, 11, 2, 6, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 12, tzinfo=UTC)
RAW = "s3://bucket/abalone/raw/"


# The bundled data.


def test_thirty_days_in_a_row_have_every_shell_once() -> None:
    days = [source.raw_of(DAY + timedelta(days=back)).splitlines() for back in range(30)]
    assert sorted(line for day in days for line in day) == sorted(source.raw_csv().splitlines())
    assert {len(day) for day in days} == {139, 140}


def test_a_date_has_the_same_shells_always() -> None:
    lines = source.raw_of(DAY).splitlines()
    assert (len(lines), lines[0]) == (
        140,
        b"F,0.565,0.44,0.155,0.9395,0.4275,0.214,0.27,12",
    )


def test_a_batch_holds_the_shells_whose_rings_are_counted_the_day_after() -> None:
    batch = source.batch_of(DAY).splitlines()
    tomorrow = source.raw_of(DAY + timedelta(days=1)).splitlines()
    assert batch == [line.rpartition(b",")[0] for line in tomorrow]


# A run's date.


def test_the_form_comes_before_all() -> None:
    assert date_of("2026-10-05", MONDAY, LATER, ["2026-11-09"]) == "2026-10-05"


def test_the_newest_partition_that_has_landed_comes_next() -> None:
    assert date_of(None, MONDAY, LATER, ["2026-11-09", "2026-11-08"]) == "2026-11-09"


def test_then_the_logical_date() -> None:
    assert date_of(None, MONDAY, LATER) == "2026-11-02"


def test_and_last_the_time_when_the_run_was_due() -> None:
    assert date_of("", None, LATER) == "2026-11-21"


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01", "01.11.2026"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(NoDataError) as caught:
        date_of(text, MONDAY, LATER)
    assert str(caught.value) == f"{text!r} is no date; write it as YYYY-MM-DD"


def test_the_days_before_a_date_cross_months() -> None:
    assert days_before("2026-11-02", 3) == ["2026-10-30", "2026-10-31", "2026-11-01"]


# What lies below an address.

SIZES = {
    "2026-11-01/abalone.csv": 1000,
    "2026-11-02/abalone.csv": 2000,
    "2026-11-03/abalone.csv": 4000,
    "old.csv": 500,
    ".hidden": 9000,
}


def test_what_is_not_later_than_the_date_counts_and_what_has_no_date() -> None:
    assert str(history(SIZES, RAW, "2026-11-02")) == (
        "2 partitions (2026-11-01 to 2026-11-02) and 1 files without a date, 4 kB;"
        " 1 newer partitions are passed over"
    )


def test_the_preparation_chooses_the_same() -> None:
    from pathlib import Path

    chosen = preprocess.history("2026-11-02")([Path(name) for name in SIZES if name != ".hidden"])
    dates = {preprocess.partition_of(name) for name in chosen} - {""}
    assert tuple(sorted(dates)) == history(SIZES, RAW, "2026-11-02").dates


@pytest.mark.parametrize(
    ("sizes", "begins"),
    [
        ({"2026-11-03/abalone.csv": 1}, ": its partitions begin at 2026-11-03"),
        ({}, ""),
        ({".hidden": 1}, ""),
        ({"": 0, "2026-11-01/": 0}, ""),  # folders that S3's console has made
    ],
)
def test_an_address_without_such_rows_is_refused_with_what_to_do(
    sizes: dict[str, int], begins: str
) -> None:
    with pytest.raises(NoDataError) as caught:
        history(sizes, RAW, "2026-11-02")
    assert str(caught.value) == (
        f"{RAW} holds no rows up to 2026-11-02{begins}. Run abalone_ingest with Date 2026-11-02"
        " (HistoryDays 29 lands the 29 days before it, too), or ask for another date."
    )


def test_partitions_are_found_in_folders_that_dates_name_alone() -> None:
    sizes = {"2026-11-31/a.csv": 1, "x2026-11-01/a.csv": 1, "a/2026-11-01/b.csv": 1}
    assert (history(sizes, RAW, "2026-12-01").dates, partitions.checked("2026-11-01")) == (
        ("2026-11-01",),
        "2026-11-01",
    )


def test_a_training_needs_rows_to_score() -> None:
    address = "s3://bucket/abalone/batch/"
    with pytest.raises(NoDataError, match=f"^{address} holds no rows to score, "):
        require_batch(["", ".hidden"], address)
    require_batch(["2026-11-01/batch.csv"], address)


def test_days_before_the_first_date_are_refused() -> None:
    assert days_before("0001-01-03", 2) == ["0001-01-01", "0001-01-02"]
    with pytest.raises(NoDataError, match=r"^0001-01-03 has no 3 days before it"):
        days_before("0001-01-03", 3)
