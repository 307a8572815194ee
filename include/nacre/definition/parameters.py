"""Values of pipeline parameters: their types, and reading them from text.

At the start of a pipeline every value is text (`StartPipelineExecution` takes nothing else) and
is converted to the parameter's declared type.
"""

import math
import re
from collections.abc import Callable, Mapping

from include.nacre.definition.expressions import EvaluationError, Scalar
from include.nacre.definition.faults import kind, shown
from include.nacre.definition.records import Parameter

# Quotas of StartPipelineExecution.
LONGEST_VALUE = 1024
MOST_VALUES = 200
MOST_ENUM_VALUES = 16


class ParameterError(EvaluationError):
    """A value does not fit its parameter; the message says which and what would fit."""


def parse_parameter(parameter: Parameter, value: object) -> Scalar:
    """Return the typed value of a parameter given as text or already as JSON.

    Raises ParameterError that names the parameter when the value has not, and does not spell,
    the type, or is none of the enum values.
    """
    parsed = _PARSERS[parameter.type](value)
    if parsed is None:
        raise ParameterError(
            f"the parameter {parameter.name!r} is {_WANTED[parameter.type]}, not {kind(value)}"
        )
    if parameter.enum_values and parsed not in parameter.enum_values:
        allowed = ", ".join(map(shown, parameter.enum_values))
        raise ParameterError(
            f"the parameter {parameter.name!r} takes one of {allowed}, not {shown(value)}"
        )
    if len(str(value)) > LONGEST_VALUE:
        raise ParameterError(
            f"the parameter {parameter.name!r} takes at most {LONGEST_VALUE} characters, "
            f"not {len(str(value))}"
        )
    return parsed


def typed_default(parameter: Parameter) -> Scalar | None:
    """Return a parameter's default in its type: that of a Float may be written as `1`."""
    return None if parameter.default is None else _PARSERS[parameter.type](parameter.default)


_WANTED = {
    "String": "text",
    "Integer": "a whole number",
    "Float": "a number",
    "Boolean": "true or false",
}
PARAMETER_TYPES = tuple(_WANTED)


def _string(value: object) -> str | None:
    # An output of a task, or an option that was read as a number, has a text.
    return str(value) if isinstance(value, Scalar) else None


_INTEGER = re.compile(r"[+-]?[0-9]{1,64}")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def _integer(value: object) -> int | None:
    match value:
        case str():
            return int(value) if _INTEGER.fullmatch(value.strip()) else None
        case float():
            # JSON has one kind of number: a form may send 3 as 3.0.
            return int(value) if value.is_integer() else None
        case int() if not isinstance(value, bool):
            return value
    return None


def _float(value: object) -> float | None:
    match value:
        case bool():
            return None
        case int() | float():
            number = float(value)
        case str() if _FLOAT.fullmatch(value.strip()):
            number = float(value)
        case _:
            return None
    return number if math.isfinite(number) else None


def _boolean(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    text = value.strip().lower() if isinstance(value, str) else None
    return {"true": True, "false": False}.get(text or "")


_PARSERS: Mapping[str, Callable[[object], Scalar | None]] = {
    "String": _string,
    "Integer": _integer,
    "Float": _float,
    "Boolean": _boolean,
}


def fits(type_: str, value: object) -> bool:
    """Say whether a JSON value has a parameter type as it stands, without conversion."""
    match type_:
        case "String":
            return isinstance(value, str)
        case "Boolean":
            return isinstance(value, bool)
        case "Integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case _:
            return isinstance(value, (int, float)) and not isinstance(value, bool)
