import pytest

from include.nacre.local.images.algorithm.hyperparameters import validate
from include.nacre.local.images.errors import UserError

NEWEST = "3.2-0"


def said(version: str = NEWEST, **texts: str) -> str:
    with pytest.raises(UserError) as raised:
        validate({"num_round": "5", **texts}, version)
    return str(raised.value)


def test_the_abalone_example_s_hyperparameters_are_read_as_values() -> None:
    texts = {
        "objective": "reg:linear",
        "num_round": "50",
        "max_depth": "5",
        "eta": "0.2",
        "gamma": "4",
        "min_child_weight": "6",
        "subsample": "0.7",
        "silent": "0",
    }
    assert validate(texts, "1.0-1") == {
        "objective": "reg:linear",
        "num_round": 50,
        "max_depth": 5,
        "eta": 0.2,
        "gamma": 4.0,
        "min_child_weight": 6.0,
        "subsample": 0.7,
        "silent": 0,
    }


def test_an_alias_is_its_hyperparameter() -> None:
    assert validate({"num_round": "1", "learning_rate": "0.5"}, NEWEST) == {
        "num_round": 1,
        "eta": 0.5,
    }


def test_a_required_hyperparameter_is_asked_for() -> None:
    with pytest.raises(UserError, match=r"^Missing required hyperparameter: num_round$"):
        validate({}, NEWEST)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("foo", "1", "Extraneous hyperparameter found: foo"),
        ("n_estimators", "1", "Extraneous hyperparameter found: n_estimators"),
        ("sagemaker_region", "x", "Extraneous hyperparameter found: sagemaker_region"),
        (
            "max_depth",
            "5.0",
            "Hyperparameter max_depth: could not parse value (caused by ValueError)",
        ),
        ("eta", "fast", "Hyperparameter eta: could not parse value (caused by ValueError)"),
        ("eta", "2", "Hyperparameter eta: 2.0 is not in [0, 1]"),
        ("subsample", "0", "Hyperparameter subsample: 0.0 is not in (0, 1]"),
        ("num_round", "0", "Hyperparameter num_round: 0 is not in [1, +inf)"),
        ("booster", "x", "Hyperparameter booster: x is not in ['gbtree', 'gblinear', 'dart']"),
        (
            "monotone_constraints",
            "(2,)",
            "monotone_constraints: value (2,) not in range [-1, 0, 1]",
        ),
        ("monotone_constraints", "(1", "monotone_constraints: could not parse value"),
        ("interaction_constraints", "[[0,1]]", "value [[0, 1]] not in range [1, +inf)"),
        ("eval_metric", "rmse,x", "Hyperparameter eval_metric: value ['rmse', 'x'] not in range ["),
        ("eval_metric", "auc@1", "Metric 'auc@1' is not supported."),
        ("eval_metric", "error@x", "Threshold value 't' in 'error@t' expects float input."),
        ("objective", '"binary:logistic"', 'Hyperparameter objective: "binary:logistic" is not in'),
    ],
)
def test_what_a_hyperparameter_cannot_be_is_said_as_the_container_says_it(
    name: str, text: str, expected: str
) -> None:
    assert expected in said(**{name: text})


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            {"objective": "multi:softmax"},
            "Require input for parameter 'num_class' for multi-classification",
        ),
        (
            {"objective": "multi:softprob", "num_class": "3", "eval_metric": "auc"},
            "Metric 'auc' can only be applied for classification and ranking problems.",
        ),
        (
            {"objective": "reg:gamma", "eval_metric": "aft-nloglik"},
            "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.",
        ),
        ({"eval_metric": "rmse"}, "KeyError: 'objective'"),
        (
            {"monotone_constraints": "(1,0)"},
            "tree_method parameter is set to either 'exact' or 'hist'.",
        ),
        (
            {"interaction_constraints": "[[1,2]]", "tree_method": "auto"},
            "tree_method parameter is set to either 'exact', 'hist' or 'approx'.",
        ),
        ({"booster": "gblinear", "updater": "prune"}, "Linear updater should be one of"),
        ({"updater": "shotgun"}, "Tree updater should be selected from these options"),
        ({"updater": "distcol,grow_colmaker"}, "Only one tree grow plugin can be selected"),
        ({"process_type": "update", "updater": "sync"}, "can only be used with updater 'refresh'"),
    ],
)
def test_what_does_not_go_together_is_said(texts: dict[str, str], expected: str) -> None:
    assert expected in said(**texts)


@pytest.mark.parametrize(
    ("texts", "first", "last_without"),
    [
        ({"silent": "1"}, "0.90-1", "1.2-1"),
        ({"num_parallel_tree": "2"}, "0.90-2", "0.90-1"),
        ({"monotone_constraints": "(1,)", "tree_method": "hist"}, "1.0-1", "0.90-2"),
        ({"_kfold": "3"}, "1.2-2", "1.2-1"),
        ({"_nfold": "3"}, "1.2-1", "1.2-2"),
        ({"sampling_method": "uniform"}, "1.3-1", "1.2-2"),
        ({"use_dask_gpu_training": "false"}, "1.7-1", "1.5-1"),
        ({"single_precision_histogram": "true"}, "1.5-1", "1.7-1"),
        ({"objective": "reg:absoluteerror"}, "1.7-1-1", "1.7-1"),
    ],
)
def test_a_container_knows_the_hyperparameters_of_its_time(
    texts: dict[str, str], first: str, last_without: str
) -> None:
    assert set(validate({"num_round": "1", **texts}, first)) == {"num_round", *texts}
    assert said(last_without, **texts) != ""


def test_every_fault_is_told_at_once() -> None:
    assert said(foo="1", eta="2", max_depth="x").splitlines() == [
        "Extraneous hyperparameter found: foo",
        "Hyperparameter eta: 2.0 is not in [0, 1]",
        "Hyperparameter max_depth: could not parse value (caused by ValueError)",
    ]
