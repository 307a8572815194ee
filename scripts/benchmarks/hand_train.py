"""Train on the abalone data by hand: what built-in XGBoost does, in plain XGBoost.

`hand_train.py TRAIN_CSV VALIDATION_CSV HYPERPARAMETERS_JSON MODEL_TAR_GZ`
"""

import json
import sys
import tarfile
from pathlib import Path

import numpy as np
import xgboost


def read(path: str) -> xgboost.DMatrix:
    rows = np.loadtxt(path, delimiter=",", ndmin=2)
    return xgboost.DMatrix(rows[:, 1:], rows[:, 0])


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
    main(*sys.argv[1:])
