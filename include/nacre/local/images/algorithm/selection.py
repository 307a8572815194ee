"""Selectable content: which facts of each prediction a reply names (SAGEMAKER_INFERENCE_OUTPUT)."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from include.nacre.local.images.announce import announce

Value = Any  # one row's prediction: a number, or a list of one for each class

_CLASS_KEYS = frozenset({"predicted_label", "labels", "raw_score", "raw_scores"})
_PROBABILITY_KEYS = _CLASS_KEYS | {"probability", "probabilities"}
_REGRESSION_KEYS = frozenset({"predicted_score"})
_KEYS: Mapping[str, frozenset[str]] = {
    "binary:logistic": _PROBABILITY_KEYS,
    "binary:logitraw": _CLASS_KEYS,
    "binary:hinge": _CLASS_KEYS,
    "multi:softmax": _CLASS_KEYS,
    "multi:softprob": _PROBABILITY_KEYS,
}


def select(
    predictions: Sequence[Value], keys: Sequence[str], objective: str, classes: int
) -> list[dict[str, Any]]:
    """Each prediction's facts under the keys; a key that the objective has not is NaN."""
    allowed = _KEYS.get(objective, _REGRESSION_KEYS)
    for key in keys:
        if key not in allowed:
            announce(f"Selected key {key} is not valid for objective {objective}: nan", "WARNING")
    return [
        {
            key: _fact(key, value, objective, classes) if key in allowed else float("nan")
            for key in keys
        }
        for value in predictions
    ]


def encode(selected: Sequence[Mapping[str, Any]], accept: str) -> bytes:
    """The rows as CSV (lists in quotes), JSON (`{"predictions": [...]}`) or JSON lines."""
    if accept == "application/json":
        return json.dumps({"predictions": list(selected)}).encode()
    if accept == "application/jsonlines":
        lines = [json.dumps(row) for row in selected]
    else:
        lines = [",".join(_cell(value) for value in row.values()) for row in selected]
    return "".join(f"{line}\n" for line in lines).encode()


def _fact(key: str, value: Value, objective: str, classes: int) -> Any:
    return _FACTS[key](value, objective, classes)


def _label(value: Value, objective: str, _classes: int) -> int:
    if isinstance(value, list):
        return value.index(max(value))
    if objective == "multi:softmax":
        return int(value)
    return int(value > (0 if objective == "binary:logitraw" else 0.5))


def _best(value: Value, _objective: str, _classes: int) -> float:
    return float(max(value)) if isinstance(value, list) else float(value)


def _each(value: Value, objective: str, _classes: int) -> list[float]:
    if isinstance(value, list):
        return value
    return [value] if objective == "multi:softmax" else [1 - value, value]


_FACTS: Mapping[str, Callable[[Value, str, int], Any]] = {
    "predicted_label": _label,
    "labels": lambda _value, _objective, classes: list(range(max(classes, 2))),
    "probability": _best,
    "probabilities": _each,
    "raw_score": _best,
    "raw_scores": _each,
    "predicted_score": _best,
}


def _cell(value: Any) -> str:
    return f'"{value}"' if isinstance(value, list) else str(value)
