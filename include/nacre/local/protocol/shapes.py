"""What botocore's service model says about a value: its faults, and what of it is kept.

botocore checks types, required members and minima on the client's side only. The service also
checks patterns, enumerations and maxima, and words each fault in the way built here.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import regex
from botocore.model import ListShape, MapShape, Shape, StructureShape

_NUMBER = (int, float)
# A member's type -> what JSON may hold there, and Java's words for it in the service's messages.
_SCALARS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "a String"),
    "character": ((str,), "a String"),
    "blob": ((str,), "a Blob"),
    "boolean": ((bool,), "a Boolean"),
    "integer": ((int,), "an Integer"),
    "long": ((int,), "a Long"),
    "float": (_NUMBER, "a Float"),
    "double": (_NUMBER, "a Double"),
    "timestamp": (_NUMBER, "a Timestamp"),
}
_YEAR_10000 = 253_402_300_800
_SHOWN = 200  # characters of a faulty value that its message repeats


class Fault(NamedTuple):
    """One thing wrong with a request: `type` faults make it unreadable, `value` ones invalid."""

    kind: Literal["type", "value"]
    text: str


def kept(shape: Shape, value: Any) -> Any:
    """The value without what its shape does not have (unknown members, nulls)."""
    if isinstance(shape, StructureShape) and not shape.is_document_type:
        members = shape.members
        return {
            name: kept(members[name], member)
            for name, member in value.items()
            if member is not None and name in members
        }
    if isinstance(shape, ListShape):
        return [kept(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: kept(shape.value, item) for key, item in value.items()}
    return value


def faults(shape: Shape, value: Any, place: str = "") -> Iterator[Fault]:
    """Everything that is wrong with a value, in the order of its members."""
    mismatch = _type_mismatch(shape, value)
    if mismatch:
        yield Fault("type", f"{mismatch} (at '{place}')" if place else mismatch)
        return
    for constraint in _broken_constraints(shape, value):
        yield _constraint_fault(value, place, constraint)
    if isinstance(shape, StructureShape) and not shape.is_document_type:
        yield from _structure_faults(shape, value, place)
    elif isinstance(shape, ListShape):
        yield from _list_faults(shape, value, place)
    elif isinstance(shape, MapShape):
        yield from _map_faults(shape, value, place)


def _structure_faults(shape: StructureShape, value: Mapping[str, Any], at: str) -> Iterator[Fault]:
    for name, member in shape.members.items():
        below = _below(at, name[:1].lower() + name[1:])
        if value.get(name) is not None:
            yield from faults(member, value[name], below)
        elif name in shape.required_members:
            yield _constraint_fault(None, below, "Member must not be null")


def _list_faults(shape: ListShape, value: list[Any], place: str) -> Iterator[Fault]:
    if shape.member.type_name not in _SCALARS:
        for number, item in enumerate(value, 1):
            yield from faults(shape.member, item, _below(place, f"{number}.member"))
        return
    yield from _grouped(shape.member, value, value, place, "Member must satisfy constraint")


def _map_faults(shape: MapShape, value: Mapping[str, Any], place: str) -> Iterator[Fault]:
    yield from _grouped(shape.key, value, list(value), place, "Map keys must satisfy constraint")
    if shape.value.type_name not in _SCALARS:
        for key, item in value.items():
            yield from faults(shape.value, item, _below(place, f"{key}.member"))
        return
    items = list(value.values())
    yield from _grouped(shape.value, value, items, place, "Map value must satisfy constraint")


def _grouped(
    shape: Shape, whole: Any, items: list[Any], place: str, saying: str
) -> Iterator[Fault]:
    """Faults of scalar elements: the service reports them as the whole collection's one fault."""
    broken: dict[str, None] = {}
    for item in items:
        mismatch = _type_mismatch(shape, item)
        if mismatch:
            yield Fault("type", f"{mismatch} (at '{place}')")
        else:
            broken.update(dict.fromkeys(_broken_constraints(shape, item)))
    if broken:
        yield _constraint_fault(whole, place, f"{saying}: [{', '.join(broken)}]")


def _type_mismatch(shape: Shape, value: Any) -> str | None:
    kind = shape.type_name
    if kind == "structure" and getattr(shape, "is_document_type", False):
        return None
    if kind in {"structure", "map"}:
        return None if isinstance(value, dict) else "Expected a structure or map where not found."
    if kind == "list":
        return None if isinstance(value, list) else "Expected list or null"
    if isinstance(value, dict | list):
        found = "structure or map" if isinstance(value, dict) else "list"
        return f"Start of {found} found where not expected."
    types, java = _SCALARS[kind]
    if isinstance(value, types) and (kind == "boolean") == isinstance(value, bool):
        return _not_representable(kind, value)
    return f"{_json_kind(value)} can not be converted to {java}"


def _not_representable(kind: str, value: Any) -> str | None:
    """JSON can say what no text and no calendar has: half a surrogate pair, the year 10000."""
    if kind == "timestamp" and not 0 <= value < _YEAR_10000:
        return f"{value} is no timestamp (seconds since 1970)"
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as fault:
            return f"The text has half a character: {fault.reason}"
    return None


def _json_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    if value is None:
        return "NULL_VALUE"
    return "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"


def _broken_constraints(shape: Shape, value: Any) -> Iterator[str]:
    metadata = shape.metadata
    numeric = isinstance(value, int | float)
    size = None if isinstance(value, bool) else value if numeric else _length(value)
    what = "value" if numeric else "length"
    if size is not None and size < metadata.get("min", size):
        yield f"Member must have {what} greater than or equal to {metadata['min']}"
    if size is not None and size > metadata.get("max", size):
        yield f"Member must have {what} less than or equal to {metadata['max']}"
    if not isinstance(value, str):
        return
    if "pattern" in metadata and not _pattern(metadata["pattern"]).fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {metadata['pattern']}"
    if value not in metadata.get("enum", [value]):
        yield f"Member must satisfy enum value set: [{', '.join(metadata['enum'])}]"


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, str | list | dict) else None


@functools.cache
def _pattern(pattern: str) -> "regex.Pattern[str]":
    # The model's patterns are Java's: classes such as \p{L}, and a range of surrogate pairs.
    return regex.compile(pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"))


def _constraint_fault(value: Any, place: str, constraint: str) -> Fault:
    text = f"Value '{_shown(value)}' at '{place}' failed to satisfy constraint: {constraint}"
    return Fault("value", text)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={item}" for key, item in value.items())[:_SHOWN] + "}"
    if isinstance(value, list):
        return "[" + ", ".join(str(item) for item in value)[:_SHOWN] + "]"
    return "null" if value is None else str(value)[:_SHOWN]


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
