"""How good the abalone model is, beside scikit-learn and XGBoost without us.

The reference below is written from the issue's words alone, with the libraries' own tools, and
shares no code with the scripts.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from include.pipelines.abalone import evaluate, preprocess
from include.pipelines.abalone.pipeline import HYPERPARAMETERS
from tests.unit.pipelines.abalone_data import abalone, put_abalone

SEEDS = range(20)


def boosted(hyperparameters: dict[str, str], train: np.ndarray) -> xgboost.Booster:
    """What built-in XGBoost does with them: all but num_round go to the booster."""
    rounds = int(hyperparameters["num_round"])
    settings = {name: value for name, value in hyperparameters.items() if name != "num_round"}
    settings["nthread"] = "1"  # several threads wait for each other where tests run side by side
    return xgboost.train(settings, xgboost.DMatrix(train[:, 1:], train[:, 0]), rounds)


def mse_of_the_scripts(root: Path, seed: int) -> float:
    preprocess.prepare_training_data(root, seed)
    model = boosted(HYPERPARAMETERS, np.loadtxt(root / preprocess.TRAIN, delimiter=","))
    labels, features = evaluate.read_test_data(root / preprocess.TEST)
    metrics = evaluate.report(labels, evaluate.predict(model, features))["regression_metrics"]
    return float(metrics["mse"]["value"])


def mse_without_us(table: pd.DataFrame, seed: int) -> float:
    features, labels = table.drop(columns="rings"), table["rings"]
    rest, test, rest_labels, test_labels = train_test_split(
        features, labels, test_size=0.15, random_state=seed
    )
    train, _, train_labels, _ = train_test_split(
        rest, rest_labels, test_size=0.15 / 0.85, random_state=seed
    )
    prepare = make_column_transformer(
        (OneHotEncoder(), ["sex"]), remainder=StandardScaler(), sparse_threshold=0
    )
    model = xgboost.XGBRegressor(
        n_estimators=50,
        max_depth=5,
        learning_rate=0.2,
        gamma=4,
        min_child_weight=6,
        subsample=0.7,
        n_jobs=1,
    )
    model.fit(prepare.fit_transform(train), train_labels)
    return float(mean_squared_error(test_labels, model.predict(prepare.transform(test))))


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    root = tmp_path_factory.mktemp("ml")
    put_abalone(root)
    return np.array([mse_of_the_scripts(root, seed) for seed in SEEDS])


def test_the_mean_mse_lies_where_the_libraries_put_it_without_us(errors: np.ndarray) -> None:
    theirs = np.array([mse_without_us(abalone(), seed) for seed in SEEDS])
    # Two means of 20 draws from one distribution differ by less than this 99 times in 100.
    tolerance = 2.6 * np.sqrt((errors.var(ddof=1) + theirs.var(ddof=1)) / len(SEEDS))
    assert errors.mean() == pytest.approx(theirs.mean(), abs=tolerance)


def test_mean_and_spread_of_the_mse_are_the_measured_ones(errors: np.ndarray) -> None:
    assert (errors.mean(), errors.std(ddof=1)) == pytest.approx((4.8, 0.4), abs=0.1)
