"""The built-in XGBoost algorithm on real data, in this process, below a folder of its own."""

import json
import pickle
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from include.nacre.local.images.algorithm.training import Container, train
from include.nacre.local.images.errors import UserError
from include.nacre.local.images.registry import XGBOOST_VERSIONS

RNG = np.random.default_rng(3)
ROWS = RNG.random((120, 3)).round(4)
TARGET = (ROWS @ [1.0, -2.0, 3.0]).round(4)
CLASSES = (ROWS[:, 0] > 0.5).astype(int) + (ROWS[:, 1] > 0.5)


def csv(labels: Any, rows: Any = ROWS) -> str:
    return "".join(
        ",".join(map(str, (label, *row))) + "\n"
        for label, row in zip(labels.tolist(), rows.tolist(), strict=True)
    )


def libsvm(labels: Any) -> str:
    return "".join(
        f"{label} " + " ".join(f"{i}:{value}" for i, value in enumerate(row)) + "\n"
        for label, row in zip(labels.tolist(), ROWS.tolist(), strict=True)
    )


@dataclass
class Training:
    """One training: files by channel, and what came of it."""

    root: Path
    files: dict[str, str] = field(default_factory=lambda: {"train/a.csv": csv(TARGET)})
    content_type: str | None = "text/csv"
    version: str = "3.2-0"
    checkpoints: Path | None = None

    def run(self, **hyperparameters: str) -> None:
        for name, text in self.files.items():
            path = self.root / "opt/ml/input/data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        channels = {name.partition("/")[0]: self._channel() for name in self.files}
        texts = {"num_round": "3", "objective": "reg:squarederror", **hyperparameters}
        train(
            Container(
                self.version,
                XGBOOST_VERSIONS[self.version],
                {name: text for name, text in texts.items() if text},
                channels,
                ["algo-1"],
                "algo-1",
                self.checkpoints,
                self.root,
            )
        )

    def _channel(self) -> dict[str, str]:
        described = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
        return described | ({"ContentType": self.content_type} if self.content_type else {})

    @property
    def model(self) -> Path:
        return self.root / "opt/ml/model/xgboost-model"

    def booster(self) -> Any:
        return xgboost.Booster(model_file=bytearray(self.model.read_bytes()))

    def unpickled(self) -> Any:
        return pickle.loads(self.model.read_bytes())  # noqa: S301 - we have just written it

    def fault(self, **hyperparameters: str) -> str:
        with pytest.raises(UserError) as raised:
            self.run(**hyperparameters)
        return str(raised.value)


@pytest.fixture
def training(tmp_path: Path) -> Training:
    return Training(tmp_path)


def with_validation(training: Training, labels: Any = TARGET) -> Training:
    files = {
        "train/a.csv": csv(labels[:80], ROWS[:80]),
        "validation/b.csv": csv(labels[80:], ROWS[80:]),
    }
    return replace(training, files=files)


def metric_lines(printed: str) -> list[str]:
    return [line for line in printed.splitlines() if re.match(r"\[\d+\]", line)]


def test_the_model_is_what_the_library_itself_trains(training: Training) -> None:
    training.run(max_depth="3", eta="0.3")
    plain = xgboost.train(
        {"objective": "reg:squarederror", "max_depth": 3, "eta": 0.3},
        xgboost.DMatrix(ROWS, TARGET),
        3,
    )
    matrix = xgboost.DMatrix(ROWS)
    assert training.booster().predict(matrix) == pytest.approx(plain.predict(matrix), abs=1e-5)


@pytest.mark.parametrize(
    ("version", "kind"),
    [("0.90-2", "pickle"), ("1.2-2", "pickle"), ("1.3-1", "own"), ("3.2-0", "own")],
)
def test_old_containers_save_a_pickle_and_newer_ones_the_library_s_format(
    training: Training, version: str, kind: str
) -> None:
    replace(training, version=version).run()
    content = training.model.read_bytes()
    assert (content[:2] == b"\x80\x04") == (kind == "pickle")
    loaded = training.unpickled() if kind == "pickle" else training.booster()
    assert loaded.num_boosted_rounds() == 3


