"""Predictions to the rows that they were made of, checked, and how far the rows have drifted. Runs
in a container.

A SageMaker processing job runs this file alone, in the scikit-learn image, so it imports nothing
of ours. It reads and writes below /opt/ml (another root for tests and by hand: `--root`):

    processing/input/rows/             the rows that were scored: CSV, no header, eight values a row
                                       (`FEATURES`), an empty cell is a missing value
    processing/input/predictions/      what the batch transform left of each file of rows, as
                                       `<name>.out`: one number a line, in the order of the rows
    processing/input/baseline/baseline.json
                                       how the training rows were distributed (see preprocess.py)
    processing/scores/predictions.csv  every row as it was, and its predicted rings; with a header
    processing/scores/quality.json     what was found out about them:

    {"landed": "2026-11-01T00:03:12+00:00",  when the rows did: what tells whether newer ones wait
     "rows": 139,
     "predictions": {"missing": 0, "minimum": 4.1, "maximum": 17.0, "mean": 9.7},
     "drift": {"sex": {"psi": 0.01, "noise": 0.29, "missing": 0.0, "unseen": 0.0}, ...}}

`psi` is the population stability index of a feature against the training rows. Few rows differ
from the training rows by chance alone: `noise` is what their index stays below in 999 of 1000
cases when nothing has drifted. `missing` and `unseen` are shares of the rows: empty cells, and
values that have no place in the baseline, such as a category that no training row had.

Predictions that fail a check end the job with status 1 and every fault, and nothing is written:
what lies at `scores` has passed. The service shows the message as the job's ExitMessage.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import chdtri  # type: ignore[import-untyped]  # it ships no types

ROOT = Path("/opt/ml")
ROWS = Path("processing/input/rows")
PREDICTIONS = Path("processing/input/predictions")
BASELINE = Path("processing/input/baseline/baseline.json")
SCORED = Path("processing/scores/predictions.csv")
QUALITY = Path("processing/scores/quality.json")
MESSAGE = Path("output/message")

FEATURES = (
    "sex",
    "length",
    "diameter",
    "height",
    "whole_weight",
    "shucked_weight",
    "viscera_weight",
    "shell_weight",
)
PREDICTION = "predicted_rings"
SUFFIX = ".out"

# What is added to the rows before their shares are taken: rows like the training rows. Without
# them an empty bin of a small batch would weigh as if nothing of its kind existed.
PRIOR_ROWS = 10
# A share below which the index takes none: it has the logarithm of a quotient of shares.
LEAST_SHARE = 1e-4
CHANCE = 0.001
FAULTS_SHOWN = 8
MESSAGE_BYTES = 1024  # what the service keeps of an exit message


class BadInputError(Exception):
    """The predictions cannot be used. One line a fault, for the person on call."""

    def __init__(self, faults: Sequence[str]) -> None:
        shown = list(faults[:FAULTS_SHOWN])
        if len(faults) > len(shown):
            shown.append(f"... and {len(faults) - len(shown)} more")
        super().__init__("\n".join(shown))


@dataclass(frozen=True)
class Limits:
    """What predictions must keep to."""

    lowest: float = 0.0
    """Rings, this many at least."""
    highest: float = 50.0
    """Rings, this many at most."""
    missing: float = 0.0
    """The largest share of the rows that may be without a prediction."""


# Joining: text in, text out.


def join(
    rows: Mapping[str, Sequence[list[str]]], predictions: Mapping[str, Sequence[str]]
) -> list[list[str]]:
    """Every row with its prediction behind it, file by file in the order of their names.

    Raises BadInputError with every file that has no counterpart, or another number of lines.
    """
    if faults := list(unequal(rows, predictions)):
        raise BadInputError(faults)
    return [
        [*row, prediction]
        for name in sorted(rows)
        for row, prediction in zip(rows[name], predictions[name], strict=True)
    ]


def unequal(
    rows: Mapping[str, Sequence[list[str]]], predictions: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    for name in sorted({*rows, *predictions}):
        if name not in predictions:
            yield f"{name}: {len(rows[name])} rows, but there are no predictions of that file"
        elif name not in rows:
            yield f"{name}: {len(predictions[name])} predictions, but no file of rows has that name"
        elif len(rows[name]) != len(predictions[name]):
            yield f"{name}: {len(rows[name])} rows, but {len(predictions[name])} predictions"


# Checking.


def checked(predictions: Mapping[str, Sequence[str]], limits: Limits) -> list[float]:
    """The predictions of every file, in the order of their names, as numbers, NaN where one is
    missing. Raises BadInputError with every fault.
    """
    texts = {
        f"{name}: row {row}": text
        for name in sorted(predictions)
        for row, text in enumerate(predictions[name], start=1)
    }
    values = {place: number_of(text) for place, text in texts.items()}
    if faults := list(faults_of(texts, values, limits)):
        raise BadInputError(faults)
    return [value for value in values.values() if value is not None]


def number_of(text: str) -> float | None:
    """A cell's number, NaN of an empty one; None if it is no number."""
    try:
        return float(text) if text.strip() else math.nan
    except ValueError:
        return None


