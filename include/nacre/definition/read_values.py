"""Reading values: JSON into values with a node for each expression."""

import re
from collections.abc import Callable
from dataclasses import replace

from include.nacre.definition.expressions import (
    EXECUTION_VARIABLES,
    EXPERIMENT_VARIABLES,
    ExecutionVariable,
    ExperimentVariable,
    Expression,
    ForEachItem,
    IterationOutput,
    Join,
    JsonGet,
    Node,
    ParameterRef,
    PropertyFileSource,
    S3Source,
    Scalar,
    StepProperty,
    Value,
)
from include.nacre.definition.faults import did_you_mean, kind, shown
from include.nacre.definition.items import Item, Use
from include.nacre.definition.paths import (
    Member,
    Path,
    PathSyntaxError,
    parse_json_path,
    parse_path,
)

FUNCTIONS = ("Get", "Std:Join", "Std:JsonGet")
NAME = re.compile(r"[A-Za-z0-9_-]+")


# Stands for an expression at fault, so that nobody finds a second fault in its absence: of a
# reference to no parameter nothing is known.
UNREADABLE = ParameterRef("")


def read_value(item: Item) -> Value:
    """Return a value with a node for each expression in it; UNREADABLE for one at fault."""
    if is_expression(item):
        return _read_expression(item) or UNREADABLE
    match item.value:
        case dict():
            return {key: read_value(member) for key, member in item.members().items()}
        case list():
            return [read_value(element) for element in item.elements()]
        case _:
            return item.value


def is_expression(item: Item) -> bool:
    """Say whether a value is meant to be an expression, well-formed or not."""
    return isinstance(item.value, dict) and any(
        key.startswith("Std:") or (key == "Get" and _looks_like_reference(target, len(item.value)))
        for key, target in item.value.items()
    )


def _looks_like_reference(target: object, keys: int) -> bool:
    # An object with `Get` and other keys may be an author's own map, unless it names a root.
    root = target.partition(".")[0] if isinstance(target, str) else None
    return keys == 1 or root in ROOTS


def _read_expression(item: Item) -> Expression | None:
    """Return the node of an expression and note its use."""
    function = _function(item)
    expression = _READERS[function](item) if function else None
    if expression is not None:
        item.reading.uses.append(Use(item.place, item.step, expression))
    return expression


def _function(item: Item) -> str | None:
    unknown = [key for key in item.value if key.startswith("Std:") and key not in FUNCTIONS]
    for key in unknown:
        item.fault(f"unknown function {shown(key)}", did_you_mean(key, FUNCTIONS))
    if unknown:
        return None
    if len(item.value) > 1:
        item.fault("a function must be the only key of its object", f"Keys: {shown([*item.value])}")
        return None
    return str(next(iter(item.value)))


def _read_get(item: Item) -> Expression | None:
    # A reference is short: its faults have the place of the whole object.
    item = replace(item, value=item.value["Get"])
    root, _, rest = item.text().partition(".")
    if not isinstance(item.value, str):
        return None
    if root not in ROOTS:
        item.fault(f"unknown reference {shown(item.value)}", did_you_mean(root, ROOTS))
        return None
    try:
        return ROOTS[root](item, rest)
    except PathSyntaxError as error:
        item.fault(str(error))
        return None


def _read_parameter(item: Item, rest: str) -> Expression | None:
    if not NAME.fullmatch(rest):
        item.fault(f"{shown(item.value)} names no parameter", "Write Parameters.NAME.")
        return None
    return ParameterRef(rest)


def _read_execution(item: Item, rest: str) -> Expression | None:
    if rest not in EXECUTION_VARIABLES:
        item.fault(
            f"unknown execution variable {shown(rest)}", did_you_mean(rest, EXECUTION_VARIABLES)
        )
        return None
    return ExecutionVariable(rest)


def _read_experiment(item: Item, rest: str) -> Expression | None:
    if rest not in EXPERIMENT_VARIABLES:
        item.fault(
            f"unknown experiment variable {shown(rest)}", did_you_mean(rest, EXPERIMENT_VARIABLES)
        )
        return None
    return ExperimentVariable(rest)


def _read_property(item: Item, rest: str) -> Expression | None:
    step, path = _step_and_path(item, rest)
    if path[:1] == (Member("PropertyFiles"),):
        item.fault("a property file can only be read with Std:JsonGet")
        return None
    return StepProperty(step, path) if path else None


