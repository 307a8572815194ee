from typing import Any

import pytest

from include.nacre.local.images.arguments import decode, of_the_user, to_argv, to_variable


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("n-estimators", "100", ["--n-estimators", "100"]),
        ("rate", "0.10", ["--rate", "0.1"]),
        ("rate", "1e-3", ["--rate", "0.001"]),
        ("flag", "true", ["--flag", "True"]),
        ("flag", "True", ["--flag", "True"]),
        ("nothing", "null", ["--nothing", ""]),
        ("word", '"abc"', ["--word", "abc"]),
        ("word", "abc", ["--word", "abc"]),
        ("object", '{"a":1,"b":[1,2]}', ["--object", "a=1,b=[1, 2]"]),
        ("list", "[1,2]", ["--list", "[1, 2]"]),
        ("d", "5", ["-d", "5"]),
        ("empty", "", ["--empty", ""]),
    ],
)
def test_a_hyperparameter_becomes_two_arguments(name: str, text: str, expected: list[str]) -> None:
    assert to_argv(decode({name: text})) == expected


def test_arguments_are_in_the_order_of_their_names() -> None:
    assert to_argv({"b": 1, "a-x": 2, "B": 3}) == ["-B", "3", "--a-x", "2", "-b", "1"]


def test_reserved_hyperparameters_are_not_the_script_s() -> None:
    values = {"sagemaker_program": "x", "_tuning_objective_metric": "y", "alpha": 1}
    assert of_the_user(values) == {"alpha": 1}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (None, ""),
        (5, "5"),
        (True, "true"),
        ({"b": 1, "a": [1, "é"]}, '{"a":[1,"\\u00e9"],"b":1}'),
        ([], "[]"),
    ],
)
def test_a_variable_is_text_or_compact_sorted_ascii_json(value: Any, expected: str) -> None:
    assert to_variable(value) == expected
