"""Is a file of new rows good enough to land? Values in, values out.

The rules for a single row (columns, numbers, ranges) are preprocess.py's own, so what has landed
is what the preparation takes. A few bad rows are set aside, each with its reason; a file that is
bad as a whole is refused with every fault.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from include.pipelines.abalone.preprocess import (
    BadInputError,
    examine,
    header_line,
    no_header,
    parse,
)

MAX_BAD_SHARE = 0.1
FAULTS_SHOWN = 50
QUARANTINE_HEADER = ("line", "reason", "row")


class BadFileError(Exception):
    """The file must not land. One line a fault, for the person who sent it."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = list(faults)
        shown = list(faults[:FAULTS_SHOWN])
        if len(faults) > len(shown):
            shown.append(f"... and {len(faults) - len(shown)} more")
        super().__init__("\n".join(shown))


@dataclass(frozen=True)
class Checked:
    """The rows to land, and those to set aside."""

    content: bytes
    """CSV without header. Byte for byte what came, if no row was bad."""
    rows: int
    quarantine: bytes
    """CSV with header: the bad rows' lines, reasons, and the rows as they were. Empty if none."""
    quarantined: int


def check(content: bytes, columns: Sequence[str], min_rows: int) -> Checked:
    """Part the good rows of a CSV file from the bad ones; raise BadFileError for a bad file."""
    try:
        rows = parse(content, columns)
    except BadInputError as error:
        raise BadFileError(error.faults) from None
    found: list[str] = []
    if (line := header_line(rows, columns)) is not None:
        found.append(no_header(line))
        rows = {number: row for number, row in rows.items() if number != line}
    _, faults = examine(rows, columns)
    good = {line: row for line, row in rows.items() if line not in faults}
    if len(faults) > MAX_BAD_SHARE * len(rows):
        found.append(f"{len(faults)} of {len(rows)} rows are bad; {MAX_BAD_SHARE:.0%} may be")
    if len(good) < min_rows:
        found.append(f"{len(good)} good rows are too few; {min_rows} at least are expected")
    if found:
        raise BadFileError([*found, *(fault for line in sorted(faults) for fault in faults[line])])
    return Checked(
        content=to_csv(good.values()) if faults else content,
        rows=len(good),
        quarantine=quarantine(rows, faults) if faults else b"",
        quarantined=len(faults),
    )


def quarantine(rows: Mapping[int, Sequence[str]], faults: Mapping[int, Sequence[str]]) -> bytes:
    """The bad rows: line, reason, and the row's own text, which may have any number of values."""
    bad = [
        (str(line), "; ".join(faults[line]), to_csv([rows[line]]).decode().rstrip("\r\n"))
        for line in sorted(faults)
    ]
    return to_csv([QUARANTINE_HEADER, *bad])


def to_csv(rows: Iterable[Sequence[str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue().encode()