def _read_iteration(item: Item, rest: str) -> Expression | None:
    step, path = _step_and_path(item, rest)
    return IterationOutput(step, path) if path else None


def _step_and_path(item: Item, rest: str) -> tuple[str, Path]:
    name = NAME.match(rest)
    if name is None:
        item.fault(f"{shown(item.value)} names no step", "Write Steps.NAME.PROPERTY.")
        return "", ()
    suffix = rest[name.end() :]
    if not suffix:
        item.fault(f"{shown(item.value)} names a step but none of its properties")
        return name[0], ()
    if not suffix.startswith("."):
        raise PathSyntaxError(f"{shown(item.value)} has no property name behind the step")
    return name[0], parse_path(suffix[1:])


def _read_item(item: Item, rest: str) -> Expression | None:
    if rest != "CurrentItem" and not rest.startswith(("CurrentItem.", "CurrentItem[")):
        item.fault(f"unknown reference {shown(item.value)}", "Write ForEach.CurrentItem.")
        return None
    path = rest.removeprefix("CurrentItem")
    return ForEachItem(parse_json_path("$" + path))


ROOTS: dict[str, Callable[[Item, str], Expression | None]] = {
    "Parameters": _read_parameter,
    "Execution": _read_execution,
    "Steps": _read_property,
    "PipelineExperimentConfig": _read_experiment,
    "ForEach": _read_item,
    "IterationOutput": _read_iteration,
}


def _read_join(item: Item) -> Join | None:
    fields = item.at("Std:Join").fields({"On": True, "Values": True})
    if len(fields) < 2:
        return None
    values = [read_operand(element) for element in fields["Values"].elements()]
    return Join(fields["On"].text(), values)


def read_operand(item: Item) -> Value:
    """Return a scalar or an expression: what can be joined or compared."""
    value = read_value(item)
    if isinstance(value, Scalar | Node):
        return value
    item.fault(f"must be a scalar or an expression, not {kind(item.value)}")
    return UNREADABLE


def read_text(item: Item) -> Value:
    """Return text or an expression."""
    return read_value(item) if is_expression(item) else item.text()


def _read_json_get(item: Item) -> JsonGet | None:
    key = "S3Uri" if item.find("Std:JsonGet", "S3Uri") else "PropertyFile"
    fields = item.at("Std:JsonGet").fields({key: True, "Path": True})
    if len(fields) < 2:
        return None
    path = _read_json_path(fields["Path"])
    source = _read_s3_source(fields[key]) if key == "S3Uri" else _read_property_file(fields[key])
    return JsonGet(source, path) if source else None


def _read_json_path(item: Item) -> str:
    if isinstance(item.value, dict):
        item.fault("the path must be a literal", "The service resolves no reference in it.")
        return ""
    text = item.text(empty=False)
    try:
        parse_json_path(text)
    except PathSyntaxError as error:
        if text:
            item.fault(str(error))
    return text


_PROPERTY_FILE = re.compile(r"Steps\.([A-Za-z0-9_-]+)\.PropertyFiles\.([^.\[\]]+)")


def _read_property_file(item: Item) -> PropertyFileSource | None:
    target = item.value.get("Get") if isinstance(item.value, dict) else None
    match = _PROPERTY_FILE.fullmatch(target) if isinstance(target, str) else None
    if match is None or len(item.value) > 1:
        item.fault(
            f"names no property file: {shown(item.value)}",
            'Write {"Get": "Steps.STEP.PropertyFiles.NAME"}.',
        )
        return None
    return PropertyFileSource(match[1], match[2])


def _read_s3_source(item: Item) -> S3Source | None:
    uri = read_value(item)
    if not isinstance(uri, Join):
        if uri is not UNREADABLE:
            item.fault("the address of the file must be a Std:Join")
        return None
    for part in uri.values:
        if isinstance(part, (Join, JsonGet)):
            item.fault(
                "the address of the file may be joined of literals, parameters, execution "
                "variables and step properties only"
            )
    return S3Source(uri)


_READERS: dict[str, Callable[[Item], Expression | None]] = {
    "Get": _read_get,
    "Std:Join": _read_join,
    "Std:JsonGet": _read_json_get,
}
