"""K-fold cross-validation of the built-in algorithm (`_kfold`, `_num_cv_round`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.nacre.local.images.algorithm.boosting import Boosting
from include.nacre.local.images.announce import announce

# data set -> metric -> its value after each round
Results = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Folds:
    """How many parts the data is split in, and how many times."""

    count: int
    repeats: int


def cross_validate(whole: Any, boosting: Boosting, folds: Folds, output: Path) -> list[Any]:
    """Train a model for every fold, print each repeat's mean metrics, write the predictions.

    Every model is evaluated on the full channels, as in the container. Returns them in order.
    """
    import numpy as np

    labels = whole.get_label()
    classifies = str(boosting.values.get("objective", "")).startswith(("binary:", "multi:"))
    predicted = np.zeros((len(labels), folds.repeats))
    classes = np.zeros((len(labels), folds.repeats), dtype=int) if classifies else None
    boosters: list[Any] = []
    results: list[Results] = []
    for number, (kept, left_out) in enumerate(_splits(labels, folds, classifies)):
        results.append({})
        boosters.append(boosting.run(whole.slice(kept), results=results[-1]))
        values = boosters[-1].predict(whole.slice(left_out))
        if classes is not None:
            values, classes[left_out, number // folds.count] = _by_class(values)
        predicted[left_out, number // folds.count] = values
        if (number + 1) % folds.count == 0:
            print(_mean_line(results[-folds.count :]), flush=True)
    _write(output, labels, predicted, classes)
    return boosters


def _splits(labels: Any, folds: Folds, classifies: bool) -> Any:
    """Pairs (rows to train on, rows left out); of each class every fold has its share."""
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    kind = RepeatedStratifiedKFold if classifies else RepeatedKFold
    return kind(n_splits=folds.count, n_repeats=folds.repeats).split(labels, labels)


def _by_class(values: Any) -> tuple[Any, Any]:
    """(the probability, the class) of each row."""
    if values.ndim > 1:
        return values.max(axis=-1), values.argmax(axis=-1)
    return values, (values > 0.5).astype(int)


def _mean_line(results: list[Results]) -> str:
    first = results[0]
    rounds = max(len(scores) for by_metric in first.values() for scores in by_metric.values())
    means = [
        f"{name}-{metric}:{sum(r[name][metric][-1] for r in results) / len(results):.5f}"
        for name, by_metric in first.items()
        for metric in by_metric
    ]
    return "\t".join([f"[{rounds}]", *means])


def _write(output: Path, labels: Any, predicted: Any, classes: Any | None) -> None:
    import numpy as np

    columns = [labels, predicted.mean(axis=-1)]
    if classes is not None:
        columns.append(np.array([np.bincount(votes).argmax() for votes in classes]))
    output.mkdir(parents=True, exist_ok=True)
    announce(f"Storing predictions on validation set(s) in {output / 'predictions.csv'}")
    np.savetxt(output / "predictions.csv", np.column_stack(columns), delimiter=",", fmt="%f")
