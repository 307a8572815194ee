"""Raw iris rows to training and test rows: check them, then split them. Runs in a container.

A SageMaker processing job runs this file alone, in the scikit-learn image, so it imports nothing
of ours. It reads and writes below /opt/ml (another root for tests and by hand: `--root`):

    processing/input/raw/      labelled rows: CSV files, each with a header that names `COLUMNS`,
                               in whatever order. Lengths and widths are in cm.
    processing/train/train.csv, test/test.csv
                               the values of a row in the order of `COLUMNS`: the label first, no
                               header, as most of SageMaker wants it

Each class has the same share of both parts. Bad data ends the job with status 1 and a message
that names file, row and column. The service shows it as the job's ExitMessage.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split

ROOT = Path("/opt/ml")
RAW = Path("processing/input/raw")
TRAIN = Path("processing/train/train.csv")
TEST = Path("processing/test/test.csv")
MESSAGE = Path("output/message")

FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
LABEL = "species"
COLUMNS = (LABEL, *FEATURES)
CLASSES = ("setosa", "versicolor", "virginica")

TEST_SHARE = 0.3
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


def read_table(path: Path) -> pd.DataFrame:
    """One CSV file as typed columns, in the order of `COLUMNS`."""
    rows = read_rows(path)
    if len(rows) < 2:
        raise BadInputError([f"no rows; a header is expected, then rows: {', '.join(COLUMNS)}"])
    (first, *lines) = rows
    header = [name.strip() for name in rows[first]]
    faults = list(header_faults(first, header))
    if not faults:
        faults = [fault for line in lines for fault in row_faults(line, rows[line], header)]
    if faults:
        raise BadInputError(faults)
    table = pd.DataFrame([rows[line] for line in lines], columns=header)
    return table[list(COLUMNS)].astype(dict.fromkeys(FEATURES, float))


def header_faults(line: int, header: list[str]) -> Iterator[str]:
    """What of a header is not as it should be, by column."""
    for name in dict.fromkeys((*COLUMNS, *header)):
        found = header.count(name)
        if name not in COLUMNS:
            yield f"row {line}, column '{name}': unknown; known are {', '.join(COLUMNS)}"
        elif found != 1:
            yield f"row {line}, column '{name}': " + ("twice" if found else "missing in the header")


def row_faults(line: int, cells: list[str], header: list[str]) -> Iterator[str]:
    if len(cells) != len(header):
        yield f"row {line}: {len(cells)} values, {len(header)} are expected: {', '.join(header)}"
        return
    for name, cell in zip(header, cells, strict=True):
        if name == LABEL and cell not in CLASSES:
            yield f"row {line}, column '{name}': {cell!r} is none of {', '.join(CLASSES)}"
        elif name != LABEL and not is_measure(cell):
            yield f"row {line}, column '{name}': {cell!r} is no number above 0"


def is_measure(cell: str) -> bool:
    try:
        # Python takes 1_0 for 10; in data it is a slip.
        return "_" not in cell and 0 < float(cell) < math.inf
    except ValueError:
        return False


def read_tables(directory: Path) -> pd.DataFrame:
    """The rows of every file below `directory` but hidden ones, in the order of their paths."""
    tables: list[pd.DataFrame] = []
    faults: list[str] = []
    for name in sorted(path.relative_to(directory) for path in directory.rglob("*")):
        if name.name.startswith(".") or not (directory / name).is_file():
            continue
        try:
            tables.append(read_table(directory / name))
        except BadInputError as error:
            faults.extend(f"{name}: {fault}" for fault in error.faults)
    if not tables and not faults:
        faults.append(f"{directory} holds no file; does the S3 address name the right prefix?")
    if faults:
        raise BadInputError(faults)
    return pd.concat(tables, ignore_index=True)


# Splitting: values in, values out.


def split(
    table: pd.DataFrame, test_share: float, random_state: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and test rows, the same for the same rows and state."""
    try:
        train, test = train_test_split(
            table, test_size=test_share, random_state=random_state, stratify=table[LABEL]
        )
    except ValueError as error:  # a share or state out of range, or too few rows of a class
        raise BadInputError([f"{len(table)} rows cannot be split: {error}"]) from error
    return train, test


# The job.


def write_csv(path: Path, rows: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.to_csv(path, header=False, index=False)
    print(f"{path}: {len(rows)} rows")


def prepare(root: Path, test_share: float, random_state: int) -> None:
    parts = split(read_tables(root / RAW), test_share, random_state)
    for path, part in zip((TRAIN, TEST), parts, strict=True):
        write_csv(root / path, part)


def main(arguments: list[str] | None = None) -> str | None:
    """The job; what it returns is what `sys.exit` takes: None, or a message and status 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--test-share", type=float, default=TEST_SHARE, help="0.3 by default")
    parser.add_argument("--random-state", type=int, default=0, help="of the split; 0 by default")
    parser.add_argument("--root", type=Path, default=ROOT, help=f"instead of {ROOT}")
    options = parser.parse_args(arguments)
    try:
        prepare(options.root, options.test_share, options.random_state)
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
