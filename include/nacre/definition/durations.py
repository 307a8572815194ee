"""Durations as the language writes them: ISO 8601, loosely.

AWS's own examples leave out the `P` and write small letters: `30d`, `T16m`, `p30d`.
"""

import re
from datetime import timedelta

_DURATION = re.compile(
    r"P?(?=.)((?P<years>[0-9]+)Y)?((?P<months>[0-9]+)M)?((?P<weeks>[0-9]+)W)?((?P<days>[0-9]+)D)?"
    r"(T(?=.)((?P<hours>[0-9]+)H)?((?P<minutes>[0-9]+)M)?((?P<seconds>[0-9]+(\.[0-9]+)?)S)?)?",
    re.IGNORECASE,
)
# The calendar is not known here: a year is 365 days long, a month 30.
_UNITS = {
    "years": timedelta(days=365),
    "months": timedelta(days=30),
    "weeks": timedelta(weeks=1),
    "days": timedelta(days=1),
    "hours": timedelta(hours=1),
    "minutes": timedelta(minutes=1),
    "seconds": timedelta(seconds=1),
}


class DurationError(ValueError):
    """The text is no duration."""


def parse_duration(text: str) -> timedelta:
    """Return the length of a duration; one beyond Python's reach is `timedelta.max`.

    Raises DurationError.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise DurationError(f"{text!r} is no duration: write P30D for 30 days, PT4H for 4 hours")
    amounts = match.groupdict(default="0")
    try:
        return sum((float(amounts[name]) * unit for name, unit in _UNITS.items()), timedelta())
    except OverflowError:
        return timedelta.max
