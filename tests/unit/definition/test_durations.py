"""Durations as definitions write them."""

from datetime import timedelta

import pytest

from include.nacre.definition.durations import DurationError, parse_duration


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("P30D", timedelta(days=30)),
        ("30d", timedelta(days=30)),
        ("p30d", timedelta(days=30)),
        ("T16m", timedelta(minutes=16)),
        ("PT4H", timedelta(hours=4)),
        ("P2W", timedelta(weeks=2)),
        ("P1Y2M3DT4H5M6.5S", timedelta(days=365 + 60 + 3, hours=4, minutes=5, seconds=6.5)),
        ("1M", timedelta(days=30)),
        ("P0D", timedelta()),
    ],
)
def test_a_duration_has_its_length(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "T", "30", "D30", "P-1D", "P1D2W", "1 day", "P1DT"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(DurationError, match="is no duration: write P30D"):
        parse_duration(text)


@pytest.mark.parametrize("digits", [12, 500])
def test_a_duration_beyond_all_measure_is_the_longest(digits: int) -> None:
    assert parse_duration("9" * digits + "D") == timedelta.max