def test_reg_linear_and_silent_still_work_where_they_did(
    training: Training, capfd: pytest.CaptureFixture[str]
) -> None:
    replace(training, version="1.0-1").run(objective="reg:linear", silent="0")
    assert len(metric_lines(capfd.readouterr().out)) == 3
    assert training.unpickled().num_boosted_rounds() == 3


def test_old_containers_start_from_a_half_and_grow_exact_trees(training: Training) -> None:
    replace(training, version="1.7-1").run()
    learner = json.loads(training.booster().save_config())["learner"]
    assert float(learner["learner_model_param"]["base_score"].strip("[]")) == 0.5
    plain = xgboost.train(
        {"tree_method": "exact", "base_score": 0.5}, xgboost.DMatrix(ROWS, TARGET), 3
    )
    matrix = xgboost.DMatrix(ROWS)
    assert training.booster().predict(matrix) == pytest.approx(plain.predict(matrix), abs=1e-5)


def test_every_round_prints_a_line_that_the_service_s_expressions_read(
    training: Training, capfd: pytest.CaptureFixture[str]
) -> None:
    with_validation(training).run(eval_metric="rmse,mae")
    lines = metric_lines(capfd.readouterr().out)
    number = r"\d+\.\d{5}"
    names = ["train-rmse", "train-mae", "validation-rmse", "validation-mae"]
    assert len(lines) == 3
    assert all(sorted(re.findall(r"\t([\w-]+):" + number, line)) == sorted(names) for line in lines)


@pytest.mark.parametrize(
    ("version", "objective", "expected"),
    [
        ("1.2-2", "binary:logistic", "error"),
        ("1.3-1", "binary:logistic", "logloss"),
        ("3.2-0", "reg:squarederror", "rmse"),
    ],
)
def test_the_default_metric_is_the_container_s(
    training: Training,
    capfd: pytest.CaptureFixture[str],
    version: str,
    objective: str,
    expected: str,
) -> None:
    labels = {"train/a.csv": csv((CLASSES > 0).astype(int))}
    replace(training, version=version, files=labels).run(objective=objective)
    assert f"\ttrain-{expected}:" in metric_lines(capfd.readouterr().out)[0]


def test_the_container_s_own_metrics_stand_beside_the_library_s_default(
    training: Training, capfd: pytest.CaptureFixture[str]
) -> None:
    files = {"train/a.csv": csv(CLASSES)}
    replace(training, files=files).run(
        objective="multi:softprob", num_class="3", eval_metric="accuracy,f1_macro,balanced_accuracy"
    )
    names = re.findall(r"train-(\w+):", metric_lines(capfd.readouterr().out)[0])
    assert names == ["mlogloss", "accuracy", "f1_macro", "balanced_accuracy"]


def test_the_tuning_objective_is_evaluated_too(
    training: Training, capfd: pytest.CaptureFixture[str]
) -> None:
    with_validation(training).run(eval_metric="rmse", _tuning_objective_metric="validation:mape")
    assert "\tvalidation-mape:" in metric_lines(capfd.readouterr().out)[0]


STOPS_AFTER = {"num_round": "200", "early_stopping_rounds": "2", "eta": "1", "max_depth": "6"}


