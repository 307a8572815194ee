"""Predictions as the built-in XGBoost algorithm's container answers them in batch transform."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from include.nacre.local.images.algorithm.serving import AlgorithmServer
from include.nacre.local.images.wire import Invocation, Reply

ROWS = np.random.default_rng(5).random((30, 3)).round(5)
TARGET = ROWS @ [1.0, -2.0, 3.0]
CLASSES = (ROWS[:, 0] > 0.5).astype(int) + (ROWS[:, 1] > 0.5)
NEWEST = (3, 2)


def fit(labels: Any = TARGET, rounds: int = 3, **parameters: Any) -> xgboost.Booster:
    return xgboost.train(parameters, xgboost.DMatrix(ROWS, labels), rounds)


def folder_of(tmp_path: Path, *boosters: xgboost.Booster, pickled: bool = False) -> Path:
    for number, booster in enumerate(boosters):
        content = pickle.dumps(booster) if pickled else bytes(booster.save_raw("ubj"))
        (tmp_path / f"xgboost-model-{number}").write_bytes(content)
    return tmp_path


def ask(
    folder: Path,
    body: str | bytes,
    content_type: str | None = "text/csv",
    accept: str | None = None,
    **environ: str,
) -> Reply:
    content = body.encode() if isinstance(body, str) else body
    return AlgorithmServer(folder, NEWEST, environ)(Invocation(content, content_type, accept))


def csv(rows: Any) -> str:
    return "\n".join(",".join(map(str, row)) for row in rows.tolist())


def plain(booster: xgboost.Booster, rows: Any = ROWS) -> list[Any]:
    return booster.predict(xgboost.DMatrix(rows)).tolist()


def lines(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.body
    return reply.body.decode().splitlines()


@pytest.mark.parametrize("pickled", [False, True])
@pytest.mark.parametrize("content_type", ["text/csv", "text/csv; charset=utf-8", "TEXT/CSV"])
def test_a_prediction_is_a_line_as_python_prints_it(
    tmp_path: Path, pickled: bool, content_type: str
) -> None:
    booster = fit()
    folder = folder_of(tmp_path, booster, pickled=pickled)
    assert lines(ask(folder, csv(ROWS) + "\n", content_type)) == [str(v) for v in plain(booster)]


def test_several_classes_are_a_list_a_line(tmp_path: Path) -> None:
    booster = fit(CLASSES, objective="multi:softprob", num_class=3)
    reply = ask(folder_of(tmp_path, booster), csv(ROWS[:2]))
    assert lines(reply) == [str(value) for value in plain(booster, ROWS[:2])]


@pytest.mark.parametrize("content_type", ["text/libsvm", "text/x-libsvm", None])
def test_libsvm_is_read_and_is_what_nothing_else_was_said_to_be(
    tmp_path: Path, content_type: str | None
) -> None:
    booster = fit()
    body = "\n".join(f"0 0:{a} 1:{b} 2:{c}" for a, b, c in ROWS[:3].tolist())
    reply = ask(folder_of(tmp_path, booster), body, content_type)
    assert [float(line) for line in lines(reply)] == pytest.approx(plain(booster, ROWS[:3]))


def test_an_empty_cell_is_missing(tmp_path: Path) -> None:
    booster = fit()
    holed = np.array([[0.5, np.nan, 0.5]])
    reply = ask(folder_of(tmp_path, booster), "0.5,,0.5")
    assert lines(reply) == [str(value) for value in plain(booster, holed)]


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "said"),
    [
        ("", "text/csv", None, 204, ""),
        ("1,2,x", "text/csv", None, 415, "could not convert string to float: 'x'"),
        ("1,2,3\n1,2", "text/csv", None, 415, "inhomogeneous"),
        (b"1,2,\xe9", "text/csv", None, 415, "utf-8"),
        ("{}", "application/json", None, 415, "Content type application/json is not supported"),
        ("1,2,3,4", "text/csv", None, 400, "Unable to evaluate payload provided: "),
        ("1,2,3", "text/csv", "image/png", 406, "Accept type image/png is not supported"),
    ],
)
def test_each_failure_has_its_status(
    tmp_path: Path,
    body: str | bytes,
    content_type: str,
    accept: str | None,
    status: int,
    said: str,
) -> None:
    reply = ask(folder_of(tmp_path, fit()), body, content_type, accept)
    assert reply.status == status
    assert said in reply.body.decode()


def test_fewer_columns_pass_for_the_library_s_own_files_and_pickles_miss_them(
    tmp_path: Path,
) -> None:
    booster = fit()
    (tmp_path / "own").mkdir()
    (tmp_path / "pickled").mkdir()
    own = ask(folder_of(tmp_path / "own", booster), "0.5,0.5")
    pickled = ask(folder_of(tmp_path / "pickled", booster, pickled=True), "1;2;3;4")
    assert (own.status, pickled.status) == (200, 400)
    assert b"Feature size of text/csv inference data 4 is not consistent" in pickled.body


def test_several_models_are_averaged_and_votes_counted(tmp_path: Path) -> None:
    first, second = fit(), fit(rounds=6)
    (tmp_path / "mean").mkdir()
    reply = ask(folder_of(tmp_path / "mean", first, second), csv(ROWS))
    mean = np.mean([plain(first), plain(second)], axis=0)
    assert [float(line) for line in lines(reply)] == pytest.approx(mean.tolist(), abs=1e-6)
    alone = ask(tmp_path / "mean", csv(ROWS), SAGEMAKER_INFERENCE_ENSEMBLE="false")
    assert lines(alone) == [str(value) for value in plain(first)]
    voters = [fit(CLASSES, n, objective="multi:softmax", num_class=3) for n in (1, 3, 5)]
    (tmp_path / "vote").mkdir()
    voted = lines(ask(folder_of(tmp_path / "vote", *voters), csv(ROWS)))
    assert set(voted) <= {"0.0", "1.0", "2.0"}


def test_a_stray_file_breaks_the_model_and_a_dot_file_does_not(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, fit())
    (folder / ".DS_Store").write_text("x")
    (folder / "code").mkdir()
    assert ask(folder, csv(ROWS[:1])).status == 200
    (folder / "notes.txt").write_text("x")
    with pytest.raises(RuntimeError, match=r"Model notes\.txt cannot be loaded"):
        ask(folder, csv(ROWS[:1]))


def test_an_early_stopped_pickle_predicts_with_its_best_round(tmp_path: Path) -> None:
    booster = fit(rounds=6)
    booster.set_attr(best_iteration="1")
    reply = ask(folder_of(tmp_path, booster, pickled=True), csv(ROWS[:2]))
    best = booster.predict(xgboost.DMatrix(ROWS[:2]), iteration_range=(0, 2)).tolist()
    assert lines(reply) == [str(value) for value in best]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/csv", '{label},{p},"[{not_p}, {p}]"'),
        (
            "application/jsonlines",
            '{{"predicted_label": {label}, "probability": {p}, "probabilities": [{not_p}, {p}]}}',
        ),
    ],
)
def test_selected_facts_of_each_prediction_are_named(
    tmp_path: Path, accept: str, expected: str
) -> None:
    booster = fit((CLASSES > 0).astype(int), objective="binary:logistic")
    keys = "predicted_label,probability,probabilities"
    reply = ask(
        folder_of(tmp_path, booster), csv(ROWS[:2]), accept=accept, SAGEMAKER_INFERENCE_OUTPUT=keys
    )
    assert lines(reply) == [
        expected.format(label=int(p > 0.5), p=p, not_p=1 - p) for p in plain(booster, ROWS[:2])
    ]


def test_selected_facts_as_json_and_keys_that_the_objective_has_not(tmp_path: Path) -> None:
    booster = fit(CLASSES, objective="multi:softprob", num_class=3)
    reply = ask(
        folder_of(tmp_path, booster),
        csv(ROWS[:1]),
        accept="application/json",
        SAGEMAKER_INFERENCE_OUTPUT="labels, raw_scores, predicted_score",
    )
    [row] = json.loads(reply.body)["predictions"]
    assert (row["labels"], row["raw_scores"]) == ([0, 1, 2], plain(booster, ROWS[:1])[0])
    assert np.isnan(row["predicted_score"])
