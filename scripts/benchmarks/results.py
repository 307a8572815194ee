"""What a benchmark found, and how a person and a program read it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal


class BrokenPromiseError(Exception):
    """Something did not do what a benchmark takes for granted, so its figures say nothing."""


LINE = "{:<22}{:>12}{:>12}{:>8}{:>10}  {:<7}{}"


@dataclass(frozen=True)
class Result:
    """Our figure in `unit`, beside another's where there is one.

    `goal` bounds the ratio (ours / theirs) where there is one, else our figure: from above if
    the smaller figure is the better one, else from below. `at_most` bounds our figure, too, where
    the ratio alone would not do.
    """

    what: str
    unit: str
    ours: float
    goal: float
    theirs: float | None = None
    ratio: float | None = None
    runs: int = 1
    better: Literal["smaller", "larger"] = "smaller"
    at_most: float | None = None

    @property
    def met(self) -> bool:
        figure = self.ours if self.ratio is None else self.ratio
        reached = figure <= self.goal if self.better == "smaller" else figure >= self.goal
        return reached and (self.at_most is None or self.ours <= self.at_most)

    def to_json(self) -> dict[str, Any]:
        """The fields that are set, and whether the goal was met."""
        fields = {name: value for name, value in asdict(self).items() if value is not None}
        return fields | {"met": self.met}


def heading() -> str:
    return LINE.format("", "ours", "theirs", "ratio", "goal", "", "").rstrip()


def line(name: str, result: Result) -> str:
    """One line of the table that a person reads."""
    return LINE.format(
        name,
        figure(result.ours, result.unit),
        "" if result.theirs is None else figure(result.theirs, result.unit),
        "" if result.ratio is None else f"{result.ratio:.2f}",
        f"{'<=' if result.better == 'smaller' else '>='} {result.goal:g}",
        "ok" if result.met else "MISSED",
        result.what,
    )


def figure(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}"


def merged(old: Mapping[str, Any], results: Mapping[str, Result]) -> dict[str, Any]:
    """The content of build/bench.json: this run's results, and others' that it did not measure."""
    return {**old, **{name: result.to_json() for name, result in results.items()}}
