"""The iris split: what a job reads, what it leaves, what it refuses."""

from pathlib import Path

import pandas as pd
import pytest
from sklearn.datasets import load_iris

from include.pipelines.iris import preprocess, source

HEADER = "sepal_length,sepal_width,petal_length,petal_width,species"
ROW = "5.1,3.5,1.4,0.2,setosa"
ROWS = [f"5.{n},3.5,1.4,0.2,{species}" for n in range(4) for species in preprocess.CLASSES]


def put(root: Path, *lines: str, name: str = "iris.csv") -> None:
    path = root / preprocess.RAW / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")


def put_iris(root: Path) -> None:
    put(root, source.raw_csv().decode())


def run(root: Path, *options: str) -> str | None:
    return preprocess.main(["--root", str(root), *options])


def part(root: Path, place: Path) -> pd.DataFrame:
    return pd.read_csv(root / place, header=None, names=list(preprocess.COLUMNS))


def refusal(root: Path, *lines: str) -> str | None:
    """What the job says about this raw file; it must leave the same for the service."""
    put(root, *lines)
    message = run(root)
    left = root / preprocess.MESSAGE
    assert (left.read_text() if left.exists() else None) == message
    return message


# What it leaves.


def test_the_bundled_rows_are_scikit_learns(tmp_path: Path) -> None:
    put_iris(tmp_path)
    table, data = preprocess.read_tables(tmp_path / preprocess.RAW), load_iris()
    assert table[list(preprocess.FEATURES)].to_numpy().tolist() == data.data.tolist()
    assert table["species"].tolist() == data.target_names[data.target].tolist()


def test_the_rows_are_split_70_30_and_none_is_lost(tmp_path: Path) -> None:
    put_iris(tmp_path)
    assert run(tmp_path) is None
    train, test = part(tmp_path, preprocess.TRAIN), part(tmp_path, preprocess.TEST)
    together = pd.concat([train, test]).sort_values(list(preprocess.COLUMNS))
    raw = preprocess.read_tables(tmp_path / preprocess.RAW).sort_values(list(preprocess.COLUMNS))
    assert (len(train), len(test)) == (105, 45)
    assert together.to_numpy().tolist() == raw.to_numpy().tolist()


def test_each_species_has_its_share_of_both_parts(tmp_path: Path) -> None:
    put_iris(tmp_path)
    run(tmp_path, "--test-share", "0.2")
    counts = [
        part(tmp_path, place)["species"].value_counts().to_dict()
        for place in (preprocess.TRAIN, preprocess.TEST)
    ]
    assert counts == [dict.fromkeys(preprocess.CLASSES, 40), dict.fromkeys(preprocess.CLASSES, 10)]


def test_one_random_state_is_one_split_and_another_another(tmp_path: Path) -> None:
    put_iris(tmp_path)
    table = preprocess.read_tables(tmp_path / preprocess.RAW)

    def rows(state: int) -> list[int]:
        return list(preprocess.split(table, 0.3, state)[1].index)

    assert rows(1) == rows(1) != rows(2)
    assert rows(0)[:8] == [136, 142, 39, 44, 50, 23, 90, 149]


def test_columns_may_stand_in_any_order_and_files_in_folders(tmp_path: Path) -> None:
    put(tmp_path, HEADER, ROW, name="a/iris.csv")
    put(
        tmp_path,
        "species, petal_width,sepal_length,sepal_width,petal_length",
        "virginica,2.5,6.3,3.3,6.0",
        name="b/iris.csv",
    )
    put(tmp_path, "not data", name=".hidden")
    table = preprocess.read_tables(tmp_path / preprocess.RAW)
    assert table.to_numpy().tolist() == [
        ["setosa", 5.1, 3.5, 1.4, 0.2],
        ["virginica", 6.3, 3.3, 6.0, 2.5],
    ]


# What it refuses.


def test_wrong_columns_come_all_at_once(tmp_path: Path) -> None:
    assert refusal(tmp_path, "sepal_length,sepal_length,petal_length,species,colour", ROW) == (
        "iris.csv: row 1, column 'sepal_length': twice\n"
        "iris.csv: row 1, column 'sepal_width': missing in the header\n"
        "iris.csv: row 1, column 'petal_width': missing in the header\n"
        "iris.csv: row 1, column 'colour': unknown; known are species, sepal_length,"
        " sepal_width, petal_length, petal_width"
    )


@pytest.mark.parametrize("cell", ["", "abc", "nan", "inf", "-1", "0", "1_0"])
def test_what_is_no_length_is_named_by_file_row_and_column(tmp_path: Path, cell: str) -> None:
    said = refusal(tmp_path, HEADER, *ROWS, f"5.1,{cell},1.4,0.2,setosa")
    assert said == f"iris.csv: row 14, column 'sepal_width': {cell!r} is no number above 0"


def test_the_faults_of_all_files_come_together(tmp_path: Path) -> None:
    put(tmp_path, name="empty.csv")
    said = refusal(tmp_path, HEADER, "5.1,3.5,1.4,setosa", "x,3.5,1.4,0.2,rose")
    assert said == (
        "empty.csv: no rows; a header is expected, then rows: species,"
        " sepal_length, sepal_width, petal_length, petal_width\n"
        "iris.csv: row 2: 4 values, 5 are expected: sepal_length, sepal_width, petal_length,"
        " petal_width, species\n"
        "iris.csv: row 3, column 'sepal_length': 'x' is no number above 0\n"
        "iris.csv: row 3, column 'species': 'rose' is none of setosa, versicolor, virginica"
    )


def test_of_many_faults_the_first_are_shown(tmp_path: Path) -> None:
    said = refusal(tmp_path, HEADER, *["5.1,3.5,1.4,0.2,rose"] * 20)
    assert said is not None
    assert said.splitlines()[8:] == ["... and 12 more"]


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / preprocess.RAW / "iris.csv").write_bytes(b"\xff\xfe\x00")
    said = run(tmp_path)
    assert said is not None
    assert said.startswith("iris.csv: this is no CSV text in UTF-8 (")


def test_an_empty_prefix_is_refused(tmp_path: Path) -> None:
    raw = tmp_path / preprocess.RAW
    assert run(tmp_path) == f"{raw} holds no file; does the S3 address name the right prefix?"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--test-share", "1.5"], "The 'test_size' parameter"),
        (["--test-share", "0.01"], "The test_size = 1 should be greater or equal to the number"),
        (["--random-state", "-1"], "The 'random_state' parameter"),
    ],
)
def test_a_split_that_cannot_be_made_is_refused(
    tmp_path: Path, options: list[str], reason: str
) -> None:
    put(tmp_path, HEADER, *ROWS)
    said = run(tmp_path, *options)
    assert said is not None
    assert said.startswith(f"12 rows cannot be split: {reason}")
