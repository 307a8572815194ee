"""The abalone evaluation: metrics, report, picture, and the models that it can load."""

import json
import pickle
import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import xgboost
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from include.pipelines.abalone import evaluate
from tests.unit.pipelines.abalone_data import put

FEATURES = np.random.default_rng(0).normal(size=(50, 3))
LABELS = np.round(10 + 3 * FEATURES[:, 0])


def booster() -> xgboost.Booster:
    return xgboost.train({"max_depth": 2}, xgboost.DMatrix(FEATURES, LABELS), num_boost_round=3)


def put_model(root: Path, content: bytes, name: str = evaluate.MODEL_FILE) -> None:
    archive = root / evaluate.MODEL
    archive.parent.mkdir(parents=True, exist_ok=True)
    member = tarfile.TarInfo(name)
    member.size = len(content)
    with tarfile.open(archive, "w:gz") as members:
        members.addfile(member, BytesIO(content))


def put_job(root: Path, model: bytes) -> None:
    put_model(root, model)
    rows = np.column_stack([LABELS, FEATURES])
    put(
        root,
        evaluate.TEST.parent,
        "\n".join(",".join(map(repr, map(float, row))) for row in rows),
        "test.csv",
    )


def refusal(root: Path) -> str | None:
    """What the job says; it must leave the same for the service."""
    message = evaluate.main(["--root", str(root)])
    left = root / evaluate.MESSAGE
    assert (left.read_text() if left.exists() else None) == message
    return message


# Metrics.


def test_the_metrics_are_those_of_scikit_learn() -> None:
    guesses = LABELS + np.random.default_rng(1).normal(size=50)
    metrics = evaluate.report(LABELS, guesses)["regression_metrics"]
    values = {name: metric["value"] for name, metric in metrics.items()}
    assert values == pytest.approx(
        {
            "mse": mean_squared_error(LABELS, guesses),
            "rmse": mean_squared_error(LABELS, guesses) ** 0.5,
            "mae": mean_absolute_error(LABELS, guesses),
            "r2": r2_score(LABELS, guesses),
        }
    )


def test_the_standard_deviation_is_that_of_the_errors() -> None:
    metrics = evaluate.report(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 7.0]))
    mse = metrics["regression_metrics"]["mse"]
    assert mse == {"value": 6.0, "standard_deviation": pytest.approx(2**0.5)}


def test_labels_that_are_all_alike_leave_r2_without_a_value() -> None:
    result = evaluate.report(np.array([5.0, 5.0]), np.array([4.0, 5.0]))
    assert json.loads(json.dumps(result, allow_nan=False))["regression_metrics"]["r2"] == {
        "value": None
    }


# The job.


def test_the_report_says_what_the_model_predicts(tmp_path: Path) -> None:
    model = booster()
    put_job(tmp_path, bytes(model.save_raw("ubj")))
    assert evaluate.main(["--root", str(tmp_path)]) is None
    written = json.loads((tmp_path / evaluate.REPORT).read_text())
    predictions = model.predict(xgboost.DMatrix(FEATURES)).astype(float)
    assert written == evaluate.report(LABELS, predictions)


def test_the_picture_is_a_png_of_readable_size(tmp_path: Path) -> None:
    put_job(tmp_path, bytes(booster().save_raw("ubj")))
    evaluate.main(["--root", str(tmp_path)])
    content = (tmp_path / evaluate.PICTURE).read_bytes()
    width, height = (int.from_bytes(content[start : start + 4], "big") for start in (16, 20))
    assert (content[:8], width, height) == (b"\x89PNG\r\n\x1a\n", 1210, 550)
    assert 10_000 < len(content) < 300_000


def test_the_picture_shows_every_row_twice() -> None:
    figure = evaluate.picture(LABELS, LABELS + 1, "title")
    truth, residuals, _ = figure.axes
    drawn = [np.asarray(axes.collections[0].get_offsets()) for axes in (truth, residuals)]
    expected = [
        np.column_stack([LABELS, LABELS + 1]),
        np.column_stack([LABELS + 1, LABELS * 0 - 1]),
    ]
    assert [points.tolist() for points in drawn] == [points.tolist() for points in expected]


# Models of any container.


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda model: bytes(model.save_raw("ubj")), id="UBJSON, containers of 3.0"),
        pytest.param(lambda model: bytes(model.save_raw("json")), id="JSON"),
        pytest.param(lambda model: pickle.dumps(model, protocol=4), id="pickle, containers to 1.2"),
    ],
)
def test_a_model_of_any_container_predicts_the_same(content) -> None:  # noqa: ANN001
    model = booster()
    loaded = evaluate.load_model(content(model))
    expected = model.predict(xgboost.DMatrix(FEATURES)).tolist()
    assert evaluate.predict(loaded, FEATURES).tolist() == expected


# What it refuses.


@pytest.mark.parametrize(
    "content", [b"garbage", b"\x80\x04garbage", b"binf\0\0", b"{}", b"\x80\x04cno\nsuch\n."]
)
def test_a_file_that_is_no_model_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    put_job(tmp_path, content)
    begin = f"xgboost-model: xgboost {xgboost.__version__} cannot load it; evaluate in the image"
    assert str(refusal(tmp_path)).startswith(begin)


def test_an_empty_model_file_is_refused(tmp_path: Path) -> None:
    put_job(tmp_path, b"")
    assert refusal(tmp_path) == "xgboost-model: the file is empty"


def test_an_archive_without_a_model_is_refused_with_what_it_holds(tmp_path: Path) -> None:
    put_job(tmp_path, b"")
    put_model(tmp_path, b"x", name="model.pth")
    assert refusal(tmp_path) == "model.tar.gz holds no xgboost-model, but: ['model.pth']"


def test_a_missing_archive_is_refused(tmp_path: Path) -> None:
    put_job(tmp_path, b"")
    (tmp_path / evaluate.MODEL).unlink()
    assert "model.tar.gz: no model archive can be read there" in str(refusal(tmp_path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "two labelled rows at least are needed"),
        ("1,2,3,4", "two labelled rows at least are needed, not (1, 4)"),
        ("1,2\n3,x\n", "no table of numbers can be read there"),
        ("1,2\n3,4\n", "the model knows 3 features, the test data has 1"),
    ],
)
def test_unusable_test_data_is_refused(tmp_path: Path, text: str, said: str) -> None:
    put_job(tmp_path, bytes(booster().save_raw("ubj")))
    put(tmp_path, evaluate.TEST.parent, text, "test.csv")
    assert said in str(refusal(tmp_path))
