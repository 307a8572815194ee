"""The last value of each metric that a training job's log names."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

MAX_METRICS = 40  # in FinalMetricDataList


class MetricReader:
    """Searches every line for the definitions' expressions; their first group is the value."""

    def __init__(self, definitions: Iterable[Mapping[str, str]]) -> None:
        self._patterns = [(each["Name"], re.compile(each["Regex"])) for each in definitions]
        self._last: dict[str, tuple[float, int]] = {}

    def read(self, epoch_ms: int, line: str) -> None:
        """Note what the line says."""
        for name, pattern in self._patterns:
            match = pattern.search(line)
            value = _number(match) if match else None
            if value is not None:
                self._last[name] = (value, epoch_ms)

    def final(self) -> list[dict[str, Any]]:
        """FinalMetricDataList: the last value of each, its time in seconds since the epoch."""
        return [
            {"MetricName": name, "Value": value, "Timestamp": epoch_ms / 1000}
            for name, (value, epoch_ms) in list(self._last.items())[:MAX_METRICS]
        ]


def _number(match: re.Match[str]) -> float | None:
    try:
        return float(match[1])
    except (IndexError, TypeError, ValueError):  # no group, an empty one, or no number in it
        return None
