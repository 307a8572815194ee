"""A channel's files as an XGBoost matrix, read by XGBoost's own text parser."""

import csv
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from include.nacre.local.images.algorithm.channels import Format
from include.nacre.local.images.announce import announce
from include.nacre.local.images.errors import UserError, library_text

_DEPTH = 3  # how many folders deep the container looks for files
_SAMPLE = 1 << 16  # of a first line, so that a file without line ends is not read whole


def load(channel: str, folder: Path, kind: Format, weights: bool) -> Any | None:
    """The channel's matrix, None if it has no data; `weights`: column 1 of a CSV is the weight."""
    files = data_files(folder)
    if not any(file.stat().st_size for file in files):
        return None
    matrix = load_files(files, kind, weights)
    announce(
        f"{channel.capitalize()} matrix has {matrix.num_row()} rows and {matrix.num_col()} columns"
    )
    return matrix


def load_files(files: list[Path], kind: Format, weights: bool) -> Any:
    """The files as one matrix."""
    for file in files:
        _check(file, kind)
    with tempfile.TemporaryDirectory() as together:
        # The parser takes one folder, and some characters of a file's name for its own syntax.
        for number, file in enumerate(files):
            (Path(together) / f"{number:06d}").symlink_to(file)
        return _parse(together, kind, _delimiter(files) if kind == "csv" else "", weights)


def data_files(folder: Path) -> list[Path]:
    """The channel's data files, by name; a hidden one is an error, as in the container."""
    files = sorted(_files(folder, _DEPTH))
    if any(file.name.startswith(".") for file in files):
        raise UserError("Hidden file found in the data path! Remove that before training.")
    return files


def _files(folder: Path, depth: int) -> Iterator[Path]:
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.is_file():
            yield entry
        elif depth > 1:
            yield from _files(entry, depth - 1)


def _parse(folder: str, kind: Format, delimiter: str, weights: bool) -> Any:
    import xgboost  # here, so that a faulty request is told before the library is loaded

    uri = f"{folder}?format={kind}"
    if kind == "csv":
        uri += f"&label_column=0&delimiter={delimiter}" + ("&weight_column=1" if weights else "")
    try:
        with warnings.catch_warnings():
            # Text input is deprecated in XGBoost, and what all of the containers use.
            warnings.filterwarnings("ignore", "(?s).*Text file input")
            return xgboost.DMatrix(uri)
    except (xgboost.core.XGBoostError, ValueError) as fault:
        said = f"Failed to load {kind} data with exception:\n{library_text(fault)}"
        raise UserError(said) from fault


def _check(file: Path, kind: Format) -> None:
    if not file.stat().st_size:
        return
    if kind == "libsvm":
        _check_libsvm(file)
    else:
        _warn_of_text(file)


def _delimiter(files: list[Path]) -> str:
    line = _first_line(next(file for file in files if file.stat().st_size))
    try:
        delimiter = csv.Sniffer().sniff(line).delimiter
    except csv.Error as fault:
        raise UserError(f"Could not determine delimiter on line {line[:50]}:\n{fault}") from fault
    announce(f"Determined delimiter of CSV input is '{delimiter}'")
    return delimiter


def _warn_of_text(file: Path) -> None:
    cells = _first_line(file).replace(";", ",").replace("\t", ",").split(",")
    if any(cell.strip() and not _is_number(cell) for cell in cells):
        announce(
            f"First line of '{file.name}' is no row of numbers: XGBoost reads text as 0, a header"
            " as one more row. Training data must have no header.",
            "WARNING",
        )


def _check_libsvm(file: Path) -> None:
    """The first line that has features decides."""
    with file.open(encoding="utf-8", errors="ignore") as lines:
        for line in iter(lambda: lines.readline(_SAMPLE), ""):
            label, *features = line.split() or [""]
            if len(line) == _SAMPLE:  # cut, and its last feature too
                features = features[:-1]
            if not all(_is_number(part) for part in label.split(":")) or not all(
                ":" in feature for feature in features
            ):
                raise UserError(
                    f"First line '{line[:50].rstrip()}...' of file '{file.name}' is not 'LIBSVM'"
                    " format. Please ensure the file is in 'LIBSVM' format."
                )
            if features:
                return


def _first_line(file: Path) -> str:
    with file.open(encoding="utf-8", errors="ignore") as lines:
        return lines.readline(_SAMPLE)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
