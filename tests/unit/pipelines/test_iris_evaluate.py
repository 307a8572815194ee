"""How the iris predictions are measured."""

import json
from pathlib import Path

import pytest
from sklearn.metrics import accuracy_score, confusion_matrix

from include.pipelines.iris import evaluate

TRUE = ["setosa"] * 4 + ["versicolor"] * 3 + ["virginica"] * 3
PREDICTED = ["setosa"] * 4 + ["versicolor", "versicolor", "virginica"] + ["virginica"] * 3


def put(root: Path, text: str, name: str = "test.csv.out") -> None:
    folder = root / evaluate.PREDICTIONS
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def line(true: str, predicted: str) -> str:
    return f"{true},5.1,3.5,1.4,0.2,{predicted},0.9\n"


def refusal(root: Path) -> str | None:
    """What the job says; it must leave the same for the service, and no report."""
    message = evaluate.main(["--root", str(root)])
    left = root / evaluate.MESSAGE
    assert (left.read_text() if left.exists() else None) == message
    assert not (root / evaluate.REPORT).exists()
    return message


def test_the_report_has_scikit_learns_accuracy_and_confusion_matrix(tmp_path: Path) -> None:
    put(tmp_path, "".join(map(line, TRUE, PREDICTED)))
    assert evaluate.main(["--root", str(tmp_path)]) is None
    found = json.loads((tmp_path / evaluate.REPORT).read_text())
    metrics = found["multiclass_classification_metrics"]
    matrix = [list(row.values()) for row in metrics["confusion_matrix"].values()]
    assert (found["dataset"]["item_count"], matrix) == (
        10,
        confusion_matrix(TRUE, PREDICTED).tolist(),
    )
    assert metrics["accuracy"] == {
        "value": accuracy_score(TRUE, PREDICTED),
        "standard_deviation": pytest.approx((0.9 * 0.1 / 10) ** 0.5),
    }


def test_the_log_says_it_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, "".join(map(line, TRUE, PREDICTED)))
    evaluate.main(["--root", str(tmp_path)])
    assert capsys.readouterr().out == "accuracy 0.900 (± 0.095) on 10 test rows\n"


def test_a_species_that_was_never_there_has_its_column(tmp_path: Path) -> None:
    put(tmp_path, line("setosa", "virginica"))
    put(tmp_path, line("setosa", "setosa"), "more.csv.out")
    matrix = evaluate.evaluate(tmp_path)["multiclass_classification_metrics"]["confusion_matrix"]
    assert matrix == {
        "setosa": {"setosa": 1, "virginica": 1},
        "virginica": {"setosa": 0, "virginica": 0},
    }


def test_bad_predictions_come_all_at_once_by_file_row_and_column(tmp_path: Path) -> None:
    put(tmp_path, line("setosa", "setosa") + line("", "setosa") + "setosa,0.9\n", "a.csv.out")
    put(tmp_path, line("setosa", ""), "b.csv.out")
    assert refusal(tmp_path) == (
        "a.csv.out: row 2, column 'species': empty\n"
        "a.csv.out: row 3: 2 values, 7 are expected: species, sepal_length, sepal_width,"
        " petal_length, petal_width, predicted, probability\n"
        "b.csv.out: row 1, column 'predicted': empty"
    )


def test_no_predictions_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path / evaluate.PREDICTIONS} holds no predictions"
