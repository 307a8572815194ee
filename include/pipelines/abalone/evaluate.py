"""How well a trained model predicts rows that it has not seen. Runs in a container.

A SageMaker processing job runs this file alone, in the XGBoost image (which has matplotlib; the
scikit-learn image has none), so it imports nothing of ours. It reads and writes below /opt/ml
(another root for tests and by hand: `--root`):

    processing/input/model/model.tar.gz     what the training job left
    processing/input/test/test.csv          label first, no header
    processing/evaluation/evaluation.json   the metrics, in the layout of SageMaker's model quality
                                            statistics: regression_metrics.<metric>.value
    processing/evaluation/evaluation.png    predicted against true, and the residuals

`mse.standard_deviation` is the standard deviation of the errors (prediction less label), as in
AWS's own abalone example, so that the two can be compared: near the root of the MSE, unless the
model is biased.

A model or data that cannot be used ends the job with status 1 and a message, which the service
shows as the job's ExitMessage.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from matplotlib.axes import Axes
from matplotlib.figure import Figure

ROOT = Path("/opt/ml")
MODEL = Path("processing/input/model/model.tar.gz")
TEST = Path("processing/input/test/test.csv")
REPORT = Path("processing/evaluation/evaluation.json")
PICTURE = Path("processing/evaluation/evaluation.png")
MESSAGE = Path("output/message")

MODEL_FILE = "xgboost-model"
PICKLE = b"\x80"  # how every pickle begins, protocol 2 and later
MESSAGE_BYTES = 1024  # what the service keeps of an exit message
# What xgboost and (its documentation says) unpickling raise for a file that is not theirs.
UNREADABLE = (
    xgboost.core.XGBoostError,
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    ImportError,
    IndexError,
    ValueError,
)

BLUE, GREY = "#2f6f9f", "#555555"


class BadInputError(Exception):
    """The model or the test data cannot be used; the text is for a person."""


# Reading.


def model_bytes(archive: Path) -> bytes:
    """The model file inside a training job's model.tar.gz."""
    try:
        with tarfile.open(archive) as members:
            names = members.getnames()
            found = [name for name in names if Path(name).name == MODEL_FILE]
            content = members.extractfile(found[0]) if found else None
            if content is None:
                raise BadInputError(f"{archive.name} holds no {MODEL_FILE}, but: {names}")
            return content.read()
    except (OSError, EOFError, tarfile.TarError) as error:
        raise BadInputError(f"{archive}: no model archive can be read there ({error})") from error


def load_model(content: bytes) -> xgboost.Booster:
    """The booster in a model file: containers up to 1.2 pickle it, later ones save it themselves.

    A pickle runs code as it is read. This one comes from our own training job, and SageMaker's
    serving container reads it in the same way.
    """
    if not content:  # xgboost 3.2 would abort the whole process
        raise BadInputError(f"{MODEL_FILE}: the file is empty")
    try:
        if content.startswith(PICKLE):
            booster: xgboost.Booster = pickle.loads(content)  # noqa: S301  # see above
            return booster
        return xgboost.Booster(model_file=bytearray(content))
    except UNREADABLE as error:
        why = str(error).splitlines()[0]  # after it comes xgboost's own stack
        raise BadInputError(
            f"{MODEL_FILE}: xgboost {xgboost.__version__} cannot load it;"
            f" evaluate in the image that trained it ({why})"
        ) from error


def read_test_data(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Labels and features of a CSV file with the label first."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = np.loadtxt(lines, delimiter=",", ndmin=2) if lines else np.empty((0, 0))
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path}: no table of numbers can be read there ({error})") from error
    if len(rows) < 2 or rows.shape[1] < 2:
        raise BadInputError(f"{path}: two labelled rows at least are needed, not {rows.shape}")
    return rows[:, 0], rows[:, 1:]


def predict(booster: xgboost.Booster, features: np.ndarray) -> np.ndarray:
    if booster.num_features() != features.shape[1]:
        raise BadInputError(
            f"the model knows {booster.num_features()} features,"
            f" the test data has {features.shape[1]}"
        )
    predictions: np.ndarray = booster.predict(xgboost.DMatrix(features), validate_features=False)
    return predictions.astype(float)


