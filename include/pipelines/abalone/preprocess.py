"""Raw abalone rows to what the model reads: impute, scale, one-hot, split. Runs in a container.

A SageMaker processing job runs this file alone, in the scikit-learn image, so it imports nothing
of ours. It has two modes, so that training and scoring prepare their rows by the same lines. It
reads and writes below /opt/ml (another root for tests and by hand: `--root`).

`--mode train` (the default) fits the preprocessor and splits the rows:

    processing/input/raw/      labelled rows: CSV, no header, nine values a row (`COLUMNS`), as the
                               UCI original has them. An empty cell is a missing value. Files in a
                               folder that a date names (2026-11-01/abalone.csv) are a partition;
                               with `--until DATE` later partitions are passed over.
    processing/input/batch/    rows to score: the same without the last value. Optional. Of dated
                               folders only the newest one not later than `--until` is read (the
                               oldest one, if all are later).
    processing/train/train.csv, validation/validation.csv, test/test.csv
                               label first, no header, as SageMaker's built-in XGBoost wants it
    processing/raw_test/test.csv
                               the rows of test/test.csv as they were, nine values each, so that
                               another model with another preprocessor can be measured on them
    processing/preprocessor/preprocessor.joblib
                               what was fitted on the training rows: a scikit-learn transformer
    processing/baseline/baseline.json
                               how the training rows are distributed (see below)
    processing/report/report.json
                               {"data_until": "2026-11-03", the last partition's date, "undated"
                               where no file lies in a dated folder; "partitions": {"first", "last",
                               "count"}; "rows", "train_rows", "validation_rows", "test_rows"}
    processing/batch/<name>    each batch file, transformed by it: no label, same order of rows

`--mode inference` transforms rows with a preprocessor that an earlier run has fitted:

    processing/input/preprocessor/preprocessor.joblib
    processing/input/batch/    rows to score; with `--labelled` they have nine values
    processing/batch/<name>    each file, transformed: no label, or with `--labelled` the label
                               first (what evaluate.py reads)
    processing/rows/<name>     each file as it was read: what a prediction is joined to, even if
                               newer rows have taken the place of these

baseline.json is what a population stability index compares new rows with:

    {"rows": 2932,             training rows
     "label": "rings",
     "columns": {
       "sex":    {"kind": "category", "categories": ["F", "I", "M"], "shares": [.31, .32, .37],
                  "missing": 0.0},
       "length": {"kind": "number", "edges": [.36, ...], "shares": [.1, ...], "missing": 0.0}}}

`columns` has every feature and the label, in the order of `COLUMNS`. `shares` are of all rows, so
that shares and `missing` (empty cells) add up to 1. Edges ascend; n edges make n + 1 bins: up to
and with the first edge, above it up to and with the second, ..., above the last. (They are the
training rows' deciles; equal deciles are one edge.)

Bad data ends the job with status 1 and a message that names file, row and column. The service
shows it as the job's ExitMessage.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import math
import pickle
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import joblib  # type: ignore[import-untyped]  # it ships no types
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

ROOT = Path("/opt/ml")
RAW = Path("processing/input/raw")
BATCH_INPUT = Path("processing/input/batch")
PREPROCESSOR_INPUT = Path("processing/input/preprocessor/preprocessor.joblib")
TRAIN = Path("processing/train/train.csv")
VALIDATION = Path("processing/validation/validation.csv")
TEST = Path("processing/test/test.csv")
RAW_TEST = Path("processing/raw_test/test.csv")
PREPROCESSOR = Path("processing/preprocessor/preprocessor.joblib")
BASELINE = Path("processing/baseline/baseline.json")
REPORT = Path("processing/report/report.json")
BATCH_OUTPUT = Path("processing/batch")
ROWS_OUTPUT = Path("processing/rows")
RESOURCES = Path("config/resourceconfig.json")
MESSAGE = Path("output/message")

CATEGORY = "sex"
CATEGORIES = ("F", "I", "M")  # female, infant, male
NUMBERS = (
    "length",
    "diameter",
    "height",
    "whole_weight",
    "shucked_weight",
    "viscera_weight",
    "shell_weight",
)
LABEL = "rings"
FEATURES = (CATEGORY, *NUMBERS)
COLUMNS = (*FEATURES, LABEL)


class Range(NamedTuple):
    """What a number may be: above `above` (or `least` and more), and `most` at most."""

    most: float
    least: float | None = None
    above: float = 0

    def holds(self, values: pd.Series[float]) -> pd.Series[bool]:
        low = values > self.above if self.least is None else values >= self.least
        return low & (values <= self.most)

    def __str__(self) -> str:
        low = f"above {self.above:g}" if self.least is None else f"{self.least:g} at least"
        return f"{low}, {self.most:g} at most"


# Lengths are in units of 200 mm, weights in units of 200 g. The largest of the UCI's 4,177 shells
# is 0.815 long and weighs 2.8255; two of them are so flat that their height was written down as 0.
# Twice the size of the largest abalone ever found is a slip of the pen.
RANGES: Mapping[str, Range] = {
    "length": Range(3),
    "diameter": Range(3),
    "height": Range(3, least=0),
    "whole_weight": Range(50),
    "shucked_weight": Range(50),
    "viscera_weight": Range(50),
    "shell_weight": Range(50),
    LABEL: Range(100, least=1),
}

PARTS = {"train": 0.70, "validation": 0.85, "test": 1.0}
"""Each part of the split, and where in 0 to 1 it ends."""

BINS = 10
UNDATED = "undated"
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
FAULTS_SHOWN = 8
CELL_SHOWN = 40
MESSAGE_BYTES = 1024  # what the service keeps of an exit message


class BadInputError(Exception):
    """The data cannot be used. One line a fault, for the person who sent the data."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        shown = faults[:FAULTS_SHOWN]
        if len(faults) > len(shown):
            shown.append(f"... and {len(faults) - len(shown)} more")
        super().__init__("\n".join(shown))


