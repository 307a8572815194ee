"""Scenarios from JSON, read whole: all that is wrong with one is told at once, with its place."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from include.nacre.definition.faults import Fault, below, did_you_mean, kind, shown
from include.nacre.local.faults.rules import (
    CALL_DEEDS,
    DELAYS,
    EVERY,
    JOB_DEEDS,
    WORDS,
    CallRule,
    Content,
    JobRule,
    QuotaRule,
    Rule,
    Scenario,
)

_LONGEST = 7 * 86_400.0  # seconds
# `acted` is what the service adds when it is asked: what it gives can be given back.
_MEMBERS = ("seed", "rules", "acted")

Wrong = Callable[[Any], str | None]
"""What is wrong with a value, None if nothing is."""


class ScenarioError(ValueError):
    """A scenario has faults: `faults` are all of them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class _Kind:
    """One kind of rule: what its members may be, which it needs, and which fit together."""

    make: Callable[..., Rule]
    members: Mapping[str, Wrong]
    needs: Sequence[str]
    clashes: Callable[[Content], Iterator[tuple[str, str]]]


def parse_scenario(text: str | bytes, operations: Collection[str]) -> Scenario:
    """Return the scenario that a JSON text holds; raise ScenarioError.

    `operations` are the names that a rule's `call` may match.
    """
    reader = _Reader(operations)
    scenario = reader.scenario(_parsed(text, "the scenario"))
    if reader.faults:
        raise ScenarioError(reader.faults)
    return scenario


def parse_rule(text: str, operations: Collection[str]) -> Rule:
    """Return the one rule that a JSON text holds; raise ScenarioError."""
    reader = _Reader(operations)
    rule = reader.rule(_parsed(text, "the rule"), "")
    if rule is None:
        raise ScenarioError(reader.faults)
    return rule


def _parsed(text: str | bytes, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ScenarioError([Fault(what, f"it is no JSON: {error}")]) from error


class _Reader:
    """Reads on behind every fault."""

    def __init__(self, operations: Collection[str]) -> None:
        self.faults: list[Fault] = []
        self._operations = operations

    def scenario(self, content: Any) -> Scenario:
        if not isinstance(content, dict):
            self._refuse("the scenario", f'it is {kind(content)}, not {{"rules": [...]}}')
            return Scenario()
        self._unknown(content, _MEMBERS, "")
        seed, rules = content.get("seed", 0), content.get("rules", [])
        if not _is_whole(seed):
            self._refuse("seed", f"it is {kind(seed)}, not a whole number")
        if not isinstance(rules, list):
            self._refuse("rules", f"it is {kind(rules)}, not a list of rules")
            rules = []
        read = [self.rule(rule, below("rules", number)) for number, rule in enumerate(rules)]
        return Scenario([rule for rule in read if rule is not None], seed)

    def rule(self, content: Any, place: str) -> Rule | None:
        """Return a rule, None for one that has faults."""
        if not isinstance(content, dict):
            self._refuse(place or "the rule", f"it is {kind(content)}, not an object")
            return None
        about = [word for word in KINDS if word in content]
        if len(about) != 1:
            said = (
                f"a rule has one of the members {', '.join(KINDS)}; this has {len(about)} of them"
            )
            self._refuse(place or "the rule", said)
            return None
        before = len(self.faults)
        self._members(KINDS[about[0]], content, place)
        return None if len(self.faults) > before else KINDS[about[0]].make(**content)

    def _members(self, rule: _Kind, content: Content, place: str) -> None:
        self._unknown(content, [*rule.members], place)
        for name in rule.needs:
            if name not in content:
                self._refuse(below(place, name), "it is missing")
        wrong = {
            name: said
            for name, value in content.items()
            if name in rule.members and (said := rule.members[name](value))
        }
        for name, said in wrong.items():
            self._refuse(below(place, name), said)
        if "call" in content and "call" not in wrong:
            self._known(content["call"], below(place, "call"))
        if not wrong and all(name in content for name in rule.needs):
            for name, said in rule.clashes(content):
                self._refuse(below(place, name), said)

    def _known(self, glob: str, place: str) -> None:
        if not any(fnmatchcase(operation, glob) for operation in self._operations):
            hint = did_you_mean(glob, self._operations)
            self._refuse(place, f"{shown(glob)} is no operation that runs here", hint)

    def _unknown(self, content: Content, known: Sequence[str], place: str) -> None:
        for name in content:
            if name not in known:
                hint = did_you_mean(name, known)
                self._refuse(below(place, name), "there is no such member", hint)

    def _refuse(self, place: str, what: str, hint: str = "") -> None:
        self.faults.append(Fault(place, what, hint))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _glob(value: Any) -> str | None:
    return None if isinstance(value, str) and value else f"it is {kind(value)}, not a glob"


def _one_of(words: Sequence[str]) -> Wrong:
    def wrong(value: Any) -> str | None:
        if value in words:
            return None
        return f"it is {kind(value)}, not one of {', '.join(words)}"

    return wrong


def _share(value: Any) -> str | None:
    return None if _is_number(value, 1.0) else f"it is {kind(value)}, not a number from 0 to 1"


def _times(value: Any) -> str | None:
    is_count = _is_whole(value) and value > 0
    return None if is_count else f"it is {kind(value)}, not a whole number of at least 1"


def _seconds(value: Any) -> str | None:
    if _is_number(value, _LONGEST):
        return None
    return f"it is {kind(value)}, not a number of seconds from 0 to {_LONGEST:.0f}"


def _is_number(value: Any, most: float) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= most  # no NaN is


def _calls_clash(rule: Content) -> Iterator[tuple[str, str]]:
    if rule["do"] == "delay" and "seconds" not in rule:
        yield "seconds", "it is missing: how long is the delay?"
    if rule["do"] != "delay" and "seconds" in rule:
        yield "seconds", "only a delay takes time"


def _jobs_clash(rule: Content) -> Iterator[tuple[str, str]]:
    if rule["do"] in DELAYS and "seconds" not in rule:
        yield "seconds", f"it is missing: how long does a {rule['do']} take?"
    if rule["do"] == "interrupt" and rule["job"] not in {"Training", EVERY}:
        yield "do", "only training jobs run on spot instances, and can be interrupted"
    if rule["do"] != "interrupt" and "away" in rule:
        yield "away", "only interrupted jobs wait for an instance"


def _none_clash(_rule: Content) -> Iterator[tuple[str, str]]:
    yield from ()


def _limit(value: Any) -> str | None:
    is_count = _is_whole(value) and value >= 0
    return None if is_count else f"it is {kind(value)}, not a whole number"


_EVERY: Mapping[str, Wrong] = {"share": _share, "times": _times}
KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "call": _Kind(
            CallRule,
            {
                "call": _glob,
                "do": _one_of(CALL_DEEDS),
                "name": _glob,
                "seconds": _seconds,
                **_EVERY,
            },
            ("do",),
            _calls_clash,
        ),
        "job": _Kind(
            JobRule,
            {
                "job": _one_of((*WORDS, EVERY)),
                "do": _one_of(JOB_DEEDS),
                "name": _glob,
                "seconds": _seconds,
                "away": _seconds,
                **_EVERY,
            },
            ("do",),
            _jobs_clash,
        ),
        "quota": _Kind(
            QuotaRule,
            {
                "quota": _one_of((*WORDS, EVERY)),
                "instance_type": _glob,
                "limit": _limit,
                **_EVERY,
            },
            ("limit",),
            _none_clash,
        ),
    }
)
"""By the member that says what a rule is about."""
