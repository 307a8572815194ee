"""The scenario in force, and what it does to what happens now."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from include.nacre.local.faults.lots import Lots
from include.nacre.local.faults.rules import (
    BAD_ENDS,
    EVERY,
    CallDeed,
    CallRule,
    JobRule,
    QuotaRule,
    Rule,
    Scenario,
)
from include.nacre.local.jobs.fate import Fate, Interruption

_Rule = TypeVar("_Rule", bound=Rule)
Names = Callable[[], Iterable[str]]
Demand = Callable[[str], int]
"""How many instances whose types fit a glob."""


@dataclass(frozen=True)
class CallFate:
    """What becomes of a call: it waits so many seconds, then this happens, if anything."""

    seconds: float = 0.0
    deed: CallDeed | None = None


@dataclass(frozen=True)
class Excess:
    """A quota, how much of it is used, and how much more a job wants: instances."""

    limit: int
    used: int
    delta: int


class _Force:
    """One scenario and its draws, which begin and end with it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.lots = Lots(scenario.seed, scenario.rules)
        self.calls = _numbered(scenario, CallRule)
        self.jobs = _numbered(scenario, JobRule)
        self.quotas = _numbered(scenario, QuotaRule)


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

    def of_job(self, word: str, name: str, *, is_spot: bool) -> Fate:
        """What becomes of a job that is created now, by its kind's word (`Training`).

        Of the rules for its start, for its stop and for a bad end the first one that acts decides;
        each interruption is one more, and only comes to what runs on spot instances.
        """
        force, fate = self._force, Fate()
        for number, rule in force.jobs:
            concerned = _concerns(rule.job, word) and _fits(rule.name, [name])
            possible = _is_open(rule, fate, is_spot=is_spot)
            if concerned and possible and force.lots.acts(number, word):
                fate = _with(rule, fate)
        return fate

    def beyond_quota(self, word: str, delta: Demand, used: Demand) -> Excess | None:
        """The first quota that refuses a job, None if none does.

        `delta` gives how many instances whose types fit a glob it wants, `used` how many such
        ones are in use by jobs of its kind.
        """
        force = self._force
        for number, rule in force.quotas:
            if not _concerns(rule.quota, word) or delta(rule.instance_type) == 0:
                continue
            excess = Excess(rule.limit, used(rule.instance_type), delta(rule.instance_type))
            if excess.used + excess.delta > excess.limit and force.lots.acts(number, word):
                return excess
        return None


def _numbered(scenario: Scenario, kind: type[_Rule]) -> list[tuple[int, _Rule]]:
    return [(n, rule) for n, rule in enumerate(scenario.rules) if isinstance(rule, kind)]


def _concerns(chosen: str, word: str) -> bool:
    return chosen in {word, EVERY}


def _is_open(rule: JobRule, fate: Fate, *, is_spot: bool) -> bool:
    """Whether nothing is decided yet of what a rule would decide."""
    match rule.do:
        case "slow_start":
            return fate.start == 0
        case "slow_stop":
            return fate.stop == 0
        case "interrupt":
            return is_spot
        case _:
            return fate.end is None


def _with(rule: JobRule, fate: Fate) -> Fate:
    if rule.do in BAD_ENDS:
        return replace(fate, end=rule.do, after=rule.seconds)
    if rule.do == "slow_start":
        return replace(fate, start=rule.seconds)
    if rule.do == "slow_stop":
        return replace(fate, stop=rule.seconds)
    another = Interruption(rule.seconds, rule.away)
    return replace(fate, interruptions=(*fate.interruptions, another))


def _applying(
    rules: Sequence[tuple[int, CallRule]], operation: str, names: Names
) -> Iterator[tuple[int, CallRule]]:
    for number, rule in rules:
        if fnmatchcase(operation, rule.call) and (rule.name is None or _fits(rule.name, names())):
            yield number, rule


def _fits(glob: str | None, names: Iterable[str]) -> bool:
    return glob is None or any(fnmatchcase(name, glob) for name in names)