# Reading: text to a typed table, or every fault of it.


def parse(content: bytes, columns: Sequence[str]) -> dict[int, list[str]]:
    """The cells of a CSV file, by the line that each row ends on; blank lines are left out."""
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        lines = ((row, reader.line_num) for row in reader)
        rows = {line: row for row, line in lines if row}
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadInputError([f"this is no CSV text in UTF-8 ({error})"]) from error
    if not rows:
        names = ", ".join(columns)
        raise BadInputError(
            [f"the file is empty; rows of {len(columns)} values are expected: {names}"]
        )
    return rows


def header_line(rows: Mapping[int, list[str]], columns: Sequence[str]) -> int | None:
    """The line of a header, if the first row is one."""
    line, first = next(iter(rows.items()))
    return line if first[0].strip().lower() == columns[0] else None


def no_header(line: int) -> str:
    return f"row {line}: a header; data rows are expected"


def examine(
    rows: Mapping[int, list[str]], columns: Sequence[str]
) -> tuple[pd.DataFrame, dict[int, list[str]]]:
    """The good rows as typed columns by their lines, NaN where a feature is missing; and every
    fault of the others by line."""
    names = ", ".join(columns)
    faults = {
        line: [f"row {line}: {len(row)} values, {len(columns)} are expected: {names}"]
        for line, row in rows.items()
        if len(row) != len(columns)
    }
    whole = {line: row for line, row in rows.items() if line not in faults}
    cells = pd.DataFrame(
        list(whole.values()), columns=list(columns), index=list(whole), dtype=object
    )
    table = cells.drop(columns=CATEGORY).map(number).astype(float)
    table.insert(0, CATEGORY, cells[CATEGORY].replace("", np.nan))
    bad = pd.DataFrame({column: ~good(table[column], cells[column]) for column in columns})
    for row, column in np.argwhere(bad.to_numpy(dtype=bool)):
        line, name = cells.index[row], columns[column]
        why = f"row {line}, column '{name}': {reason(name, cells.iat[row, column])}"
        faults.setdefault(line, []).append(why)
    for line in cells.index[(cells[list(FEATURES)] == "").all(axis=1)]:
        faults.setdefault(line, []).append(f"row {line}: every feature is empty")
    return table.drop(index=[line for line in faults if line in whole]), faults


