"""The scenario in force, and what it does to what happens now."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from include.nacre.local.faults.lots import Lots
from include.nacre.local.faults.rules import CallDeed, CallRule, Scenario

Names = Callable[[], Iterable[str]]


@dataclass(frozen=True)
class CallFate:
    """What becomes of a call: it waits so many seconds, then this happens, if anything."""

    seconds: float = 0.0
    deed: CallDeed | None = None


class _Force:
    """One scenario and its draws, which begin and end with it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.lots = Lots(scenario.seed, scenario.rules)
        rules = list(enumerate(scenario.rules))
        self.calls = [(number, rule) for number, rule in rules if isinstance(rule, CallRule)]


class Faults:
    """What goes wrong on request; for any number of threads, and replaced at any time."""

    def __init__(self, scenario: Scenario | None = None) -> None:
        self._force = _Force(scenario or Scenario())

    def replace(self, scenario: Scenario) -> None:
        """Forget all rules; these are in force from now on."""
        self._force = _Force(scenario)

    def described(self) -> dict[str, Any]:
        """The scenario in force, and how often each of its rules has acted."""
        force = self._force
        return {**force.scenario.to_json(), "acted": force.lots.acted}

    def of_call(self, operation: str, names: Names) -> CallFate:
        """What becomes of a call; `names` gives those in its request, where a rule asks for them.

        Delays add up; of all else the first rule that acts decides.
        """
        force, seconds = self._force, 0.0
        for number, rule in _applying(force.calls, operation, names):
            if not force.lots.acts(number, operation):
                continue
            if rule.do != "delay":
                return CallFate(seconds, rule.do)
            seconds += rule.seconds
        return CallFate(seconds)


def _applying(
    rules: Sequence[tuple[int, CallRule]], operation: str, names: Names
) -> Iterator[tuple[int, CallRule]]:
    for number, rule in rules:
        if fnmatchcase(operation, rule.call) and (rule.name is None or _named(rule.name, names)):
            yield number, rule


def _named(glob: str, names: Names) -> bool:
    return any(fnmatchcase(name, glob) for name in names())
