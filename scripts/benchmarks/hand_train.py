"""Train on the abalone data by hand: what built-in XGBoost does, in plain XGBoost.

`hand_train.py TRAIN_CSV VALIDATION_CSV HYPERPARAMETERS_JSON MODEL_TAR_GZ`
"""

import json
import sys
import tarfile
import warnings
from pathlib import Path

import xgboost


def read(path: str) -> xgboost.DMatrix:
    # With XGBoost's own reader of text, as SageMaker's containers do: it rounds a few numbers
    # otherwise than numpy, and a few rows then fall on the other side of a tree's threshold.
    return xgboost.DMatrix(f"{path}?format=csv&label_column=0")


def main(train: str, validation: str, hyperparameters: str, archive: str) -> None:
    settings = json.loads(hyperparameters)
    rounds = int(settings.pop("num_round"))
    rows = read(train)
    watched = [(rows, "train"), (read(validation), "validation")]
    model = xgboost.train(settings, rows, rounds, evals=watched)
    file = Path(archive).with_name("xgboost-model")
    file.write_bytes(model.save_raw("ubj"))
    with tarfile.open(archive, "w:gz") as members:
        members.add(file, file.name)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", "(?s).*Text file input")  # deprecated, and what they use
    main(*sys.argv[1:])
