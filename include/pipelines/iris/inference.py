"""Which species are these irises? Runs in a container, behind the image's own server.

The server of SageMaker's scikit-learn image unpacks the source archive that holds this file,
imports it, and calls the four functions below for every request, so it imports nothing of ours.

    in     text/csv: a row a line, `FEATURES`, no header
           or application/json: [[5.1, 3.5, 1.4, 0.2], ...]
    out    text/csv: a line a row, `species,probability`
           or application/json: {"predictions": [{"species": ..., "probability": ...}, ...]}

A request that cannot be used is answered with an error that names every fault by row and column;
a batch transform fails with it.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]  # it ships no types
import numpy as np
from sklearn.ensemble import RandomForestClassifier

MODEL_FILE = "model.joblib"
CSV, JSON = "text/csv", "application/json"
FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
LABEL = "species"
FAULTS_SHOWN = 8

Predictions = list[tuple[str, float]]
"""The likeliest class of each row, and how likely it is."""


def model_fn(model_dir: str) -> RandomForestClassifier:
    """The forest that the training job left.

    A joblib file runs code as it is read. This one comes from our own training job.
    """
    return joblib.load(Path(model_dir, MODEL_FILE))


def input_fn(body: str | bytes, content_type: str) -> np.ndarray:
    """The rows of a request, (n, 4). Raises ValueError with every fault of them."""
    text = body if isinstance(body, str) else body.decode("utf-8")
    match kind_of(content_type):
        case "text/csv":
            rows: Any = list(csv.reader(text.splitlines()))
        case "application/json":
            rows = json.loads(text)
        case _:
            raise ValueError(f"content type {content_type!r} is neither {CSV} nor {JSON}")
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"no rows; each is expected to hold {', '.join(FEATURES)}")
    faults = [fault for number, row in enumerate(rows, start=1) for fault in faults_of(number, row)]
    if faults:
        more = len(faults) - FAULTS_SHOWN
        shown = faults[:FAULTS_SHOWN] + ([f"... and {more} more"] if more > 0 else [])
        raise ValueError("\n".join(shown))
    return np.array(rows, dtype=float)


def predict_fn(rows: np.ndarray, model: RandomForestClassifier) -> Predictions:
    """As `model.predict`, with the probability beside it."""
    probabilities = model.predict_proba(rows)
    best = probabilities.argmax(axis=1)
    labels = model.classes_[best].tolist()
    return list(zip(labels, probabilities.max(axis=1).tolist(), strict=True))


def output_fn(predictions: Predictions, accept: str) -> tuple[str, str]:
    """The body of the answer and its type."""
    match kind_of(accept):
        case "text/csv":
            return "".join(f"{label},{share!r}\n" for label, share in predictions), CSV
        case "application/json":
            answers = [{LABEL: label, "probability": share} for label, share in predictions]
            return json.dumps({"predictions": answers}), JSON
        case _:
            raise ValueError(f"accepted is {accept!r}, which is neither {CSV} nor {JSON}")


def kind_of(content_type: str) -> str:
    """A content type without its parameters, such as `; charset=utf-8`."""
    return content_type.partition(";")[0].strip().lower()


def faults_of(number: int, row: Any) -> Iterator[str]:
    """What is wrong with a row: texts from CSV, numbers from JSON."""
    if not isinstance(row, list) or len(row) != len(FEATURES):
        found = f"{len(row)} values" if isinstance(row, list) else repr(row)
        yield f"row {number}: {found}, {len(FEATURES)} are expected: {', '.join(FEATURES)}"
        return
    for name, value in zip(FEATURES, row, strict=True):
        if not is_number(value):
            yield f"row {number}, column '{name}': {value!r} is no number"


def is_number(value: Any) -> bool:
    try:
        # Python takes True for 1 and "1_0" for 10; in a request both are slips.
        is_slip = isinstance(value, bool) or "_" in str(value)
        return not is_slip and math.isfinite(float(value))
    except (TypeError, ValueError):
        return False