def faults_of(
    predictions: Mapping[str, str], values: Mapping[str, float | None], limits: Limits
) -> Iterator[str]:
    if not values:
        yield "there are no predictions: the batch has no rows"
        return
    empty = [value for value in values.values() if value is not None and math.isnan(value)]
    missing = len(empty) / len(values)
    if missing > limits.missing:
        yield (
            f"{missing:.1%} of the {len(values)} predictions are missing,"
            f" {limits.missing:.1%} at most may be"
        )
    for place, value in values.items():
        if value is None:
            yield f"{place}: the prediction {predictions[place]!r} is no number"
        elif value < limits.lowest or value > limits.highest:  # NaN is neither
            yield (
                f"{place}: {value:g} rings are predicted,"
                f" they must lie from {limits.lowest:g} to {limits.highest:g}"
            )


# Drift: shares in, an index out.


def stability_index(expected: Sequence[float], counts: Sequence[int]) -> float:
    """The population stability index of rows counted by bins, against the bins' expected shares.

    0 where the shares are the same, never negative; above 0.1 is commonly called a small change,
    above 0.25 a large one.
    """
    shares = np.asarray(expected, dtype=float)
    total = sum(counts) + PRIOR_ROWS
    found = (np.asarray(counts, dtype=float) + PRIOR_ROWS * shares) / total
    shares, found = np.maximum(shares, LEAST_SHARE), np.maximum(found, LEAST_SHARE)
    return float(np.sum((found - shares) * np.log(found / shares)))


def noise(bins: int, rows: int, training_rows: int) -> float:
    """What the index of rows that have not drifted stays below, but for one case in a thousand.

    Divided by (1/rows + 1/training rows) it follows a chi-squared distribution with bins - 1
    degrees of freedom (B. Yurdakul, Statistical Properties of Population Stability Index, 2018).
    """
    return float(chdtri(max(bins - 1, 1), CHANCE)) * (1 / rows + 1 / training_rows)


def counted(column: Mapping[str, Any], cells: Sequence[str]) -> tuple[list[int], int, int]:
    """How many cells fall into each bin of a baseline's column; how many are empty; how many have
    no bin.
    """
    place = in_category if column["kind"] == "category" else in_bin
    found = Counter(place(column, cell) if cell else "missing" for cell in cells)
    return [found[bin_] for bin_ in range(len(column["shares"]))], found["missing"], found["unseen"]


def in_category(column: Mapping[str, Any], cell: str) -> int | str:
    categories = column["categories"]
    return categories.index(cell) if cell in categories else "unseen"


def in_bin(column: Mapping[str, Any], cell: str) -> int | str:
    """Bins end with their edge: up to and with the first, ..., above the last."""
    value = number_of(cell)
    if value is None or math.isnan(value):
        return "unseen"
    return int(np.searchsorted(column["edges"], value, side="left"))


def drift(baseline: Mapping[str, Any], rows: Sequence[Sequence[str]]) -> dict[str, dict[str, Any]]:
    """How far each feature of the rows is from the training rows; at least one row."""
    return {
        name: drift_of(baseline["columns"][name], baseline["rows"], [row[place] for row in rows])
        for place, name in enumerate(FEATURES)
    }


