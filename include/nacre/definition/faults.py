"""Faults of a definition: where, what, and what to do; all of a file in one error."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

# The place of a fault that the file has as a whole.
WHOLE = "the definition"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `place` is a path such as `Steps[3].Arguments.RoleArn`; `hint` may be empty.

    `step` is the name of the step at that place, if it has one.
    """

    place: str
    what: str
    hint: str = ""
    step: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for name in ("place", "what", "hint", "step"):
            object.__setattr__(self, name, _printable(getattr(self, name)))

    @property
    def where(self) -> str:
        """The place with the step's name, which people know better than its number."""
        return f"{self.place} ({self.step})" if self.step else self.place

    def in_step(self, names: Mapping[str, str]) -> "Fault":
        """Return this fault with the name of its step, from the names by place."""
        step = _STEP.match(self.place)
        return replace(self, step=names.get(step[0], "")) if step else self

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" — {self.hint}" if self.hint else "")


_STEP = re.compile(r"Steps\[[0-9]+\](\.Arguments\.(IfSteps|ElseSteps|ForEachBody)\[[0-9]+\])*")


class DefinitionError(ValueError):
    """A definition has faults. `faults` are all of them, in the order of the file."""

    def __init__(self, name: str, faults: Iterable[Fault]) -> None:
        self.name = name
        self.faults = in_order(faults)
        super().__init__(name, self.faults)

    def __str__(self) -> str:
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        lines = [f"the definition of pipeline {self.name!r} has {count}:"]
        for number, fault in enumerate(self.faults, 1):
            lines.append(f"{number:3}. {fault.where}: {fault.what}")
            lines += [f"     {fault.hint}"] if fault.hint else []
        return "\n".join(lines)

    def __reduce__(self) -> tuple[type["DefinitionError"], tuple[str, tuple[Fault, ...]]]:
        return type(self), (self.name, self.faults)


def _printable(text: str) -> str:
    """Return text of which a terminal shows every character, whatever the file holds."""
    if text.isprintable():
        return text
    escaped = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return "".join(escaped)


def in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return faults in the order of the places in the file."""
    return tuple(sorted(faults, key=_order))


def _order(fault: Fault) -> list[tuple[int, str]]:
    """Sort by place, with Steps[10] behind Steps[9]."""
    pieces = re.split(r"([0-9]+)", fault.place)
    return [(int(piece), "") if piece.isdecimal() else (0, piece) for piece in pieces]


def below(place: str, part: str | int) -> str:
    """Return the place of a member or an element."""
    if isinstance(part, int):
        return f"{place}[{part}]"
    if not _PLAIN_KEY.fullmatch(part):
        return f"{place}[{shown(part)}]"
    return f"{place}.{part}" if place else part


_PLAIN_KEY = re.compile(r"[A-Za-z0-9_:-]{1,128}")
_LONGEST = 80
_MOST_NAMES = 500


def shown(value: Any) -> str:
    """Return a JSON value as text for a message: quoted and short."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def kind(value: Any) -> str:
    """Name a JSON value and its kind: `the number 5`, `a list`, `null`."""
    match value:
        case None | True | False:
            return shown(value)
        case str():
            return f"the text {shown(value)}"
        case int() | float():
            return f"the number {shown(value)}"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return f"a {type(value).__name__}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint for a name that is not among those known; perhaps the likeliest one."""
    import difflib  # here: a definition without faults needs none of it

    names = sorted(set(known))
    # difflib is slow on long names, and a name of a kilobyte is no spelling mistake.
    comparable = len(name) <= _LONGEST and len(names) <= _MOST_NAMES
    close = difflib.get_close_matches(name, names, n=1) if comparable else []
    if close:
        return f"Did you mean {shown(close[0])}?"
    if names and sum(map(len, names)) <= 4 * _LONGEST:
        return f"Known: {', '.join(names)}."
    return ""
