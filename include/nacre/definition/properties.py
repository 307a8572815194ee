"""Which properties a step has: following a path through the shapes of the Describe responses."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from include.nacre.definition.expressions import Value
from include.nacre.definition.faults import did_you_mean, shown
from include.nacre.definition.paths import (
    Index,
    Key,
    Member,
    Part,
    Path,
    PathLookupError,
    format_path,
    name_of_element,
    parse_path,
    resolve_path,
)
from include.nacre.definition.records import Step
from include.nacre.definition.steptypes import STEP_TYPES

ANY = "any"
# The shapes of scalars, with the kind of JSON that each is.
SCALAR_KINDS = {
    "string": "text",
    "timestamp": "text",
    "blob": "text",
    "integer": "number",
    "long": "number",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
}


class NoSuchProperty(LookupError):  # noqa: N818 - it names what there is not
    """A step type has nothing at a path; `what` and `hint` are a fault's."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class _Shape(NamedTuple):
    """A structure's members by name, or what a list or a map holds."""

    members: Mapping[str, str]
    element: str | None = None
    entry: str | None = None


def shape_at(step_type: str, path: Path) -> str:
    """Return the shape of a property: a scalar's kind, `any`, or the name of a container.

    Raises NoSuchProperty if the type has nothing there.
    """
    name = f"*{step_type}"
    for depth, part in enumerate(path):
        if name == ANY:
            return ANY
        where = format_path(path[:depth]) or f"a {step_type} step"
        name = _follow(name, part, where)
    return name


def _follow(name: str, part: Part, where: str) -> str:
    if name in SCALAR_KINDS:
        raise NoSuchProperty(f"{where} is a {name}, so it has no {format_path((part,))}")
    shape = _shape(name)
    inside = _inside(shape, part)
    if inside is None:
        raise _nothing_inside(shape, part, where)
    return inside


def _inside(shape: _Shape, part: Part) -> str | None:
    match part:
        case Index():
            return shape.element
        case Key():
            return shape.element or shape.entry
        case Member():
            return shape.members.get(part.name)


def _nothing_inside(shape: _Shape, part: Part, where: str) -> NoSuchProperty:
    match part:
        case Index():
            return NoSuchProperty(f"{where} is no list", _members_hint(shape))
        case Key():
            return _no_key(shape, part.name, where)
        case Member():
            return _no_member(shape, part.name, where)


def _members_hint(shape: _Shape) -> str:
    return f"It has: {', '.join(shape.members)}." if 0 < len(shape.members) < 20 else ""


def _no_key(shape: _Shape, name: str, where: str) -> NoSuchProperty:
    hint = f"Write .{name} instead of ['{name}']." if name in shape.members else ""
    return NoSuchProperty(f"{where} is no map", hint or _members_hint(shape))


def _no_member(shape: _Shape, name: str, where: str) -> NoSuchProperty:
    if shape.entry:
        return NoSuchProperty(f"{where} is a map", f"Write ['{name}'] instead of .{name}.")
    if shape.element:
        return NoSuchProperty(f"{where} is a list", f"Write [0] or ['{name}'] behind it.")
    if not shape.members:
        return NoSuchProperty(f"{where} has no properties", "Use DependsOn to run after it.")
    what = f"{where} has no property {shown(name)}"
    return NoSuchProperty(what, did_you_mean(name, shape.members))


@cache
def _shape(name: str) -> _Shape:
    text = _shapes()[name]
    if text.startswith("["):
        return _Shape({}, element=text[1:-1])
    if text.startswith("{"):
        return _Shape({}, entry=text[1:-1])
    pairs = (member.partition(":") for member in text.split())
    return _Shape({member: shape or "string" for member, _, shape in pairs})


@cache
def _shapes() -> Mapping[str, str]:
    # Imported here: a pipeline without references between steps needs no shapes.
    from include.nacre.definition.shapes import SHAPES

    entries = (entry.partition(" ") for entry in SHAPES.replace("\n  ", " ").splitlines())
    return {name: text for name, _, text in entries}


def property_shape(step: Step, path: Path) -> str:
    """Return the shape of a property of a step; also looks at the names that the step declares.

    Raises NoSuchProperty.
    """
    if step.type == "ForEach" and path[0] == Member("IterationOutputs") and len(path) > 2:
        return _iteration_shape(step, path[2], path[3:])
    shape = shape_at(step.type, path)
    for prefix, names in _declared_names(step):
        if len(path) > len(prefix) and path[: len(prefix)] == prefix:
            _check_declared(names, path[len(prefix)], format_path(prefix))
    if path[0] == Member("OutputParameters"):
        return _output_shape(step, path)
    return shape


def _iteration_shape(step: Step, name: Part, rest: Path) -> str:
    bodies = {Member(body.name): body for body in step.body_steps}
    if name not in bodies:
        wanted = format_path((name,))
        known = [body.name for body in step.body_steps]
        raise NoSuchProperty(f"the body has no step {shown(wanted)}", did_you_mean(wanted, known))
    return property_shape(bodies[name], rest) if rest else ANY


def _declared_names(step: Step) -> Iterator[tuple[Path, list[str | None]]]:
    """Yield the lists that hold exactly what the step's own JSON declares."""
    for text in STEP_TYPES[step.type].echoed:
        prefix = parse_path(text)
        declared = _literal_list(step.arguments, prefix)
        if declared is not None:
            yield prefix, [*map(name_of_element, declared)]
    if step.type in ("Lambda", "Callback"):
        yield parse_path("OutputParameters"), [item.name for item in step.output_parameters]


def _literal_list(arguments: Mapping[str, Value], path: Path) -> list[Value] | None:
    try:
        value = resolve_path(arguments, path)
    except PathLookupError:
        return []
    return value if isinstance(value, list) else None


def _check_declared(names: list[str | None], part: Part, where: str) -> None:
    if isinstance(part, Key) and part.name not in names and None not in names:
        raise NoSuchProperty(
            f"the step declares no {shown(part.name)} in {where}",
            did_you_mean(part.name, filter(None, names)),
        )
    if isinstance(part, Index) and part.position >= len(names):
        raise NoSuchProperty(f"the step declares {len(names)} {where}, so none at {part.position}")


# Parameter and output types in the words of the shapes.
SHAPE_OF_TYPE = {"String": "string", "Integer": "integer", "Float": "float", "Boolean": "boolean"}


def _output_shape(step: Step, path: Path) -> str:
    if len(path) > 2:
        raise NoSuchProperty(
            f"{format_path(path[:2])} is a scalar, so it has no {format_path(path[2:])}",
            "A nested value comes back as its JSON text.",
        )
    shapes = {item.name: SHAPE_OF_TYPE.get(item.type, ANY) for item in step.output_parameters}
    return shapes.get(path[1].name, ANY) if len(path) == 2 and isinstance(path[1], Key) else ANY
