"""Parameters: the form that shows them, and their values."""

from typing import Any

import pytest

from include.nacre.dag.params import form_schema, typed
from include.nacre.definition.authoring import Boolean, Float, Integer, String
from include.nacre.definition.expressions import EvaluationError
from include.nacre.definition.records import Parameter

COLOUR = String("Colour", enum_values=["red", "blue"])


@pytest.mark.parametrize(
    ("parameter", "schema"),
    [
        (String("P"), {"type": "string"}),
        (COLOUR, {"type": "string", "enum": ["red", "blue"]}),
        (Integer("P"), {"type": "integer"}),
        (Float("P"), {"type": "number"}),
        (Boolean("P"), {"type": "boolean"}),
    ],
)
def test_each_type_has_its_form(parameter: Parameter, schema: dict[str, Any]) -> None:
    assert form_schema(parameter) == schema


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [
        (String("P"), "x", "x"),
        (String("P"), 5, "5"),
        (COLOUR, "red", "red"),
        (Integer("P"), 5, 5),
        (Integer("P"), "5", 5),
        (Integer("P"), 5.0, 5),
        (Float("P"), 6, 6.0),
        (Float("P"), "6.5", 6.5),
        (Boolean("P"), True, True),
        (Boolean("P"), "FALSE", False),
    ],
)
def test_a_value_has_its_parameters_type(parameter: Parameter, value: Any, expected: Any) -> None:
    result = typed(parameter, value)
    assert (result, type(result)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        (Integer("P"), "six", "parameter P takes a whole number, not 'six'"),
        (Integer("P"), 6.5, "parameter P takes a whole number, not 6.5"),
        (Integer("P"), True, "parameter P takes a whole number, not True"),
        (Float("P"), "nan", "parameter P takes a number, not 'nan'"),
        (Float("P"), [1], "parameter P takes a number, not [1]"),
        (Boolean("P"), 1, "parameter P takes true or false, not 1"),
        (String("P"), None, "parameter P takes text, not None"),
        (COLOUR, "green", "parameter Colour takes one of 'red', 'blue', not 'green'"),
    ],
)
def test_a_value_of_another_type_is_refused(parameter: Parameter, value: Any, message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        typed(parameter, value)
    assert str(caught.value) == message
