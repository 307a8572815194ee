"""Parameter values as they are given at the start of a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.definition.parameters import (
    ParameterError,
    parse_parameter,
    typed_default,
)
from include.nacre.definition.records import Parameter
from tests.support.definitions import Json, scalars, whole_numbers


def parse(type_: str, value: object) -> Json:
    return parse_parameter(Parameter("P", type_), value)


@pytest.mark.parametrize(
    ("type_", "value", "typed"),
    [
        ("String", "007", "007"),
        ("String", 5, "5"),
        ("Integer", "007", 7),
        ("Integer", "-3", -3),
        ("Integer", " 5\n", 5),
        ("Integer", 5.0, 5),
        ("Float", "1", 1.0),
        ("Float", "-1.5e-3", -0.0015),
        ("Float", ".5", 0.5),
        ("Float", 6, 6.0),
        ("Boolean", "True", True),
        ("Boolean", "FALSE", False),
        ("Boolean", "true", True),
        ("Boolean", False, False),
    ],
)
def test_text_becomes_the_declared_type(type_: str, value: object, typed: Json) -> None:
    parsed = parse(type_, value)

    assert (parsed, type(parsed)) == (typed, type(typed))


@pytest.mark.parametrize(
    ("type_", "value", "message"),
    [
        ("String", None, "the parameter 'P' is text, not null"),
        ("Integer", "5.5", "the parameter 'P' is a whole number, not the text \"5.5\""),
        ("Integer", "five", "the parameter 'P' is a whole number, not the text \"five\""),
        ("Integer", "1_000", "the parameter 'P' is a whole number, not the text \"1_000\""),
        ("Integer", "٣", "the parameter 'P' is a whole number, not the text \"٣\""),
        ("Integer", True, "the parameter 'P' is a whole number, not true"),
        ("Integer", 5.5, "the parameter 'P' is a whole number, not the number 5.5"),
        ("Float", "nan", "the parameter 'P' is a number, not the text \"nan\""),
        ("Float", "1e999", "the parameter 'P' is a number, not the text \"1e999\""),
        ("Float", "", "the parameter 'P' is a number, not the text \"\""),
        ("Float", None, "the parameter 'P' is a number, not null"),
        ("Boolean", "yes", "the parameter 'P' is true or false, not the text \"yes\""),
        ("Boolean", 1, "the parameter 'P' is true or false, not the number 1"),
        ("Boolean", "", "the parameter 'P' is true or false, not the text \"\""),
        ("String", [], "the parameter 'P' is text, not a list"),
    ],
)
def test_what_does_not_fit_is_refused(type_: str, value: object, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse(type_, value)

    assert str(caught.value) == message


def test_a_value_must_be_among_the_enum_values() -> None:
    parameter = Parameter("Stage", "String", "dev", ("dev", "prod"))

    with pytest.raises(ParameterError) as caught:
        parse_parameter(parameter, "prd")

    assert str(caught.value) == 'the parameter \'Stage\' takes one of "dev", "prod", not "prd"'


def test_a_value_has_at_most_1024_characters() -> None:
    with pytest.raises(ParameterError, match="at most 1024 characters, not 1025"):
        parse("String", "x" * 1025)


@given(scalars)
def test_what_the_sdk_sends_as_text_comes_back(value: Json) -> None:
    types = {str: "String", int: "Integer", float: "Float", bool: "Boolean"}

    assert parse(types[type(value)], str(value)) == value


@given(st.text(max_size=30), st.sampled_from(["Integer", "Float", "Boolean"]))
def test_any_text_is_parsed_or_refused(text: str, type_: str) -> None:
    try:
        assert isinstance(parse(type_, text), (int, float))
    except ParameterError as error:
        assert str(error).startswith("the parameter 'P' is")  # noqa: PT017 - either way is right


@given(whole_numbers)
def test_whole_numbers_keep_every_digit(number: int) -> None:
    assert parse("Integer", str(number)) == number


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (Parameter("P", "Float", 271), 271.0),
        (Parameter("P", "Integer", 271), 271),
        (Parameter("P", "String", ""), ""),
        (Parameter("P", "Boolean"), None),
    ],
)
def test_a_default_has_its_parameters_type(parameter: Parameter, value: Json) -> None:
    assert repr(typed_default(parameter)) == repr(value)
