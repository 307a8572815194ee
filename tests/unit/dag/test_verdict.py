"""What conditions come to, told comparison by comparison."""

from typing import Any

import pytest

from include.nacre.dag.verdict import Verdict, judge
from include.nacre.definition.authoring import (
    Integer,
    equals,
    in_,
    less_than_or_equal,
    not_,
    or_,
)
from include.nacre.definition.expressions import EvaluationError, JsonGet, PropertyFileSource, Scope

MISSING = JsonGet(PropertyFileSource("Evaluate", "Report"), "mse")


class Values:
    """A scope of parameters alone."""

    def __init__(self, **values: Any) -> None:
        self.parameter = values.__getitem__

    def property_file(self, step: str, name: str) -> Any:
        raise EvaluationError(f"there is no file {name} of {step}")


def verdict(*conditions: Any, **values: Any) -> Verdict:
    scope: Scope = Values(**values)  # type: ignore[assignment]  # parameters are enough here
    return judge(conditions, scope)


def test_a_comparison_is_told_with_both_values() -> None:
    told = verdict(less_than_or_equal(Integer("N"), 5), N=4)
    assert told == Verdict(True, ("4 ≤ 5 is true: Parameters.N ≤ 5",))


def test_all_conditions_must_hold() -> None:
    told = verdict(equals(Integer("N"), 4), equals(Integer("N"), 5), N=4)
    assert told == Verdict(
        False, ("4 = 4 is true: Parameters.N = 4", "4 = 5 is false: Parameters.N = 5")
    )


def test_the_comparisons_inside_of_not_and_or_are_told() -> None:
    told = verdict(not_(or_(equals(1, 2), in_(Integer("N"), [7, 8]))), N=4)
    assert told == Verdict(True, ("1 = 2 is false", "4 in 7, 8 is false: Parameters.N in 7, 8"))


def test_what_is_not_needed_for_the_outcome_need_not_have_a_value() -> None:
    told = verdict(or_(equals(1, 1), equals(MISSING, 1)))
    assert (told.holds, told.comparisons[1]) == (
        True,
        "Equals: not looked at (there is no file Report of Evaluate)",
    )


def test_what_is_needed_must_have_a_value() -> None:
    with pytest.raises(EvaluationError, match="there is no file Report"):
        verdict(equals(MISSING, 1))
