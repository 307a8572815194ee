"""What iris.json calls train.py: train a forest, and load it for predictions."""

import argparse
import os
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

FILE = "model.joblib"


def model_fn(model_dir: str) -> Any:
    return joblib.load(Path(model_dir, FILE))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--n_estimators", type=int)
    parser.add_argument("--min_samples_leaf", type=int)
    parser.add_argument("--target")
    given, _ = parser.parse_known_args()
    table = pd.read_csv(Path(os.environ["SM_CHANNEL_TRAIN"], "train.csv"))
    forest = RandomForestClassifier(
        given.n_estimators, min_samples_leaf=given.min_samples_leaf, random_state=0
    )
    forest.fit(table.drop(columns=[given.target]).to_numpy(), table[given.target])
    joblib.dump(forest, Path(os.environ["SM_MODEL_DIR"], FILE))