def number(cell: str) -> float:
    """Exactly the number that is written there, or NaN. (pandas' readers may miss it by a bit, and
    a row's digest, so its part of the split, depends on every bit.)"""
    try:
        return float(cell) if "_" not in cell else math.nan
    except ValueError:
        return math.nan


def good(values: pd.Series[Any], cells: pd.Series[str]) -> pd.Series[bool]:
    """Which values of a column can be used; `cells` is the text that they were read from."""
    name = values.name
    right = values.isin(CATEGORIES) if name == CATEGORY else RANGES[str(name)].holds(values)
    return right if name == LABEL else right | (cells == "")


def reason(column: str, cell: str) -> str:
    # Cut: a message shall stay one that people read.
    shown = cell if len(cell) <= CELL_SHOWN else f"{cell[:CELL_SHOWN]}..."
    if column == CATEGORY:
        return f"{shown!r} is none of {', '.join(CATEGORIES)}"
    if not cell:
        return "empty, but every row needs its label"
    if math.isfinite(number(cell)):
        return f"{shown} lies out of range ({RANGES[column]})"
    return f"{shown!r} is no number"


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """One CSV file as typed columns, NaN where a feature is missing."""
    rows = parse(path.read_bytes(), columns)
    if (line := header_line(rows, columns)) is not None:
        raise BadInputError([no_header(line)])
    table, faults = examine(rows, columns)
    if faults:
        raise BadInputError([fault for line in sorted(faults) for fault in faults[line]])
    return table


Choice = Callable[[list[Path]], list[Path]]


def files_below(directory: Path) -> list[Path]:
    """Every file but hidden ones, by its path there, in the paths' order."""
    names = sorted(path.relative_to(directory) for path in directory.rglob("*"))
    return [
        name for name in names if not name.name.startswith(".") and (directory / name).is_file()
    ]


def read_tables(
    directory: Path, columns: Sequence[str], choose: Choice = list
) -> dict[Path, pd.DataFrame]:
    """The chosen ones of the files below `directory` (all of them), by their paths there."""
    names = files_below(directory)
    if not names:
        raise BadInputError(
            [f"{directory} holds no file; does the S3 address name the right prefix?"]
        )
    chosen = choose(names)
    if not chosen:
        first = min(map(partition_of, names))
        raise BadInputError([f"{directory} holds no rows of that time: they begin at {first}"])
    tables: dict[Path, pd.DataFrame] = {}
    faults: list[str] = []
    for name in chosen:
        try:
            tables[name] = read_table(directory / name, columns)
        except BadInputError as error:
            faults.extend(f"{name}: {fault}" for fault in error.faults)
    if faults:
        raise BadInputError(faults)
    return tables


# Partitions: files in a folder that a date names.


def partition_of(name: Path) -> str:
    """The date of the folder that a file lies in, or nothing."""
    return next((part for part in name.parts[:-1] if is_date(part)), "")


