"""Train a random forest to tell irises apart. Runs in a container, in script mode.

A SageMaker training job in the scikit-learn image unpacks the source archive that holds this file
and runs it with the job's hyperparameters as options, so it imports nothing of ours. Where data
and model lie, the image says in the environment:

    SM_CHANNEL_TRAIN    a folder of CSV files without a header: the values of `COLUMNS`, the label
                        first
    SM_MODEL_DIR        takes model.joblib, the fitted forest

It prints `oob_accuracy=0.9524;` for the job's metric of that name: the share of rows that those
trees which have not seen them get right.

Rows or hyperparameters that cannot be used end the job with status 1 and a message that names
file, row and column. The service shows it as the job's FailureReason.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import joblib  # type: ignore[import-untyped]  # it ships no types
import numpy as np
from sklearn.ensemble import RandomForestClassifier

ROOT = Path("/opt/ml")
FAILURE = Path("output/failure")
MODEL_FILE = "model.joblib"

FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
LABEL = "species"
COLUMNS = (LABEL, *FEATURES)

FAULTS_SHOWN = 8
MESSAGE_BYTES = 1024  # what the service keeps of a failure


class BadInputError(Exception):
    """The rows or the hyperparameters cannot be used. One line a fault."""

    def __init__(self, faults: list[str]) -> None:
        shown = faults[:FAULTS_SHOWN]
        if len(faults) > len(shown):
            shown.append(f"... and {len(faults) - len(shown)} more")
        super().__init__("\n".join(shown))


def read_rows(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The features and the labels of all rows of a folder's files, in their order."""
    faults: list[str] = []
    rows: list[list[str]] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder)
        try:
            lines = list(csv.reader(path.read_text(encoding="utf-8").splitlines(), strict=True))
        except (csv.Error, UnicodeDecodeError) as error:
            faults.append(f"{name}: this is no CSV text in UTF-8 ({error})")
            continue
        for number, row in enumerate(lines, start=1):
            faults.extend(f"{name}: row {number}{fault}" for fault in row_faults(row))
        rows.extend(lines)
    if not rows and not faults:
        faults.append(f"{folder} holds no rows")
    if faults:
        raise BadInputError(faults)
    features = np.array([row[1:] for row in rows], dtype=float)
    return features, np.array([row[0] for row in rows])


def row_faults(row: list[str]) -> Iterator[str]:
    if len(row) != len(COLUMNS):
        yield f": {len(row)} values, {len(COLUMNS)} are expected: {', '.join(COLUMNS)}"
        return
    if not row[0]:
        yield f", column '{LABEL}': empty, but every row needs its label"
    for name, cell in zip(FEATURES, row[1:], strict=True):
        if not is_number(cell):
            yield f", column '{name}': {cell!r} is no number"


def is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def fit(
    features: np.ndarray, labels: np.ndarray, *, trees: int, max_depth: int, random_state: int
) -> RandomForestClassifier:
    """The forest; one state is one forest."""
    forest = RandomForestClassifier(
        trees, max_depth=max_depth, random_state=random_state, oob_score=True
    )
    try:
        return forest.fit(features, labels)
    except ValueError as error:  # a hyperparameter out of range; scikit-learn's words name it
        raise BadInputError([str(error)]) from error


def train(options: argparse.Namespace) -> None:
    forest = fit(
        *read_rows(options.train),
        trees=options.n_estimators,
        max_depth=options.max_depth,
        random_state=options.random_state,
    )
    options.model_dir.mkdir(parents=True, exist_ok=True)
    joblib.dump(forest, options.model_dir / MODEL_FILE)
    print(f"{options.n_estimators} trees, oob_accuracy={forest.oob_score_:.4f};")


def main(arguments: list[str] | None = None) -> str | None:
    """The job; what it returns is what `sys.exit` takes: None, or a message and status 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-estimators", type=int, default=100, help="how many trees")
    parser.add_argument("--max-depth", type=int, default=5, help="how many splits deep, at most")
    parser.add_argument("--random-state", type=int, default=0, help="of the forest")
    place = os.environ.get("SM_CHANNEL_TRAIN", ROOT / "input/data/train")
    parser.add_argument("--train", type=Path, default=place, help="the folder of the rows")
    place = os.environ.get("SM_MODEL_DIR", ROOT / "model")
    parser.add_argument("--model-dir", type=Path, default=place, help="where the model goes")
    parser.add_argument("--root", type=Path, default=ROOT, help="where a failure is told")
    options = parser.parse_args(arguments)
    try:
        train(options)
    except BadInputError as error:
        return refuse(options.root, str(error))
    return None


def refuse(root: Path, message: str) -> str:
    """Leave the message where the service takes a job's FailureReason from."""
    (root / FAILURE).parent.mkdir(parents=True, exist_ok=True)
    cut = message.encode()[:MESSAGE_BYTES].decode(errors="ignore")
    (root / FAILURE).write_text(cut, encoding="utf-8")
    return message


if __name__ == "__main__":
    sys.exit(main())
