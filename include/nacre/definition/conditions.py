"""Conditions of a Condition step: typed records, and whether they hold in a scope."""

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from include.nacre.definition.expressions import (
    EvaluationError,
    Json,
    Node,
    Scope,
    Value,
    evaluate,
    in_words,
    to_json,
)
from include.nacre.definition.faults import kind

# `NotEquals` and `NotIn` are in the published schema only: they are read, never written anew.
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "NotEquals": operator.ne,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
EQUALITIES = frozenset({"Equals", "NotEquals"})
MEMBERSHIPS = ("In", "NotIn")
CONDITION_TYPES = (*COMPARISONS, *MEMBERSHIPS, "Not", "Or")


@dataclass(frozen=True, slots=True)
class Comparison:
    """`LeftValue` compared with `RightValue`; `type` is a key of COMPARISONS."""

    type: str
    left: Value
    right: Value

    def to_json(self) -> Json:
        operands = {"LeftValue": to_json(self.left), "RightValue": to_json(self.right)}
        return {"Type": self.type, **operands}


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether `query` is one of `values`; `type` is `In` or `NotIn`.

    The published schema names the two keys `Value` and `In`; what was read is kept in `keys`.
    """

    type: str
    query: Value
    values: Sequence[Value]
    keys: tuple[str, str] = ("QueryValue", "Values")

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))

    def to_json(self) -> Json:
        query, values = self.keys
        return {"Type": self.type, query: to_json(self.query), values: to_json(self.values)}


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of one condition."""

    condition: "Condition"

    def to_json(self) -> Json:
        return {"Type": "Not", "Condition": self.condition.to_json()}


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of several conditions."""

    conditions: Sequence["Condition"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "conditions", tuple(self.conditions))

    def to_json(self) -> Json:
        return {"Type": "Or", "Conditions": [item.to_json() for item in self.conditions]}


Condition: TypeAlias = Comparison | Membership | Not | Or


def operands(condition: Condition) -> Iterator[Value]:
    """Yield every value that a condition looks at, nested conditions included."""
    match condition:
        case Comparison(left=left, right=right):
            yield from (left, right)
        case Membership(query=query, values=values):
            yield from (query, *values)
        case Not(condition=inner):
            yield from operands(inner)
        case Or(conditions=inner):
            for item in inner:
                yield from operands(item)


def holds(condition: Condition, scope: Scope) -> bool:
    """Say whether a condition is true in a scope; operands are evaluated as far as needed."""
    match condition:
        case Comparison():
            return _compare(condition, scope)
        case Membership():
            return _contains(condition, scope) is (condition.type == "In")
        case Not(condition=inner):
            return not holds(inner, scope)
        case Or(conditions=inner):
            return any(holds(item, scope) for item in inner)


def _compare(condition: Comparison, scope: Scope) -> bool:
    left, right = evaluate(condition.left, scope), evaluate(condition.right, scope)
    _refuse_mixed_types(condition.type, (condition.left, left), (condition.right, right))
    if condition.type not in EQUALITIES and kind_of(left) not in ORDERED_KINDS:
        raise EvaluationError(f"{condition.type} needs numbers or text, not {kind(left)}")
    return COMPARISONS[condition.type](left, right)


def _contains(condition: Membership, scope: Scope) -> bool:
    query = evaluate(condition.query, scope)
    return any(
        _equal(condition, query, value, evaluate(value, scope)) for value in condition.values
    )


def _equal(condition: Membership, query: Json, value: Value, result: Json) -> bool:
    _refuse_mixed_types(condition.type, (condition.query, query), (value, result))
    return bool(query == result)


def _refuse_mixed_types(type_: str, left: tuple[Value, Json], right: tuple[Value, Json]) -> None:
    if kind_of(left[1]) != kind_of(right[1]):
        raise EvaluationError(mixed_types(type_, _found(*left), _found(*right)))


def _found(value: Value, result: Json) -> str:
    return f"{in_words(value)} ({kind(result)})" if isinstance(value, Node) else kind(result)


def mixed_types(type_: str, left: str, right: str) -> str:
    """Say that two operands cannot be compared."""
    return f"{type_} compares values of one type, not {left} with {right}"


ORDERED_KINDS = ("number", "text")


def kind_of(value: Json) -> str:
    """Name the kind of a JSON value; integers and floats are one kind, booleans another."""
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case None:
            return "null"
        case list():
            return "list"
        case _:
            return "object"