# Judging: values in, values out.


def report(labels: np.ndarray, predictions: np.ndarray) -> dict[str, Any]:
    """The metrics as SageMaker's model registry reads them."""
    errors = predictions - labels
    squares = errors**2
    spread = np.sum((labels - labels.mean()) ** 2)
    # Labels that are all alike leave nothing to explain: R2 has no value then, JSON no NaN.
    r2 = float(1 - squares.sum() / spread) if spread else None
    return {
        "dataset": {"item_count": len(labels)},
        "regression_metrics": {
            "mse": {
                "value": float(squares.mean()),
                "standard_deviation": float(errors.std()),
            },
            "rmse": {"value": float(np.sqrt(squares.mean()))},
            "mae": {"value": float(np.abs(errors).mean())},
            "r2": {"value": r2},
        },
    }


def picture(labels: np.ndarray, predictions: np.ndarray, title: str) -> Figure:
    """Predicted against true on the left, the residuals on the right."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    figure.suptitle(title, fontsize=13)
    truth, residuals, histogram = figure.subplots(1, 3, width_ratios=[5, 5, 1.3])
    draw_truth(truth, labels, predictions)
    draw_residuals(residuals, histogram, labels, predictions)
    for axes in (truth, residuals, histogram):
        axes.spines[["top", "right"]].set_visible(False)
        axes.locator_params(integer=True)  # rings are counted
    return figure


def draw_truth(axes: Axes, labels: np.ndarray, predictions: np.ndarray) -> None:
    low = min(labels.min(), predictions.min()) - 1
    high = max(labels.max(), predictions.max()) + 1
    axes.plot([low, high], [low, high], color=GREY, linewidth=1, label="predicted = true")
    axes.scatter(labels, predictions, s=14, alpha=0.35, color=BLUE, linewidths=0)
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    axes.set(title="Predicted against true", xlabel="true rings", ylabel="predicted rings")
    axes.legend(frameon=False, loc="upper left")


def draw_residuals(
    axes: Axes, histogram: Axes, labels: np.ndarray, predictions: np.ndarray
) -> None:
    residuals = labels - predictions
    axes.axhline(0, color=GREY, linewidth=1)
    axes.scatter(predictions, residuals, s=14, alpha=0.35, color=BLUE, linewidths=0)
    axes.set(title="Residuals", xlabel="predicted rings", ylabel="true less predicted")
    histogram.sharey(axes)
    histogram.hist(residuals, bins=40, orientation="horizontal", color=BLUE, alpha=0.7)
    histogram.axhline(0, color=GREY, linewidth=1)
    histogram.tick_params(labelleft=False)
    histogram.set(xlabel="rows")


# The job.


def evaluate(root: Path) -> dict[str, Any]:
    labels, features = read_test_data(root / TEST)
    predictions = predict(load_model(model_bytes(root / MODEL)), features)
    result = report(labels, predictions)
    (root / REPORT).parent.mkdir(parents=True, exist_ok=True)
    (root / REPORT).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    figure = picture(labels, predictions, summary(result))
    figure.savefig(root / PICTURE, dpi=110)
    return result


def summary(result: dict[str, Any]) -> str:
    metrics = result["regression_metrics"]
    r2 = metrics["r2"]["value"]
    return (
        f"MSE {metrics['mse']['value']:.2f}"
        f" (standard deviation of the errors {metrics['mse']['standard_deviation']:.2f})"
        f", MAE {metrics['mae']['value']:.2f}, R2 {'-' if r2 is None else format(r2, '.2f')}"
        f" on {result['dataset']['item_count']} test rows"
    )


def main(arguments: list[str] | None = None) -> str | None:
    """The job; what it returns is what `sys.exit` takes: None, or a message and status 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=ROOT, help=f"instead of {ROOT}")
    root = parser.parse_args(arguments).root
    try:
        print(summary(evaluate(root)))
    except BadInputError as error:
        return refuse(root, str(error))
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
