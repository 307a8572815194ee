"""How good a model is: SageMaker's model quality statistics, as an evaluation leaves them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_SHARES = {"accuracy", "precision", "recall", "f0_5", "f1", "f2"}
# By the names of SageMaker's statistics; those of several classes are weighted.
HIGHER_IS_BETTER = frozenset(
    {"auc", "r2", "true_positive_rate", "true_negative_rate", "balanced_accuracy"}
    | _SHARES
    | {f"weighted_{name}" for name in _SHARES}
)
"""The metrics of which more is better."""
LOWER_IS_BETTER = frozenset(
    {"mae", "mape", "mse", "rmse", "log_loss", "false_positive_rate", "false_negative_rate"}
)
"""Those of which less is. Of any other nobody knows: it is shown, and no rule goes by it."""


class QualityError(ValueError):
    """A file holds no model quality statistics; the text says what it lacks."""


@dataclass(frozen=True)
class Quality:
    """The metrics of one model on one set of rows."""

    rows: int | None
    """How many; None if the statistics do not say."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """By name, in the order of the file; one without a value (R2 of equal labels) is left out."""


def read_quality(statistics: Any) -> Quality:
    """Return what parsed statistics say: `{"regression_metrics": {"mse": {"value": 4.7}}}`, or any
    other `<kind>_metrics`. Raises QualityError.
    """
    if not isinstance(statistics, Mapping):
        raise QualityError("it holds no JSON object")
    kinds = [value for key, value in statistics.items() if str(key).endswith("_metrics")]
    if len(kinds) != 1 or not isinstance(kinds[0], Mapping):
        raise QualityError(f"it must hold one object '…_metrics'; it holds {sorted(statistics)}")
    values = {
        name: metric["value"]
        for name, metric in kinds[0].items()
        if isinstance(metric, Mapping) and _is_number(metric.get("value"))
    }
    if not values:
        raise QualityError("no metric in it has a number as its value")
    dataset = statistics.get("dataset")
    rows = dataset.get("item_count") if isinstance(dataset, Mapping) else None
    return Quality(rows if isinstance(rows, int) else None, values)


def gain(metric: str, candidate: float, champion: float) -> float:
    """Return by which share of the champion's value the candidate is better: 0.05 for 5 per cent,
    negative if it is worse. Better than nought counts as infinitely better. Of a metric that is
    neither HIGHER_IS_BETTER nor LOWER_IS_BETTER it is the share by which it is higher.
    """
    change = champion - candidate if metric in LOWER_IS_BETTER else candidate - champion
    if champion == 0:
        return math.copysign(math.inf, change) if change else 0.0
    return change / abs(champion)


def gain_in_words(metric: str, candidate: float, champion: float) -> str:
    """Return the same for a person: `6.2 % better`; `higher` where nobody knows what is better."""
    share = gain(metric, candidate, champion)
    if not share:
        return "the same"
    known = has_direction(metric)
    word = ("better" if known else "higher") if share > 0 else ("worse" if known else "lower")
    if math.isinf(share):
        return word
    shown = f"{abs(share):.1%}".replace("%", " %")
    return f"less than 0.1 % {word}" if shown == "0.0 %" else f"{shown} {word}"


def has_direction(metric: str) -> bool:
    """Say whether it is known if more of a metric is better, or less."""
    return metric in HIGHER_IS_BETTER or metric in LOWER_IS_BETTER


def in_words(value: float) -> str:
    """Return a metric's value for a person: four digits, or all that stand before the point."""
    return f"{value:.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
