"""What a Condition step's conditions come to, told comparison by comparison."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from include.nacre.definition.conditions import (
    Comparison,
    Condition,
    Membership,
    Not,
    Or,
    holds,
    operands,
)
from include.nacre.definition.expressions import (
    EvaluationError,
    Json,
    Scope,
    evaluate,
    in_words,
)

SIGNS = {
    "Equals": "=",
    "NotEquals": "≠",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": "≥",
    "LessThan": "<",
    "LessThanOrEqualTo": "≤",
    "In": "in",
    "NotIn": "not in",
}


@dataclass(frozen=True)
class Verdict:
    """Whether all of a step's conditions hold, and what each comparison in them came to."""

    holds: bool
    comparisons: tuple[str, ...]

    def __str__(self) -> str:
        return "The conditions hold" if self.holds else "The conditions do not hold"

    def serialize(self) -> Json:
        """Return what the UI shows under Rendered Templates."""
        return {"holds": self.holds, "comparisons": list(self.comparisons)}

    def result(self) -> Json:
        """Return the XCom of the step. Its one property is a text on the service too."""
        outcome = {"Outcome": str(self.holds)}
        return {"kind": "Condition", **self.serialize(), "properties": outcome}


def judge(conditions: Sequence[Condition], scope: Scope) -> Verdict:
    """Evaluate conditions as the language says: all must hold."""
    outcome = all(holds(condition, scope) for condition in conditions)
    leaves = (leaf for condition in conditions for leaf in _comparisons(condition))
    return Verdict(outcome, tuple(_shown(leaf, scope) for leaf in leaves))


def _comparisons(condition: Condition) -> Iterator[Comparison | Membership]:
    match condition:
        case Not(condition=inner):
            yield from _comparisons(inner)
        case Or(conditions=inner):
            for item in inner:
                yield from _comparisons(item)
        case Comparison() | Membership():
            yield condition


def _shown(leaf: Comparison | Membership, scope: Scope) -> str:
    """Return a comparison, its values first: `4.9 ≤ 6.0 is true: 'mse' ... ≤ Parameters.Limit`."""
    try:
        outcome = "true" if holds(leaf, scope) else "false"
        values = _read(leaf, [repr(evaluate(value, scope)) for value in operands(leaf)])
    except EvaluationError as error:  # not needed for the outcome: what comes first has decided
        return f"{leaf.type}: not looked at ({error})"
    words = _read(leaf, [in_words(value) for value in operands(leaf)])
    return f"{values} is {outcome}" + ("" if words == values else f": {words}")


def _read(leaf: Comparison | Membership, texts: Sequence[str]) -> str:
    left, *right = texts
    return f"{left} {SIGNS[leaf.type]} {', '.join(right)}"