def test_early_stopping_cuts_the_model_to_its_best_round(
    training: Training, capfd: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(1).random(len(TARGET))
    with_validation(training, noise).run(**STOPS_AFTER, eval_metric="rmse")
    printed = metric_lines(capfd.readouterr().out)
    scores = [float(re.findall(r"validation-rmse:([\d.]+)", line)[0]) for line in printed]
    assert len(scores) < 200
    assert training.booster().num_boosted_rounds() == scores.index(min(scores)) + 1


@pytest.mark.parametrize("more", [{}, {"eval_metric": "rmse"}])
def test_early_stopping_needs_a_validation_channel_and_a_metric(
    training: Training, capfd: pytest.CaptureFixture[str], more: dict[str, str]
) -> None:
    given = training if more else with_validation(training)
    given.run(num_round="20", early_stopping_rounds="1", eta="1", **more)
    assert len(metric_lines(capfd.readouterr().out)) == 20


def test_old_containers_keep_every_tree_after_an_early_stop(training: Training) -> None:
    noise = np.random.default_rng(1).random(len(TARGET))
    given = replace(with_validation(training, noise), version="1.2-2")
    given.run(**STOPS_AFTER)
    booster = training.unpickled()
    best = int(booster.attr("best_iteration"))
    assert best + 1 < booster.num_boosted_rounds() < 200


def test_libsvm_is_the_type_of_a_channel_without_one(training: Training) -> None:
    files = {"train/a.svm": libsvm(TARGET)}
    replace(training, files=files, content_type=None).run()
    assert training.booster().num_features() == 3


def test_csv_without_a_type_fails_as_libsvm(training: Training) -> None:
    start = csv(TARGET).splitlines()[0]
    assert replace(training, content_type=None).fault() == (
        f"First line '{start}...' of file 'a.csv' is not 'LIBSVM' format. Please ensure the file is"
        " in 'LIBSVM' format."
    )


def test_files_of_nested_folders_are_one_matrix(
    training: Training, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = csv(TARGET).splitlines(keepends=True)
    files = {
        "train/a.csv": "".join(lines[:50]),
        "train/sub/b c#?.csv": "".join(lines[50:]),
        "train/sub/sub/empty": "",
    }
    replace(training, files=files).run()
    assert "Train matrix has 120 rows and 3 columns" in capfd.readouterr().out


def test_a_header_and_text_are_read_as_zeros_and_warned_of(
    training: Training, capfd: pytest.CaptureFixture[str]
) -> None:
    replace(training, files={"train/a.csv": "y,a,b,c\n" + csv(TARGET)}).run()
    printed = capfd.readouterr().out
    assert "Train matrix has 121 rows and 3 columns" in printed
    assert "WARNING] First line of 'a.csv' is no row of numbers" in printed


def test_weights_stand_in_the_second_column_of_the_training_data_alone(training: Training) -> None:
    rows = np.column_stack([np.ones(len(ROWS)), ROWS])
    files = {"train/a.csv": csv(TARGET, rows), "validation/a.csv": csv(TARGET)}
    replace(training, files=files).run(csv_weights="1")
    assert training.booster().num_features() == 3


def test_a_libsvm_line_longer_than_what_is_sampled_is_taken(training: Training) -> None:
    line = "1 " + " ".join(f"{index}:0.123456" for index in range(8000)) + "\n"
    replace(training, files={"train/a.svm": line * 2}, content_type=None).run()
    assert training.booster().num_features() == 8000


@pytest.mark.parametrize(
    ("files", "content_type", "expected"),
    [
        ({"test/a.csv": "1,2\n"}, "text/csv", "Missing required channel: train"),
        (
            {"train/a.csv": "1,2\n", "test/a.csv": "1,2\n"},
            "text/csv",
            "Extraneous channel found: test",
        ),
        (
            {"train/a.csv": "1,2\n"},
            "text/csv; charset=utf-8",
            "Channel configuration for 'train' channel is not supported: {",
        ),
        (
            {"train/a.csv": "1,2\n"},
            "application/x-parquet",
            "Channel 'train' has the content type application/x-parquet: the local SageMaker's",
        ),
        ({"train/.hidden": "1,2\n"}, "text/csv", "Hidden file found in the data path!"),
        (
            {"train/a.csv": ""},
            "text/csv",
            "No data in training channel path /opt/ml/input/data/train",
        ),
        (
            {"train/a.csv": "1,2\n", "validation/a.csv": ""},
            "text/csv",
            "No data in validation channel path /opt/ml/input/data/validation",
        ),
        ({"train/a.csv": "5\n"}, "text/csv", "Failed to load csv data with exception:"),
    ],
)
def test_data_that_cannot_be_used_is_said_as_the_container_says_it(
    training: Training, files: dict[str, str], content_type: str, expected: str
) -> None:
    assert expected in replace(training, files=files, content_type=content_type).fault()


@pytest.mark.parametrize(
    ("labels", "hyperparameters", "expected"),
    [
        (
            TARGET,
            {"objective": "binary:logistic"},
            "Check failed: is_valid: base_score must be in (0,1)",
        ),
        (TARGET - 10, {"objective": "count:poisson"}, "label must be non-negative"),
        (
            TARGET,
            {"tree_method": "gpu_hist"},
            "XGB train call failed with exception:\n Invalid Input: 'gpu_hist', valid values are",
        ),
    ],
)
def test_what_the_library_refuses_is_said_without_its_stack(
    training: Training, labels: Any, hyperparameters: dict[str, str], expected: str
) -> None:
    said = replace(training, files={"train/a.csv": csv(labels)}).fault(**hyperparameters)
    assert expected in said
    assert "Stack trace" not in said


def test_what_needs_what_is_not_here_is_refused_by_name(training: Training) -> None:
    assert "needs GPUs" in training.fault(use_dask_gpu_training="true")


@pytest.mark.parametrize(
    ("objective", "columns"),
    [("reg:squarederror", 2), ("binary:logistic", 3), ("multi:softprob", 3)],
)
def test_cross_validation_trains_every_fold_and_writes_the_predictions(
    training: Training, capfd: pytest.CaptureFixture[str], objective: str, columns: int
) -> None:
    labels = {"binary:logistic": (CLASSES > 0).astype(int), "multi:softprob": CLASSES}
    given = with_validation(training, labels.get(objective, TARGET))
    classes = "3" if objective == "multi:softprob" else ""
    given.run(objective=objective, num_class=classes, _kfold="3", _num_cv_round="2")
    models = sorted(path.name for path in (training.root / "opt/ml/model").iterdir())
    assert models == [f"xgboost-model-{number}" for number in range(6)]
    predicted = np.loadtxt(training.root / "opt/ml/output/data/predictions.csv", delimiter=",")
    assert predicted.shape == (120, columns)
    assert predicted[:, 0] == pytest.approx(labels.get(objective, TARGET), abs=1e-4)
    printed = metric_lines(capfd.readouterr().out)
    assert [line.split("\t")[0] for line in printed] == ["[3]", "[3]"]
    assert all("\tvalidation-" in line for line in printed)


def test_old_containers_resume_from_the_last_of_five_checkpoints(
    training: Training, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = training.root / "checkpoints"
    given = replace(training, version="1.2-1", checkpoints=folder)
    given.run(num_round="7")
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"xgboost-checkpoint.{number}" for number in range(2, 7)]
    capfd.readouterr()
    given.run(num_round="9")
    printed = capfd.readouterr().out
    assert "Resuming from iteration 7" in printed
    assert len(metric_lines(printed)) == 2
    assert training.unpickled().num_boosted_rounds() == 9


@pytest.mark.parametrize(("version", "suffix"), [("1.5-1", "json"), ("3.2-0", "ubj")])
def test_newer_containers_write_one_checkpoint_and_never_resume(
    training: Training, version: str, suffix: str
) -> None:
    folder = training.root / "checkpoints"
    given = replace(training, version=version, checkpoints=folder)
    for _ in range(2):
        given.run()
    assert [path.name for path in folder.iterdir()] == [f"xgboost-checkpoint_0.{suffix}"]
    assert training.booster().num_boosted_rounds() == 3


def test_every_tag_trains(training: Training) -> None:
    for version in XGBOOST_VERSIONS:
        training.model.unlink(missing_ok=True)
        replace(training, version=version).run()
        assert training.model.is_file()