def is_date(text: str) -> bool:
    try:
        return bool(DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def history(until: str) -> Choice:
    """The undated files and the partitions up to a date; without one, all."""
    return lambda names: [name for name in names if not until or partition_of(name) <= until]


def batch_at(until: str) -> Choice:
    """The undated files, and the batch of a date: the newest partition not later than it.

    If all are later, the oldest: labelled history may begin before the first batch.
    """

    def choose(names: list[Path]) -> list[Path]:
        dates = sorted({partition_of(name) for name in names} - {""})
        early = [day for day in dates if not until or day <= until]
        day = early[-1] if early else next(iter(dates), "")
        return [name for name in names if partition_of(name) in ("", day)]

    return choose


# Preparing: values in, values out.


def split(table: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """Training, validation and test rows, about 70/15/15.

    A row's part follows from the seed and its own values alone. So it keeps its part as rows join
    it: else a model of last month would have learnt what this month's is tested on. And equal rows
    share a part.
    """
    places = np.array([place_of(row, seed) for row in table.to_numpy(dtype=object).tolist()])
    numbers = np.searchsorted(list(PARTS.values()), places, side="right")
    parts = {name: table[numbers == number] for number, name in enumerate(PARTS)}
    if not all(map(len, parts.values())):
        raise BadInputError(
            [f"{len(table)} rows are too few: train, validation, test each need some"]
        )
    return parts


def place_of(row: Sequence[Any], seed: int) -> float:
    """Where between 0 and 1 a row stands: by its digest, the same in every container and here."""
    digest = hashlib.sha256(json.dumps([seed, *row]).encode()).digest()
    # 53 bits: a float holds them exactly, and none of them makes 1.
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def fit(train: pd.DataFrame) -> ColumnTransformer:
    """The transformer of features, fitted on training rows alone: test rows must stay unseen."""
    empty = [column for column in FEATURES if train[column].isna().all()]
    if empty:
        raise BadInputError([f"column '{column}': empty in every training row" for column in empty])
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    categories = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        # The categories are given, so that the columns do not depend on which rows were drawn.
        OneHotEncoder(categories=[list(CATEGORIES)]),
    )
    transformer = ColumnTransformer(
        [("numbers", numbers, list(NUMBERS)), ("categories", categories, [CATEGORY])],
        sparse_threshold=0,
    )
    return transformer.fit(train[list(FEATURES)])


def labelled(preprocessor: ColumnTransformer, table: pd.DataFrame) -> np.ndarray:
    """The label, then the transformed features: the layout of built-in XGBoost's CSV."""
    return np.column_stack([table[LABEL], preprocessor.transform(table[list(FEATURES)])])


def baseline(train: pd.DataFrame) -> dict[str, Any]:
    """How the training rows are distributed, column by column (the layout: see above)."""
    columns = {name: distribution(train[name]) for name in COLUMNS}
    return {"rows": len(train), "label": LABEL, "columns": columns}


def distribution(values: pd.Series[Any]) -> dict[str, Any]:
    there = values.dropna()
    missing = 1 - len(there) / len(values)
    if values.name == CATEGORY:
        shares = [float((values == category).mean()) for category in CATEGORIES]
        kind: dict[str, Any] = {"kind": "category", "categories": list(CATEGORIES)}
    else:
        edges = np.unique(np.quantile(there, np.arange(1, BINS) / BINS))
        # side="left": a value that equals an edge belongs to the bin below it.
        bins = np.searchsorted(edges, there, side="left")
        shares = (np.bincount(bins, minlength=len(edges) + 1) / len(values)).tolist()
        kind = {"kind": "number", "edges": edges.tolist()}
    return {**kind, "shares": shares, "missing": missing}


def report(names: Iterable[Path], parts: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """What was read and what became of it (the layout: see above)."""
    dates = sorted({partition_of(name) for name in names} - {""})
    first, last = (dates[0], dates[-1]) if dates else (UNDATED, UNDATED)
    return {
        "data_until": last,
        "partitions": {"first": first, "last": last, "count": len(dates)},
        "rows": sum(map(len, parts.values())),
        **{f"{name}_rows": len(part) for name, part in parts.items()},
    }


# The job.


def write_csv(path: Path, rows: np.ndarray | pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(path, header=False, index=False)
    print(f"{path}: {len(rows)} rows")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def prepare_training_data(root: Path, seed: int, until: str = "") -> ColumnTransformer:
    """Raw rows to the three data sets and the fitted preprocessor."""
    tables = read_tables(root / RAW, COLUMNS, history(until))
    parts = split(pd.concat(tables.values(), ignore_index=True), seed)
    preprocessor = fit(parts["train"])
    for name, path in (("train", TRAIN), ("validation", VALIDATION), ("test", TEST)):
        write_csv(root / path, labelled(preprocessor, parts[name]))
    write_csv(root / RAW_TEST, parts["test"])
    write_json(root / BASELINE, baseline(parts["train"]))
    write_json(root / REPORT, report(tables, parts))
    (root / PREPROCESSOR).parent.mkdir(parents=True, exist_ok=True)
    joblib.dump(preprocessor, root / PREPROCESSOR)
    return preprocessor


def prepare_batch(root: Path, preprocessor: ColumnTransformer, until: str = "") -> None:
    """Each file of rows to score, transformed under its own name, row for row."""
    for name, table in read_tables(root / BATCH_INPUT, FEATURES, batch_at(until)).items():
        write_csv(root / BATCH_OUTPUT / name, preprocessor.transform(table))


def train(root: Path, seed: int, until: str) -> None:
    """`--mode train`."""
    if until and not is_date(until):
        raise BadInputError([f"--until {until}: this is no date; write it as YYYY-MM-DD"])
    preprocessor = prepare_training_data(root, seed, until)
    if (root / BATCH_INPUT).exists():
        prepare_batch(root, preprocessor, until)


def infer(root: Path, with_labels: bool) -> None:
    """`--mode inference`."""
    preprocessor = load_preprocessor(root / PREPROCESSOR_INPUT)
    columns = COLUMNS if with_labels else FEATURES
    for name, table in read_tables(root / BATCH_INPUT, columns).items():
        rows = labelled(preprocessor, table) if with_labels else preprocessor.transform(table)
        write_csv(root / BATCH_OUTPUT / name, rows)
        (root / ROWS_OUTPUT / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / BATCH_INPUT / name, root / ROWS_OUTPUT / name)


def load_preprocessor(path: Path) -> ColumnTransformer:
    """What an earlier run of this script has kept. Loading runs its code: it is our own file."""
    if not path.is_file():
        raise BadInputError([f"{path}: there is no preprocessor; which run's shall it be?"])
    try:
        kept = joblib.load(path)
    # What joblib and unpickling raise for a file that is not theirs, or not whole.
    except (
        pickle.UnpicklingError,
        AttributeError,
        EOFError,
        ImportError,
        IndexError,
        KeyError,
        ValueError,
    ) as error:
        raise BadInputError([f"{path}: no preprocessor can be read there ({error})"]) from error
    if not isinstance(kept, ColumnTransformer):
        raise BadInputError([f"{path}: this is no preprocessor, but a {type(kept).__name__}"])
    return kept


def writes_outputs(root: Path) -> bool:
    """Whether this host does the work: all hosts see all rows, and upload to one prefix."""
    resources = root / RESOURCES
    if not resources.exists():  # run by hand
        return True
    cluster = json.loads(resources.read_text())
    return bool(cluster["current_host"] == min(cluster["hosts"]))


def main(arguments: list[str] | None = None) -> str | None:
    """The job; what it returns is what `sys.exit` takes: None, or a message and status 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mode", choices=("train", "inference"), default="train")
    parser.add_argument("--seed", type=int, default=0, help="of the split; 0 by default")
    parser.add_argument("--until", default="", help="the last date whose rows count (train)")
    parser.add_argument("--labelled", action="store_true", help="rows have labels (inference)")
    parser.add_argument("--root", type=Path, default=ROOT, help=f"instead of {ROOT}")
    options = parser.parse_args(arguments)
    if not writes_outputs(options.root):
        print("Another host of this job prepares the data.")
        return None
    try:
        if options.mode == "train":
            train(options.root, options.seed, options.until)
        else:
            infer(options.root, options.labelled)
    except BadInputError as error:
        return refuse(options.root, str(error))
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
