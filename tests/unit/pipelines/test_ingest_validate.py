"""What lands of a file of new rows, what is set aside, and which files are refused."""

import csv
import io

import pytest

from include.pipelines.abalone import preprocess
from include.pipelines.abalone.validate import BadFileError, Checked, check
from tests.unit.pipelines.abalone_data import abalone

ROWS = abalone().head(40).to_csv(header=False, index=False, float_format="%.6g").splitlines()
ROW = ROWS[0]


def checked(lines: list[str], min_rows: int = 20) -> Checked:
    return check("\n".join(lines).encode(), preprocess.COLUMNS, min_rows)


def refusal(content: bytes, min_rows: int = 20) -> list[str]:
    with pytest.raises(BadFileError) as caught:
        check(content, preprocess.COLUMNS, min_rows)
    return str(caught.value).splitlines()


def test_a_good_file_lands_byte_for_byte() -> None:
    content = "\r\n".join(ROWS).encode()
    assert check(content, preprocess.COLUMNS, 20) == Checked(content, 40, b"", 0)


def test_bad_rows_are_set_aside_with_line_reason_and_their_own_text() -> None:
    bad = [ROW.replace("M", "X").replace("0.455", "-1"), ROW + ',"a ""b"""']
    found = checked([*ROWS[:3], bad[0], *ROWS[3:], bad[1]])
    names = ", ".join(preprocess.COLUMNS)
    assert (found.content.decode().splitlines(), found.rows, found.quarantined) == (ROWS, 40, 2)
    assert list(csv.reader(io.StringIO(found.quarantine.decode()))) == [
        ["line", "reason", "row"],
        [
            "4",
            (
                "row 4, column 'sex': 'X' is none of F, I, M; row 4, column 'length': -1 lies"
                " out of range (above 0, 3 at most)"
            ),
            bad[0],
        ],
        ["42", f"row 42: 10 values, 9 are expected: {names}", bad[1]],
    ]


def test_what_landed_has_no_bad_row_left() -> None:
    again = checked(checked([*ROWS, ROW.replace("M", "X")]).content.decode().splitlines())
    assert (again.rows, again.quarantined) == (40, 0)


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("0", "0 lies out of range (above 0, 3 at most)"),
        ("3.5", "3.5 lies out of range (above 0, 3 at most)"),
        ("1e999", "'1e999' is no number"),
        ("1_0", "'1_0' is no number"),
        ("9" * 50, f"{'9' * 40}... lies out of range (above 0, 3 at most)"),
        ("9" * 500, f"'{'9' * 40}...' is no number"),
    ],
)
def test_a_row_out_of_range_is_named_with_the_range(cell: str, fault: str) -> None:
    bad = ROW.replace("0.455", cell, 1)
    assert f"row 41, column 'length': {fault}" in checked([*ROWS, bad]).quarantine.decode()


@pytest.mark.parametrize(
    ("columns", "row"), [(preprocess.COLUMNS, ",,,,,,,,9"), (preprocess.FEATURES, ",,,,,,,")]
)
def test_rows_without_any_feature_are_bad(columns: tuple[str, ...], row: str) -> None:
    rows = [",".join(cells.split(",")[: len(columns)]) for cells in ROWS]
    found = check("\n".join([row, *rows]).encode(), columns, 1)
    assert (found.rows, found.quarantined) == (40, 1)
    assert "row 1: every feature is empty" in found.quarantine.decode()


def test_a_height_of_zero_is_one_that_the_uci_has() -> None:
    assert checked([*ROWS, ROW.replace("0.095", "0")]).quarantined == 0


def test_the_bundled_shells_are_all_in_range() -> None:
    content = abalone().to_csv(header=False, index=False).encode()
    assert check(content, preprocess.COLUMNS, 20).quarantined == 0


def test_a_file_with_too_many_bad_rows_is_refused_with_each_of_them() -> None:
    lines = [*ROWS[:35], *[ROW.replace("M", "X")] * 5]
    assert refusal("\n".join(lines).encode()) == [
        "5 of 40 rows are bad; 10% may be",
        *(f"row {line}, column 'sex': 'X' is none of F, I, M" for line in range(36, 41)),
    ]


def test_a_file_of_zeros_is_refused() -> None:
    content = b"M,0,0,0,0,0,0,0,9\n" * 30
    faults = refusal(content)
    assert faults[:3] == [
        "30 of 30 rows are bad; 10% may be",
        "0 good rows are too few; 20 at least are expected",
        "row 1, column 'length': 0 lies out of range (above 0, 3 at most)",
    ]
    assert faults[-1] == "... and 132 more"


def test_a_file_with_too_few_rows_is_refused() -> None:
    expected = ["5 good rows are too few; 20 at least are expected"]
    assert refusal("\n".join(ROWS[:5]).encode()) == expected


def test_a_header_is_told_together_with_the_other_faults() -> None:
    lines = [",".join(preprocess.COLUMNS), *ROWS[:5]]
    assert refusal("\n".join(lines).encode()) == [
        "row 1: a header; data rows are expected",
        "5 good rows are too few; 20 at least are expected",
    ]


def test_wrong_columns_are_refused_row_by_row() -> None:
    content = "\n".join(row.rpartition(",")[0] for row in ROWS).encode()
    assert refusal(content)[2].startswith("row 1: 8 values, 9 are expected: sex, length, ")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "the file is empty; rows of 9 values are expected: "),
        (b"\n \n"[:1], "the file is empty; rows of 9 values are expected: "),
        (b"\xff\xfe\x00M", "this is no CSV text in UTF-8 ("),
        (b'M,"0.4\n', "this is no CSV text in UTF-8 ("),
        (b"PK\x03\x04\x00\x00", "1 of 1 rows are bad; 10% may be"),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, fault: str) -> None:
    assert refusal(content)[0].startswith(fault)
