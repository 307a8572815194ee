"""Raw abalone rows to training data: impute, scale, one-hot encode, split. Runs in a container.

A SageMaker processing job runs this file alone, in the scikit-learn image, so it imports nothing
of ours. It reads and writes below /opt/ml (another root for tests and by hand: `--root`):

    processing/input/raw/      labelled rows: CSV, no header, nine values a row (`COLUMNS`), as the
                               UCI original has them. An empty cell is a missing value.
    processing/input/batch/    rows to score: the same without the last value. Optional.
    processing/train/train.csv, validation/validation.csv, test/test.csv
                               label first, no header, as SageMaker's built-in XGBoost wants it
    processing/preprocessor/preprocessor.joblib
                               what was fitted on the training rows: a scikit-learn transformer
    processing/batch/<name>    each batch file, transformed by it: no label, same order of rows

Bad data ends the job with status 1 and a message that names file, row and column. The service
shows it as the job's ExitMessage.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path

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
TRAIN = Path("processing/train/train.csv")
VALIDATION = Path("processing/validation/validation.csv")
TEST = Path("processing/test/test.csv")
PREPROCESSOR = Path("processing/preprocessor/preprocessor.joblib")
BATCH_OUTPUT = Path("processing/batch")
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

SPLIT = (0.70, 0.85)  # where training rows end, where validation rows end
FAULTS_SHOWN = 8
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


def read_rows(path: Path) -> dict[int, list[str]]:
    """The cells of one CSV file, by the line that each row ends on; blank lines are left out."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            lines = ((row, reader.line_num) for row in reader)
            return {line: row for row, line in lines if row}
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadInputError([f"this is no CSV text in UTF-8 ({error})"]) from error


def read_cells(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """The same as a table of text with named columns."""
    rows = read_rows(path)
    names = ", ".join(columns)
    if not rows:
        raise BadInputError(
            [f"the file is empty; rows of {len(columns)} values are expected: {names}"]
        )
    first_line, first = next(iter(rows.items()))
    if first[0].strip().lower() == columns[0]:
        raise BadInputError([f"row {first_line}: a header; data rows are expected"])
    faults = [
        f"row {line}: {len(row)} values, {len(columns)} are expected: {names}"
        for line, row in rows.items()
        if len(row) != len(columns)
    ]
    if faults:
        raise BadInputError(faults)
    return pd.DataFrame(list(rows.values()), columns=list(columns), index=list(rows), dtype=object)


def reason(column: str, cell: str) -> str:
    if column == CATEGORY:
        return f"{cell!r} is none of {', '.join(CATEGORIES)}"
    return f"{cell!r} is no number" if cell else "empty, but every row needs its label"


def read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """One CSV file as typed columns, NaN where a feature is missing."""
    cells = read_cells(path, columns)
    numbers = cells.drop(columns=CATEGORY).apply(pd.to_numeric, errors="coerce").astype(float)
    bad = ~np.isfinite(numbers) & (cells[numbers.columns] != "")
    if LABEL in bad:
        bad[LABEL] |= cells[LABEL] == ""
    bad.insert(0, CATEGORY, ~cells[CATEGORY].isin((*CATEGORIES, "")))
    faults = [
        f"row {cells.index[row]}, column '{columns[column]}': "
        + reason(columns[column], cells.iat[row, column])
        for row, column in np.argwhere(bad.to_numpy())
    ]
    if faults:
        raise BadInputError(faults)
    numbers.insert(0, CATEGORY, cells[CATEGORY].replace("", np.nan))
    return numbers


def read_tables(directory: Path, columns: tuple[str, ...]) -> dict[Path, pd.DataFrame]:
    """Every file below `directory` but hidden ones, by its path there, in the paths' order."""
    tables: dict[Path, pd.DataFrame] = {}
    faults: list[str] = []
    for name in sorted(path.relative_to(directory) for path in directory.rglob("*")):
        if name.name.startswith(".") or not (directory / name).is_file():
            continue
        try:
            tables[name] = read_table(directory / name, columns)
        except BadInputError as error:
            faults.extend(f"{name}: {fault}" for fault in error.faults)
    if not tables and not faults:
        faults.append(f"{directory} holds no file; does the S3 address name the right prefix?")
    if faults:
        raise BadInputError(faults)
    return tables


# Preparing: values in, values out.


def split(table: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Training, validation and test rows, 70/15/15, the same for the same rows and seed."""
    if not 0 <= seed < 2**32:
        raise BadInputError([f"the split's seed is {seed}; it must lie from 0 to {2**32 - 1}"])
    # RandomState, not default_rng: numpy has frozen its stream, so that one seed is one split in
    # every container and here.
    order = np.random.RandomState(seed).permutation(len(table))
    ends = [int(share * len(table)) for share in SPLIT]
    train, validation, test = (table.iloc[rows] for rows in np.split(order, ends))
    if not (len(train) and len(validation) and len(test)):
        raise BadInputError(
            [f"{len(table)} rows are too few: train, validation, test each need some"]
        )
    return train, validation, test


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


# The job.


def write_csv(path: Path, rows: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(path, header=False, index=False)
    print(f"{path}: {len(rows)} rows")


def prepare_training_data(root: Path, seed: int) -> ColumnTransformer:
    """Raw rows to the three data sets and the fitted preprocessor."""
    table = pd.concat(read_tables(root / RAW, COLUMNS).values(), ignore_index=True)
    parts = split(table, seed)
    preprocessor = fit(parts[0])
    for path, part in zip((TRAIN, VALIDATION, TEST), parts, strict=True):
        write_csv(root / path, labelled(preprocessor, part))
    (root / PREPROCESSOR).parent.mkdir(parents=True, exist_ok=True)
    joblib.dump(preprocessor, root / PREPROCESSOR)
    return preprocessor


def prepare_batch(root: Path, preprocessor: ColumnTransformer) -> None:
    """Each file of rows to score, transformed under its own name, row for row."""
    for name, table in read_tables(root / BATCH_INPUT, FEATURES).items():
        write_csv(root / BATCH_OUTPUT / name, preprocessor.transform(table))


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
    parser.add_argument("--seed", type=int, default=0, help="of the split; 0 by default")
    parser.add_argument("--root", type=Path, default=ROOT, help=f"instead of {ROOT}")
    options = parser.parse_args(arguments)
    if not writes_outputs(options.root):
        print("Another host of this job prepares the data.")
        return None
    try:
        preprocessor = prepare_training_data(options.root, options.seed)
        if (options.root / BATCH_INPUT).exists():
            prepare_batch(options.root, preprocessor)
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
