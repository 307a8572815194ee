"""The evaluation metrics of the built-in XGBoost algorithm.

XGBoost computes most of them itself; the rest the container makes with scikit-learn. Nothing is
imported here before a metric is asked for, since the server reads the names alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

MAXIMIZED = [
    "accuracy",
    "auc",
    "aucpr",
    "balanced_accuracy",
    "f1",
    "f1_binary",
    "f1_macro",
    "map",
    "ndcg",
    "precision",
    "r2",
    "recall",
    "precision_macro",
    "precision_micro",
    "recall_macro",
    "recall_micro",
]
MINIMIZED = [
    "aft-nloglik",
    "cox-nloglik",
    "error",
    "gamma-deviance",
    "gamma-nloglik",
    "interval-regression-accuracy",
    "logloss",
    "mae",
    "mape",
    "merror",
    "mlogloss",
    "mphe",
    "mse",
    "poisson-nloglik",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
]
KNOWN = MAXIMIZED + MINIMIZED
TUNING_NAMES = [f"{channel}:{name}" for name in KNOWN for channel in ("train", "validation")]

# Container metric -> (function of sklearn.metrics, its options). A prediction is taken as a class
# for all but the regression metrics.
_SCORES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "accuracy": ("accuracy_score", {}),
    "balanced_accuracy": ("balanced_accuracy_score", {}),
    "f1": ("f1_score", {"average": "macro"}),
    "f1_binary": ("f1_score", {"average": "binary"}),
    "f1_macro": ("f1_score", {"average": "macro"}),
    "mse": ("mean_squared_error", {}),
    "precision": ("precision_score", {"average": "binary"}),
    "precision_macro": ("precision_score", {"average": "macro"}),
    "precision_micro": ("precision_score", {"average": "micro"}),
    "r2": ("r2_score", {}),
    "recall": ("recall_score", {"average": "binary"}),
    "recall_macro": ("recall_score", {"average": "macro"}),
    "recall_micro": ("recall_score", {"average": "micro"}),
    "rmse": ("root_mean_squared_error", {}),
    "mae": ("mean_absolute_error", {}),
}
_REGRESSION = frozenset({"mse", "r2", "rmse", "mae"})
# From 1.3 on the container computes these two itself; before, XGBoost did.
_CONTAINER_SINCE_1_3 = frozenset({"rmse", "mae"})

Scores = list[tuple[str, float]]


def definitions() -> list[dict[str, str]]:
    """The MetricDefinitions that the service fills in for this algorithm."""
    return [
        {
            "Name": f"{channel}:{name}",
            "Regex": rf".*\[[0-9]+\].*#011{channel}-{name}"
            r":([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*",
        }
        for channel in ("train", "validation")
        for name in KNOWN
    ]


def split(
    named: Sequence[str] | None, tuning: str | None, library: tuple[int, int]
) -> tuple[list[str], list[str]]:
    """(the metrics for XGBoost, the metrics for us) of eval_metric and the tuning objective."""
    wanted = list(named or [])
    if tuning:
        objective = tuning.partition(":")[2]
        wanted = sorted({*wanted, objective}) if wanted else [objective]
    ours = [name for name in wanted if _is_ours(name, library)]
    return [name for name in wanted if name not in ours], ours


def scorer(names: Sequence[str], objective: str) -> Callable[[Any, Any], Scores]:
    """XGBoost's `custom_metric` for the container's metrics."""

    def scores(predictions: Any, matrix: Any) -> Scores:
        labels = matrix.get_label()
        return [(name, _score(name, predictions, labels, objective)) for name in names]

    return scores


def is_maximized(name: str) -> bool:
    """Whether more of the metric is better."""
    return name.partition("@")[0] in MAXIMIZED


def _is_ours(name: str, library: tuple[int, int]) -> bool:
    return name in _SCORES and not (name in _CONTAINER_SINCE_1_3 and library < (1, 3))


def _score(name: str, predictions: Any, labels: Any, objective: str) -> float:
    import sklearn.metrics

    function, options = _SCORES[name]
    values = predictions if name in _REGRESSION else _classes(predictions, objective)
    return float(getattr(sklearn.metrics, function)(labels, values, **options))


def _classes(predictions: Any, objective: str) -> Any:
    """Predictions as class numbers: the likeliest class, or one of two cut in the middle."""
    if predictions.ndim > 1 and predictions.shape[1] > 1:
        return predictions.argmax(axis=-1)
    if objective == "multi:softmax":
        return predictions
    return (predictions > (0.0 if objective == "binary:logitraw" else 0.5)).astype(int)
