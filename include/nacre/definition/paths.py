"""Paths into JSON documents: `ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri`.

    PATH = MEMBER { "." MEMBER | "[" INTEGER "]" | "['" KEY "']" }

The same grammar names a property of a step (`Get`) and a place in a JSON file (`Std:JsonGet`);
the file's path may also start with `$` or with a bracket.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Member:
    """`.name`: a member of a structure."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """`[0]`: an element of a list."""

    position: int


@dataclass(frozen=True, slots=True)
class Key:
    """`['name']`: an entry of a map, or the element of a list that has this name."""

    name: str


Part = Member | Index | Key
Path = tuple[Part, ...]

# A list element is found by the first of these that it has. The service does not document the
# complete set; these are all name members of list elements in the Describe responses.
NAME_KEYS = (
    "OutputName",
    "InputName",
    "MetricName",
    "ChannelName",
    "VariantName",
    "ContainerHostname",
    "CollectionName",
    "RuleConfigurationName",
    "InstanceGroupName",
    "DefinitionName",
    "CandidateStepName",
    "AlgorithmName",
    "ProfileName",
    "AlarmName",
    "HyperParameterTuningJobName",
    "Name",
    "Key",
)


class PathSyntaxError(ValueError):
    """The text is no path; the message shows how far it could be read."""


class PathLookupError(LookupError):
    """The document has nothing at the path; the message says what it has instead."""


_PART = re.compile(
    r"""\.(?P<member>[^.\[\]'"*?@()\s]+)
      | \[(?P<index>0|[1-9][0-9]{0,8})\]
      | \['(?P<key>[^']+)'\]""",
    re.VERBOSE,
)


def parse_path(text: str) -> Path:
    """Read a property path; it starts with a member."""
    path = _parse_parts("." + text, shown=text)
    if not isinstance(path[0], Member):
        raise PathSyntaxError(f"the path {text!r} must start with a member name")
    return path


def parse_json_path(text: str) -> Path:
    """Read the path of a `Std:JsonGet`, the part of JsonPath that names one place."""
    rest = text.removeprefix("$")
    if rest == text and not rest.startswith("["):
        rest = "." + rest
    return _parse_parts(rest, shown=text) if rest else ()


def _parse_parts(text: str, *, shown: str) -> Path:
    parts: list[Part] = []
    position = 0
    while position < len(text) or not parts:
        match = _PART.match(text, position)
        if match is None:
            raise PathSyntaxError(
                f"the path {shown!r} cannot be read from {text[position:]!r} on: a path is made of "
                ".member, [0] and ['key']"
            )
        parts.append(_part(match))
        position = match.end()
    return tuple(parts)


def _part(match: re.Match[str]) -> Part:
    if match["member"] is not None:
        return Member(match["member"])
    return Index(int(match["index"])) if match["index"] is not None else Key(match["key"])


def format_path(path: Path) -> str:
    """Write a path as text; the inverse of `parse_path`."""
    return "".join(map(_format_part, path)).removeprefix(".")


def _format_part(part: Part) -> str:
    match part:
        case Member(name):
            return f".{name}"
        case Index(position):
            return f"[{position}]"
        case Key(name):
            return f"['{name}']"


def resolve_path(document: Any, path: Path) -> Any:
    """Return what `document` (parsed JSON) has at `path`."""
    value = document
    for depth, part in enumerate(path):
        try:
            value = _step_into(value, part)
        except PathLookupError as error:
            where = format_path(path[:depth]) or "the document"
            raise PathLookupError(f"{where} {error}") from None
    return value


def _step_into(value: Any, part: Part) -> Any:
    match part:
        case Index(position):
            return _element_at(value, position)
        case Key(name) if isinstance(value, list):
            return _element_named(value, name)
        case Member(name) | Key(name):
            return _entry(value, name)


def _element_at(value: Any, position: int) -> Any:
    if not isinstance(value, list):
        raise PathLookupError(f"is no list, so it has no element {position}")
    if position >= len(value):
        raise PathLookupError(f"has {len(value)} elements, so none at [{position}]")
    return value[position]


def _element_named(elements: list[Any], name: str) -> Any:
    for element in elements:
        if name_of_element(element) == name:
            return element
    names = ", ".join(filter(None, map(name_of_element, elements))) or "none with a name"
    raise PathLookupError(f"has no element named {name!r} (it has: {names})")


def name_of_element(element: Any) -> str | None:
    """Return the name by which a list element can be addressed, if it has one."""
    if not isinstance(element, Mapping):
        return None
    names = (element[key] for key in NAME_KEYS if isinstance(element.get(key), str))
    return next(names, None)


def _entry(value: Any, name: str) -> Any:
    if not isinstance(value, Mapping):
        raise PathLookupError(f"is no object, so it has no {name!r}")
    if name not in value:
        raise PathLookupError(
            f"has no {name!r} (it has: {', '.join(map(str, value)) or 'nothing'})"
        )
    return value[name]