def drift_of(
    column: Mapping[str, Any], training_rows: int, cells: Sequence[str]
) -> dict[str, float]:
    counts, missing, unseen = counted(column, cells)
    expected = [*column["shares"], column["missing"], 0.0]
    bins = sum(share > 0 for share in expected)
    return {
        "psi": stability_index(expected, [*counts, missing, unseen]),
        "noise": noise(bins, len(cells), training_rows),
        "missing": missing / len(cells),
        "unseen": unseen / len(cells),
    }


# Reading and writing.


def files_below(directory: Path) -> dict[str, Path]:
    """Every file but hidden ones, by its path there."""
    paths = (path for path in directory.rglob("*") if path.is_file())
    names = {path.relative_to(directory).as_posix(): path for path in paths}
    return {name: path for name, path in names.items() if not Path(name).name.startswith(".")}


def read_rows(directory: Path) -> dict[str, list[list[str]]]:
    """The cells of every file of rows. The preparation has found no fault in them; blank lines,
    which it passes over, are left out.
    """
    found = {}
    for name, path in files_below(directory).items():
        with path.open(newline="", encoding="utf-8-sig") as file:
            found[name] = [row for row in csv.reader(file, strict=True) if row]
    return found


def read_predictions(directory: Path) -> dict[str, list[str]]:
    """The lines of every file of predictions, by the name of the file of rows."""
    return {
        name.removesuffix(SUFFIX): path.read_text(encoding="utf-8").splitlines()
        for name, path in files_below(directory).items()
    }


def read_baseline(path: Path) -> dict[str, Any]:
    """How the training rows were distributed. Raises BadInputError if that is not there."""
    try:
        baseline: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        absent = sorted(set(FEATURES) - set(baseline["columns"]))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadInputError([f"{path}: no baseline of a training can be read there"]) from error
    if absent:
        raise BadInputError([f"{path}: the baseline lacks {', '.join(absent)}"])
    return baseline


def score(root: Path, landed: datetime, limits: Limits) -> dict[str, Any]:
    """Join, check, measure; then write. Returns what quality.json says."""
    predictions = read_predictions(root / PREDICTIONS)
    joined = join(read_rows(root / ROWS), predictions)
    values = checked(predictions, limits)
    quality = {
        "landed": landed.isoformat(),
        "rows": len(joined),
        "predictions": summary(values),
        "drift": drift(read_baseline(root / BASELINE), joined),
    }
    write(root, joined, quality)
    return quality


def summary(values: Sequence[float]) -> dict[str, Any]:
    """The range of the predictions; of none at all it has no value, as JSON has no NaN."""
    present = np.array([value for value in values if not math.isnan(value)])
    facts: dict[str, Any] = {"missing": len(values) - len(present)}
    if len(present):
        facts |= {"minimum": float(present.min()), "maximum": float(present.max())}
        facts |= {"mean": float(present.mean())}
    return facts


def write(root: Path, joined: Sequence[Sequence[str]], quality: Mapping[str, Any]) -> None:
    (root / SCORED).parent.mkdir(parents=True, exist_ok=True)
    with (root / SCORED).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*FEATURES, PREDICTION])
        writer.writerows(joined)
    (root / QUALITY).write_text(json.dumps(quality, indent=2) + "\n", encoding="utf-8")


# The job.


def main(arguments: list[str] | None = None) -> str | None:
    """The job; what it returns is what `sys.exit` takes: None, or a message and status 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--landed", type=datetime.fromisoformat, required=True, help="when the rows landed"
    )
    parser.add_argument("--lowest", type=float, default=Limits.lowest, help="rings, at least")
    parser.add_argument("--highest", type=float, default=Limits.highest, help="rings, at most")
    parser.add_argument(
        "--missing", type=float, default=Limits.missing, help="share of predictions, at most"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help=f"instead of {ROOT}")
    options = parser.parse_args(arguments)
    try:
        limits = Limits(options.lowest, options.highest, options.missing)
        quality = score(options.root, options.landed, limits)
    except BadInputError as error:
        return refuse(options.root, str(error))
    print(f"{quality['rows']} rows scored: {json.dumps(quality['predictions'])}")
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
