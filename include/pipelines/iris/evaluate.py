"""How often the predictions of a batch transform are right. Runs in a container.

A SageMaker processing job runs this file alone, in the scikit-learn image, so it imports nothing
of ours. It reads and writes below /opt/ml (another root for tests and by hand: `--root`):

    processing/input/predictions/           what the transform left: CSV files without a header,
                                            the values of `COLUMNS`: each test row, its label
                                            first, then what the model made of it
    processing/evaluation/evaluation.json   the metrics, in the layout of SageMaker's model quality
                                            statistics: multiclass_classification_metrics.accuracy

`accuracy.standard_deviation` is that of a share of so many rows, sqrt(p (1 - p) / n): two models
whose accuracies differ by less are not told apart by these rows.

Predictions that cannot be used end the job with status 1 and a message that names file, row and
column. The service shows it as the job's ExitMessage.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path("/opt/ml")
PREDICTIONS = Path("processing/input/predictions")
REPORT = Path("processing/evaluation/evaluation.json")
MESSAGE = Path("output/message")

FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
LABEL, PREDICTION = "species", "predicted"
COLUMNS = (LABEL, *FEATURES, PREDICTION, "probability")
TRUE, PREDICTED = COLUMNS.index(LABEL), COLUMNS.index(PREDICTION)

FAULTS_SHOWN = 8
MESSAGE_BYTES = 1024  # what the service keeps of an exit message

Pair = tuple[str, str]
"""The true label of a row, and the predicted one."""


class BadInputError(Exception):
    """The predictions cannot be used. One line a fault."""

    def __init__(self, faults: list[str]) -> None:
        shown = faults[:FAULTS_SHOWN]
        if len(faults) > len(shown):
            shown.append(f"... and {len(faults) - len(shown)} more")
        super().__init__("\n".join(shown))


def read_predictions(folder: Path) -> list[Pair]:
    """True and predicted label of every row of a folder's files."""
    faults: list[str] = []
    pairs: list[Pair] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        lines = csv.reader(path.read_text(encoding="utf-8", errors="replace").splitlines())
        for number, row in enumerate(lines, start=1):
            if fault := fault_of(row):
                faults.append(f"{path.relative_to(folder)}: row {number}{fault}")
            else:
                pairs.append((row[TRUE], row[PREDICTED]))
    if not pairs and not faults:
        faults.append(f"{folder} holds no predictions")
    if faults:
        raise BadInputError(faults)
    return pairs


def fault_of(row: list[str]) -> str | None:
    if len(row) != len(COLUMNS):
        return f": {len(row)} values, {len(COLUMNS)} are expected: {', '.join(COLUMNS)}"
    empty = [COLUMNS[place] for place in (TRUE, PREDICTED) if not row[place]]
    return f", column '{empty[0]}': empty" if empty else None


def report(pairs: Sequence[Pair]) -> dict[str, Any]:
    """The metrics as SageMaker's model registry reads them."""
    counts = Counter(pairs)
    names = sorted({name for pair in pairs for name in pair})
    accuracy = sum(counts[name, name] for name in names) / len(pairs)
    matrix = {true: {name: counts[true, name] for name in names} for true in names}
    return {
        "dataset": {"item_count": len(pairs)},
        "multiclass_classification_metrics": {
            "confusion_matrix": matrix,
            "accuracy": {
                "value": accuracy,
                "standard_deviation": math.sqrt(accuracy * (1 - accuracy) / len(pairs)),
            },
        },
    }


def evaluate(root: Path) -> dict[str, Any]:
    result = report(read_predictions(root / PREDICTIONS))
    (root / REPORT).parent.mkdir(parents=True, exist_ok=True)
    (root / REPORT).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def summary(result: dict[str, Any]) -> str:
    accuracy = result["multiclass_classification_metrics"]["accuracy"]
    return (
        f"accuracy {accuracy['value']:.3f} (± {accuracy['standard_deviation']:.3f})"
        f" on {result['dataset']['item_count']} test rows"
    )


def main(arguments: list[str] | None = None) -> str | None:
    """The job; what it returns is what `sys.exit` takes: None, or a message and status 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=ROOT, help=f"instead of {ROOT}")
    root = parser.parse_args(arguments).root
    try:
        print(summary(evaluate(root)))
    except BadInputError as error:
        return refuse(root, str(error))
    return None


def refuse(root: Path, message: str) -> str:
    """Leave the message where the service takes a job's ExitMessage from."""
    (root / MESSAGE).parent.mkdir(parents=True, exist_ok=True)
    # Cut at a character: a message that is not UTF-8 would fail the job for its own sake.
    cut = message.encode()[:MESSAGE_BYTES].decode(errors="ignore")
    (root / MESSAGE).write_text(cut, encoding="utf-8")
    return message


if __name__ == "__main__":
    sys.exit(main())
