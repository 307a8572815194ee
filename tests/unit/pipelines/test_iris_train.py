"""The training of the iris forest, and how good it is beside scikit-learn without us."""

import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from include.pipelines.iris import preprocess, source, train
from tests.unit.pipelines.iris_data import split_iris, train_iris

ROW = "setosa,5.1,3.5,1.4,0.2"


def put(root: Path, text: str, name: str = "train.csv") -> None:
    path = root / preprocess.TRAIN.parent / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def refusal(root: Path, *options: str) -> str | None:
    """What the job says; it must leave the same for the service, and no model."""
    message = train_iris(root, *options)
    left = root / train.FAILURE
    assert (left.read_text() if left.exists() else None) == message
    assert not (root / "model").exists()
    return message


def test_the_model_is_the_forest_that_the_options_describe(tmp_path: Path) -> None:
    split_iris(tmp_path)
    options = ["--n-estimators", "30", "--max-depth", "2", "--random-state", "3"]
    assert train_iris(tmp_path, *options) is None
    forest = joblib.load(tmp_path / "model" / train.MODEL_FILE)
    rows = np.genfromtxt(tmp_path / preprocess.TRAIN, delimiter=",", dtype=str)
    features = rows[:, 1:].astype(float)
    expected = RandomForestClassifier(30, max_depth=2, random_state=3).fit(features, rows[:, 0])
    assert forest.predict_proba(features).tolist() == expected.predict_proba(features).tolist()
    assert forest.classes_.tolist() == sorted(preprocess.CLASSES)


def test_the_log_has_the_metric_that_the_job_looks_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    split_iris(tmp_path)
    train_iris(tmp_path)
    forest = joblib.load(tmp_path / "model" / train.MODEL_FILE)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"100 trees, oob_accuracy={forest.oob_score_:.4f};"


def test_it_runs_as_the_image_runs_it(tmp_path: Path) -> None:
    """A file in a folder of its own, places in the environment, options in the image's order."""
    split_iris(tmp_path)
    program = tmp_path / "code" / "train.py"
    program.parent.mkdir()
    program.write_bytes(Path(train.__file__).read_bytes())
    environment = {
        "SM_CHANNEL_TRAIN": str(tmp_path / preprocess.TRAIN.parent),
        "SM_MODEL_DIR": str(tmp_path / "model"),
    }
    options = ["--max-depth", "5", "--n-estimators", "30", "--random-state", "0"]
    command = [sys.executable, "train.py", *options]
    subprocess.run(command, cwd=program.parent, env=environment, check=True)
    assert [path.name for path in (tmp_path / "model").iterdir()] == [train.MODEL_FILE]


# What it refuses.


def test_bad_rows_come_all_at_once_by_file_row_and_column(tmp_path: Path) -> None:
    put(tmp_path, f"{ROW}\nsetosa,5.1,3.5,1.4\n", "a.csv")
    put(tmp_path, f"{ROW}\n{ROW}\n,x,3.5,nan,0.2\n", "b/train.csv")
    assert refusal(tmp_path) == (
        "a.csv: row 2: 4 values, 5 are expected: species, sepal_length, sepal_width,"
        " petal_length, petal_width\n"
        "b/train.csv: row 3, column 'species': empty, but every row needs its label\n"
        "b/train.csv: row 3, column 'sepal_length': 'x' is no number\n"
        "b/train.csv: row 3, column 'petal_length': 'nan' is no number"
    )


@pytest.mark.parametrize("text", ["", None])
def test_no_rows_are_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        put(tmp_path, text)
    assert refusal(tmp_path) == f"{tmp_path / preprocess.TRAIN.parent} holds no rows"


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "")
    (tmp_path / preprocess.TRAIN).write_bytes(b"\xff\xfe\x00")
    said = refusal(tmp_path)
    assert said is not None
    assert said.startswith("train.csv: this is no CSV text in UTF-8 (")


@pytest.mark.parametrize("option", ["--n-estimators", "--max-depth"])
def test_a_hyperparameter_out_of_range_is_refused_by_name(tmp_path: Path, option: str) -> None:
    split_iris(tmp_path)
    said = refusal(tmp_path, option, "0")
    name = option.removeprefix("--").replace("-", "_")
    assert said is not None
    assert said.startswith(f"The {name!r} parameter of RandomForestClassifier must be an int in")


def test_a_failure_fits_what_the_service_keeps(tmp_path: Path) -> None:
    put(tmp_path, f"setosa,{'é' * 2000},3.5,1.4,0.2\n")
    train_iris(tmp_path)
    assert len((tmp_path / train.FAILURE).read_bytes()) == train.MESSAGE_BYTES


# How good it is.

STATES = range(10)


def accuracy_of_the_scripts(folder: Path, state: int) -> float:
    parts = preprocess.split(preprocess.read_tables(folder), 0.3, state)
    (rows, species), (test_rows, truth) = (
        (part[list(preprocess.FEATURES)].to_numpy(), part["species"].to_numpy()) for part in parts
    )
    forest = train.fit(rows, species, trees=50, max_depth=5, random_state=state)
    return float((forest.predict(test_rows) == truth).mean())


def accuracy_without_us(state: int) -> float:
    rows, species = load_iris(return_X_y=True)
    train_rows, test_rows, truth, test_truth = train_test_split(
        rows, species, test_size=0.3, random_state=state, stratify=species
    )
    forest = RandomForestClassifier(50, max_depth=5, random_state=state)
    return float(forest.fit(train_rows, truth).score(test_rows, test_truth))


def test_each_state_has_the_accuracy_of_scikit_learn_without_us(tmp_path: Path) -> None:
    (tmp_path / "iris.csv").write_bytes(source.raw_csv())
    ours = [accuracy_of_the_scripts(tmp_path, state) for state in STATES]
    assert ours == [accuracy_without_us(state) for state in STATES]
    assert 0.93 < np.mean(ours) < 0.97
