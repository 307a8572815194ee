"""Model quality statistics, and which of two values is better."""

import math
from typing import Any

import pytest

from include.nacre.registry.quality import (
    Quality,
    QualityError,
    gain,
    gain_in_words,
    in_words,
    read_quality,
)
from include.pipelines.abalone import evaluate


def test_what_the_abalone_evaluation_writes_is_read() -> None:
    import numpy as np

    report = evaluate.report(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 5.0]))
    found = read_quality(report)
    assert (found.rows, sorted(found.metrics)) == (3, ["mae", "mse", "r2", "rmse"])
    assert found.metrics["mse"] == pytest.approx(4 / 3)


def test_statistics_of_a_classifier_are_read_too() -> None:
    statistics = {"multiclass_classification_metrics": {"accuracy": {"value": 0.95}}}
    assert read_quality(statistics) == Quality(None, {"accuracy": 0.95})


def test_a_metric_without_a_value_is_left_out() -> None:
    statistics = {"regression_metrics": {"mse": {"value": 1}, "r2": {"value": None}}}
    assert read_quality(statistics).metrics == {"mse": 1}


@pytest.mark.parametrize(
    ("statistics", "fault"),
    [
        ([1], "it holds no JSON object"),
        ({"mse": 4}, r"it must hold one object '…_metrics'; it holds \['mse'\]"),
        ({"regression_metrics": 4}, "it must hold one object"),
        ({"regression_metrics": {"mse": {"value": "low"}}}, "no metric in it has a number"),
        ({"regression_metrics": {"mse": {"value": True}}}, "no metric in it has a number"),
    ],
)
def test_what_is_no_statistics_is_refused(statistics: Any, fault: str) -> None:
    with pytest.raises(QualityError, match=fault):
        read_quality(statistics)


@pytest.mark.parametrize(
    ("metric", "candidate", "champion", "expected", "words"),
    [
        ("mse", 4.0, 5.0, 0.2, "20.0 % better"),
        ("mse", 5.0, 4.0, -0.25, "25.0 % worse"),
        ("mse", 5.0, 5.0, 0.0, "the same"),
        ("accuracy", 0.96, 0.80, 0.2, "20.0 % better"),
        ("r2", -0.1, -0.2, 0.5, "50.0 % better"),
        ("r2", 0.1, 0.0, math.inf, "better"),
        ("mse", 0.1, 0.0, -math.inf, "worse"),
        ("mse", 0.0, 0.0, 0.0, "the same"),
        ("mse", 4.9999, 5.0, 2e-5, "less than 0.1 % better"),
        ("lift", 1.2, 1.0, 0.2, "20.0 % higher"),
        ("lift", 0.8, 1.0, -0.2, "20.0 % lower"),
    ],
)
def test_a_gain_is_a_share_of_the_champions_value(
    metric: str, candidate: float, champion: float, expected: float, words: str
) -> None:
    assert gain(metric, candidate, champion) == pytest.approx(expected)
    assert gain_in_words(metric, candidate, champion) == words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (4.70512, "4.705"),
        (0.0, "0"),
        (12345.6, "12346"),
        (0.00001234, "1.234e-05"),
        (3e12, "3e+12"),
    ],
)
def test_a_value_is_shown_in_few_digits(value: float, shown: str) -> None:
    assert in_words(value) == shown
