"""Pipeline parameters as typed Airflow params, and their values at run time."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from include.nacre.definition.expressions import EvaluationError, Scalar
from include.nacre.definition.records import Parameter

JSON_TYPES = {"String": "string", "Integer": "integer", "Float": "number", "Boolean": "boolean"}
"""The JSON schema types by which Airflow checks a param and chooses its form field."""


def form_schema(parameter: Parameter) -> dict[str, Any]:
    """Return the JSON schema of a parameter: the trigger form's field, and what it refuses."""
    schema: dict[str, Any] = {"type": JSON_TYPES[parameter.type]}
    if parameter.enum_values:
        schema["enum"] = list(parameter.enum_values)
    return schema


def typed(parameter: Parameter, value: Any) -> Scalar:
    """Return a value in its parameter's type; text is read as the service reads it.

    Raises EvaluationError that names the parameter when the value has not, and does not spell,
    the type, or is none of the enum values.
    """
    try:
        result = _READERS[parameter.type](value)
    except ValueError:
        raise EvaluationError(
            f"parameter {parameter.name} takes {_IN_WORDS[parameter.type]}, not {value!r}"
        ) from None
    if parameter.enum_values and result not in parameter.enum_values:
        allowed = ", ".join(map(repr, parameter.enum_values))
        raise EvaluationError(f"parameter {parameter.name} takes one of {allowed}, not {value!r}")
    return result


def _text(value: Any) -> str:
    if not isinstance(value, Scalar):
        raise ValueError
    return str(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, Scalar):
        raise ValueError
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Scalar):
        raise ValueError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise ValueError


_READERS: Mapping[str, Callable[[Any], Scalar]] = {
    "String": _text,
    "Integer": _integer,
    "Float": _number,
    "Boolean": _boolean,
}
_IN_WORDS = {
    "String": "text",
    "Integer": "a whole number",
    "Float": "a number",
    "Boolean": "true or false",
}
