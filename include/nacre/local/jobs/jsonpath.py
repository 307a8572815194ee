"""The JSONPath that batch transform's filters take: names, positions, slices, wildcards.

`$`, `$.name`, `$['a','b']`, `$[0]`, `$[-1]`, `$[0,5:]`, `$[1:3]` (the end excluded: the service's
guide says both), `$.*` and `$[*]`. No filters, no functions, no `..`: the service has none either.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MAX_LENGTH = 63

_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][\w-]*)
      | (?P<wildcard>\.\* | \[\*\])
      | \[(?P<names>\s*'[^']*'\s*(?:,\s*'[^']*'\s*)*)\]
      | \[(?P<picks>[-\d:,\s]+)\]""",
    re.VERBOSE,
)
_PICK = re.compile(r"\s*(?:(-?\d+)|(-?\d+)?\s*:\s*(-?\d+)?)\s*")


class PathError(ValueError):
    """A path that cannot be read, or that a value does not have."""


@dataclass(frozen=True)
class Names:
    """Members of an object; none at all means every one (`*`)."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Picks:
    """Positions and slices of an array."""

    picks: tuple[int | slice, ...]


Path = Sequence[Names | Picks]


def parse(text: str) -> Path:
    """The steps of a path, or a PathError that says where it ends to be one."""
    if len(text) > MAX_LENGTH:
        raise PathError(f"the path {text!r} is longer than {MAX_LENGTH} characters")
    if not text.startswith("$"):
        raise PathError(f"the path {text!r} does not begin with $")
    steps: list[Names | Picks] = []
    position = 1
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise PathError(f"the path {text!r} cannot be read from {text[position:]!r} on")
        steps.append(_step(match))
        position = match.end()
    return steps


def select(path: Path, value: Any) -> Any:
    """The value at the path; where the path has many, they are a list.

    Several names select an object with just those members.
    """
    values, is_many = [value], False
    for step in path:
        if isinstance(step, Names) and len(step.names) > 1:
            values = [{name: _member(each, name) for name in step.names} for each in values]
        else:
            values = [found for each in values for found in _found(step, each)]
            is_many = is_many or not _is_single(step)
    return values if is_many else values[0]


def _step(match: re.Match[str]) -> Names | Picks:
    if match["name"]:
        return Names((match["name"],))
    if match["wildcard"]:
        return Names(())
    if match["names"]:
        return Names(tuple(re.findall(r"'([^']*)'", match["names"])))
    return Picks(tuple(_pick(part, match.string) for part in match["picks"].split(",")))


def _pick(text: str, path: str) -> int | slice:
    match = _PICK.fullmatch(text)
    if match is None:
        raise PathError(f"the path {path!r} has {text.strip()!r} where a position should stand")
    if match[1]:
        return int(match[1])
    return slice(*(int(bound) if bound else None for bound in match.groups()[1:]))


def _is_single(step: Names | Picks) -> bool:
    if isinstance(step, Names):
        return len(step.names) == 1
    return len(step.picks) == 1 and isinstance(step.picks[0], int)


def _found(step: Names | Picks, value: Any) -> list[Any]:
    if isinstance(step, Picks):
        return [found for pick in step.picks for found in _picked(pick, value)]
    if step.names:
        return [_member(value, step.names[0])]
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return value
    raise PathError(f"there is nothing below {value!r}")


def _picked(pick: int | slice, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise PathError(f"{value!r} is no array: it has no positions")
    if isinstance(pick, slice):
        return value[pick]
    try:
        return [value[pick]]
    except IndexError as fault:
        raise PathError(f"position {pick} is out of range: there are {len(value)}") from fault


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, dict) or name not in value:
        raise PathError(f"there is no member {name!r}")
    return value[name]
