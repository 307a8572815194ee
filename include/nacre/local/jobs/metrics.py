"""The last value of each metric that a training job's log names."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

MAX_METRICS = 40  # in FinalMetricDataList
# How much of a line is searched: an expression may take the square of that in steps, and the job
# waits for us to read its output.
SEARCHED_CHARACTERS = 10_000


class MetricReader:
    """Searches every line for the definitions' expressions; their first group is the value."""

    def __init__(self, definitions: Iterable[Mapping[str, str]]) -> None:
        self._searches = [(each["Name"], _search(each["Regex"])) for each in definitions]
        self._last: dict[str, tuple[float, int]] = {}

    def read(self, epoch_ms: int, line: str) -> None:
        """Note what the line says."""
        for name, search in self._searches:
            match = search(line[:SEARCHED_CHARACTERS])
            value = _number(match) if match else None
            if value is not None:
                self._last[name] = (value, epoch_ms)

    def final(self) -> list[dict[str, Any]]:
        """FinalMetricDataList: the last value of each, its time in seconds since the epoch."""
        return [
            {"MetricName": name, "Value": value, "Timestamp": epoch_ms / 1000}
            for name, (value, epoch_ms) in list(self._last.items())[:MAX_METRICS]
        ]


def _search(regex: str) -> Callable[[str], re.Match[str] | None]:
    """Finds the expression anywhere in a line.

    One that begins with `.*` matches at the start if it does anywhere; to try every other place
    too, as `search` does, would only take long. (With alternatives it is not as simple.)
    """
    pattern = re.compile(regex)
    return pattern.match if regex.startswith(".*") and "|" not in regex else pattern.search


def _number(match: re.Match[str]) -> float | None:
    try:
        return float(match[1])
    except (IndexError, TypeError, ValueError):  # no group, an empty one, or no number in it
        return None
