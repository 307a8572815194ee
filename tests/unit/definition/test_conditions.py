"""Conditions: which hold, and what cannot be compared."""

import pytest

from include.nacre.definition.authoring import (
    and_,
    equals,
    greater_than,
    greater_than_or_equal,
    in_,
    less_than,
    less_than_or_equal,
    not_,
    or_,
)
from include.nacre.definition.conditions import Comparison, Condition, Membership, holds
from include.nacre.definition.expressions import EvaluationError, ParameterRef
from include.nacre.definition.reader import read_pipeline
from tests.support.definitions import Json, definition_of, get, report_on, step_of
from tests.unit.definition.test_expressions import COUNT, FLAG, MSE, SCOPE

YES, NO = equals(1, 1), equals(1, 2)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (equals(COUNT, 3), True),
        (equals(COUNT, 3.0), True),
        (equals(FLAG, True), True),
        (equals("a", "b"), False),
        (Comparison("NotEquals", "a", "b"), True),
        (greater_than(COUNT, 3), False),
        (greater_than_or_equal(COUNT, 3), True),
        (less_than(MSE, 6.0), True),
        (less_than("a", "b"), True),
        (less_than_or_equal(MSE, COUNT), False),
        (in_(COUNT, [1, 2, COUNT]), True),
        (in_("a", []), False),
        (Membership("NotIn", COUNT, (1, 2)), True),
        (not_(YES), False),
        (or_(NO, YES), True),
        (or_(NO, not_(or_(YES, NO))), False),
        (and_(YES, YES), True),
        (and_(YES, NO), False),
    ],
)
def test_a_condition_holds(condition: Condition, expected: bool) -> None:
    assert holds(condition, SCOPE) is expected


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            equals(COUNT, "3"),
            (
                "Equals compares values of one type, not Parameters.Count (the number 3) with "
                'the text "3"'
            ),
        ),
        (
            equals(FLAG, 1),
            "Equals compares values of one type, not Parameters.Flag (true) with the number 1",
        ),
        (
            in_(COUNT, ["a"]),
            (
                "In compares values of one type, not Parameters.Count (the number 3) with "
                'the text "a"'
            ),
        ),
        (less_than(True, False), "LessThan needs numbers or text, not true"),
    ],
)
def test_values_of_different_types_are_not_compared(condition: Condition, message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        holds(condition, SCOPE)

    assert str(caught.value) == message


def test_an_or_looks_no_further_than_the_first_that_holds() -> None:
    assert holds(or_(YES, equals(ParameterRef("Missing"), 1)), SCOPE)


# Reading.


def fork(*conditions: Json) -> Json:
    return step_of("Condition", "C", arguments={"Conditions": [*conditions]})


def test_the_schemas_own_spellings_are_read_and_kept() -> None:
    conditions = [
        {"Type": "NotEquals", "LeftValue": 1, "RightValue": 2},
        {"Type": "NotIn", "QueryValue": 1, "Values": [2]},
        {"Type": "In", "Value": "a", "In": ["a", "b"]},
    ]
    pipeline = read_pipeline(definition_of(fork(*conditions)), "any")

    assert pipeline["Steps"][0]["Arguments"]["Conditions"] == conditions
    assert [holds(condition, SCOPE) for condition in pipeline.steps[0].conditions] == [True] * 3


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        (5, ": must be an object, not the number 5"),
        ({}, ': the required key "Type" is missing'),
        (
            {"Type": "GreaterOrEqual"},
            '.Type: unknown condition type "GreaterOrEqual" — Did you mean "GreaterThanOrEqualTo"?',
        ),
        ({"Type": []}, ".Type: unknown condition type [] — Known: Equals, GreaterThan, "),
        ({"Type": "Not"}, ': the required key "Condition" is missing'),
        ({"Type": "Or", "Conditions": []}, ".Conditions: an Or needs at least one condition"),
        (
            {"Type": "Not", "Condition": {"Type": "And"}},
            '.Condition.Type: unknown condition type "And" — Known: ',
        ),
        (
            {"Type": "Equals", "LeftValue": 1, "RightValue": [1]},
            ".RightValue: must be a scalar or an expression, not a list",
        ),
        (
            {"Type": "Equals", "LeftValue": 1, "Rightvalue": 1},
            ': the required key "RightValue" is missing',
        ),
        (
            {"Type": "In", "QueryValue": 1, "Values": 1},
            ".Values: must be a list, not the number 1",
        ),
        (
            {"Type": "Equals", "LeftValue": get("Parameters.Count"), "RightValue": "3"},
            (
                ".RightValue: Equals compares values of one type, not Parameters.Count (a number) "
                "with "
                'the text "3"'
            ),
        ),
        (
            {"Type": "In", "QueryValue": get("Parameters.Flag"), "Values": [True, "true"]},
            (
                ".Values[1]: In compares values of one type, not Parameters.Flag (a boolean) with "
                'the text "true"'
            ),
        ),
        (
            {"Type": "LessThan", "LeftValue": get("Parameters.Flag"), "RightValue": True},
            ".RightValue: LessThan needs numbers or text, not a boolean",
        ),
    ],
)
def test_a_condition_at_fault(condition: Json, fault: str) -> None:
    parameters = [{"Name": "Count", "Type": "Integer"}, {"Name": "Flag", "Type": "Boolean"}]
    found = report_on(definition_of(fork(condition), parameters=parameters))

    assert found[0].replace(" (C)", "").startswith(f"Steps[0].Arguments.Conditions[0]{fault}")


def test_a_property_is_compared_by_its_own_type() -> None:
    metric = get("Steps.T.FinalMetricDataList['auc'].Value")
    arn = get("Steps.T.TrainingJobArn")
    conditions = [
        {"Type": "GreaterThan", "LeftValue": metric, "RightValue": 1},
        {"Type": "GreaterThan", "LeftValue": arn, "RightValue": 1},
    ]

    assert report_on(definition_of(step_of("Training", "T"), fork(*conditions))) == [
        (
            "Steps[1].Arguments.Conditions[1].RightValue (C): GreaterThan compares values of one "
            "type, "
            "not Steps.T.TrainingJobArn (a text) with the number 1"
        )
    ]
