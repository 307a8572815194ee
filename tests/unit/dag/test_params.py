"""Parameters in the form that starts a run."""

from typing import Any

import pytest

from include.nacre.dag.params import form_schema
from include.nacre.definition.authoring import Boolean, Float, Integer, String
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
