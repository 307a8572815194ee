"""The built-in XGBoost algorithm's hyperparameters: what each may be, as its container says it.

Ranges, versions and messages are those of the service's containers; the table is the only place
that knows them. A hyperparameter arrives as text and is not JSON: `"5.0"` is no integer and
`"\\"binary:logistic\\""` no objective.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.nacre.local.images.algorithm import metrics
from include.nacre.local.images.errors import UserError
from include.nacre.local.images.registry import XGBOOST_VERSIONS


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`; None is unbounded, an open end excludes its bound."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, int | float):
            return False
        low_fits = self.low is None or value > self.low or (value == self.low and not self.low_open)
        high_fits = (
            self.high is None or value < self.high or (value == self.high and not self.high_open)
        )
        return low_fits and high_fits

    def __str__(self) -> str:
        low = "(-inf" if self.low is None else f"{'(' if self.low_open else '['}{self.low}"
        high = "+inf)" if self.high is None else f"{self.high}{')' if self.high_open else ']'}"
        return f"{low}, {high}"


@dataclass(frozen=True)
class Rule:
    """One hyperparameter: how its text is read, what it may be, which containers know it."""

    read: Callable[[str], Any]
    allowed: Interval | Sequence[Any]
    since: str = ""
    until: str = ""


def _choice(text: str) -> str:
    return text


def _choices(text: str) -> list[str]:
    return text.split(",")


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except SyntaxError as fault:
        raise ValueError(text) from fault


_NOT_NEGATIVE = Interval(low=0)
_POSITIVE = Interval(low=0, low_open=True)
_AT_LEAST_ONE = Interval(low=1)
_UNIT = Interval(low=0, high=1)
_SHARE = Interval(low=0, high=1, low_open=True)
_SWITCH = Interval(low=0, high=1)
_BOOLEAN = ["true", "false"]
_TREE_GROWERS = [
    "grow_colmaker",
    "distcol",
    "grow_histmaker",
    "grow_local_histmaker",
    "grow_quantile_histmaker",
]
_TREE_UPDATERS = [*_TREE_GROWERS, "grow_skmaker", "sync", "refresh", "prune"]
_LINEAR_UPDATERS = ["shotgun", "coord_descent"]
_OBJECTIVES = [
    "aft_loss_distribution",
    "binary:logistic",
    "binary:logitraw",
    "binary:hinge",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "rank:pairwise",
    "rank:ndcg",
    "rank:map",
    "reg:absoluteerror",
    "reg:linear",
    "reg:squarederror",
    "reg:logistic",
    "reg:gamma",
    "reg:pseudohubererror",
    "reg:squaredlogerror",
    "reg:tweedie",
    "survival:aft",
    "survival:cox",
]
# Objective -> the first container that takes it, where that is not the first of all.
_OBJECTIVE_SINCE = {"reg:absoluteerror": "1.7-1-1", "survival:aft": "1.2-1"}
_THRESHOLD_METRICS = ["error", "ndcg", "map"]

RULES: Mapping[str, Rule] = {
    "num_round": Rule(int, _AT_LEAST_ONE),
    "csv_weights": Rule(int, _SWITCH),
    "early_stopping_rounds": Rule(int, _AT_LEAST_ONE),
    "booster": Rule(_choice, ["gbtree", "gblinear", "dart"]),
    "silent": Rule(int, _SWITCH, until="1.0-1"),
    "verbosity": Rule(int, Interval(low=0, high=3)),
    "nthread": Rule(int, _AT_LEAST_ONE),
    "eta": Rule(float, _UNIT),
    "gamma": Rule(float, _NOT_NEGATIVE),
    "max_depth": Rule(int, _NOT_NEGATIVE),
    "min_child_weight": Rule(float, _NOT_NEGATIVE),
    "max_delta_step": Rule(float, _NOT_NEGATIVE),
    "subsample": Rule(float, _SHARE),
    "colsample_bytree": Rule(float, _SHARE),
    "colsample_bylevel": Rule(float, _SHARE),
    "colsample_bynode": Rule(float, _SHARE),
    "lambda": Rule(float, _NOT_NEGATIVE),
    "alpha": Rule(float, _NOT_NEGATIVE),
    "tree_method": Rule(_choice, ["auto", "exact", "approx", "hist", "gpu_hist"]),
    "sketch_eps": Rule(float, Interval(0, 1, low_open=True, high_open=True)),
    "scale_pos_weight": Rule(float, _POSITIVE),
    "updater": Rule(_choices, [*_TREE_UPDATERS, *_LINEAR_UPDATERS]),
    "dsplit": Rule(_choice, ["row", "col"]),
    "refresh_leaf": Rule(int, _SWITCH),
    "process_type": Rule(_choice, ["default", "update"]),
    "grow_policy": Rule(_choice, ["depthwise", "lossguide"]),
    "max_leaves": Rule(int, _NOT_NEGATIVE),
    "max_bin": Rule(int, _NOT_NEGATIVE),
    "predictor": Rule(_choice, ["auto", "cpu_predictor", "gpu_predictor"]),
    "monotone_constraints": Rule(_literal, [-1, 0, 1], since="1.0-1"),
    "interaction_constraints": Rule(_literal, _AT_LEAST_ONE, since="1.0-1"),
    "sample_type": Rule(_choice, ["uniform", "weighted"]),
    "normalize_type": Rule(_choice, ["tree", "forest"]),
    "rate_drop": Rule(float, _UNIT),
    "one_drop": Rule(int, _SWITCH),
    "skip_drop": Rule(float, _UNIT),
    "lambda_bias": Rule(float, _UNIT),
    "tweedie_variance_power": Rule(float, Interval(1, 2, low_open=True, high_open=True)),
    "objective": Rule(_choice, _OBJECTIVES),
    "num_class": Rule(int, Interval(low=2)),
    "base_score": Rule(float, _NOT_NEGATIVE),
    "eval_metric": Rule(_choices, metrics.KNOWN),
    "_tuning_objective_metric": Rule(_choice, metrics.TUNING_NAMES),
    "_nfold": Rule(int, Interval(low=2), since="1.2-1", until="1.2-1"),
    "_kfold": Rule(int, Interval(low=2), since="1.2-2"),
    "_num_cv_round": Rule(int, _AT_LEAST_ONE, since="1.2-2"),
    "seed": Rule(int, Interval(-(2**31), 2**31 - 1, low_open=True, high_open=True)),
    "num_parallel_tree": Rule(int, _AT_LEAST_ONE, since="0.90-2"),
    "save_model_on_termination": Rule(_choice, _BOOLEAN, since="1.0-1"),
    "aft_loss_distribution": Rule(_choice, ["normal", "logistic", "extreme"], since="1.2-1"),
    "aft_loss_distribution_scale": Rule(float, _NOT_NEGATIVE, since="1.2-1"),
    "single_precision_histogram": Rule(_choice, _BOOLEAN, since="1.2-1", until="1.5-1"),
    "deterministic_histogram": Rule(_choice, _BOOLEAN, since="1.2-1"),
    "sampling_method": Rule(_choice, ["uniform", "gradient_based"], since="1.3-1"),
    "prob_buffer_row": Rule(float, Interval(low=1.0, low_open=True)),
    "use_dask_gpu_training": Rule(_choice, _BOOLEAN, since="1.7-1"),
}
_ALIASES = {
    "learning_rate": "eta",
    "min_split_loss": "gamma",
    "reg_lambda": "lambda",
    "reg_alpha": "alpha",
}


def validate(texts: Mapping[str, str], version: str) -> dict[str, Any]:
    """The hyperparameters as values, or a UserError with every fault on a line of its own."""
    named = {_ALIASES.get(name, name): text for name, text in texts.items()}
    faults = [f"Missing required hyperparameter: {name}" for name in {"num_round"} - named.keys()]
    values: dict[str, Any] = {}
    for name, text in named.items():
        try:
            values[name] = _read(name, text, version)
        except UserError as fault:
            faults.append(str(fault))
    faults = faults or list(_conflicts(values))
    if faults:
        raise UserError("\n".join(faults))
    return values


def _read(name: str, text: str, version: str) -> Any:
    rule = RULES.get(name)
    if rule is None or not _known_to(version, rule.since, rule.until):
        raise UserError(f"Extraneous hyperparameter found: {name}")
    try:
        value = rule.read(text)
    except ValueError as fault:
        raise UserError(
            f"Hyperparameter {name}: could not parse value (caused by ValueError)"
        ) from fault
    _check_range(name, value, rule, version)
    return value


def _check_range(name: str, value: Any, rule: Rule, version: str) -> None:
    allowed = rule.allowed
    if name == "eval_metric":
        if not all(_is_metric(metric) for metric in value):
            raise UserError(f"Hyperparameter {name}: value {value} not in range {allowed}")
    elif name == "objective" and not _known_to(version, _OBJECTIVE_SINCE.get(value, "")):
        raise UserError(f"Hyperparameter {name}: {value} is not in {allowed}")
    elif isinstance(value, list | tuple):
        if not all(item in allowed for item in _flat(value)):
            raise UserError(f"Hyperparameter {name}: value {value} not in range {allowed}")
    elif value not in allowed:
        raise UserError(f"Hyperparameter {name}: {value} is not in {allowed}")


def _is_metric(metric: str) -> bool:
    name, separator, threshold = (part.strip() for part in metric.partition("@"))
    if not separator:
        return metric in metrics.KNOWN
    if name not in _THRESHOLD_METRICS:
        raise UserError(
            f"Metric '{metric}' is not supported. Parameter 'eval_metric' with customized"
            f" threshold should be one of these options: {_quoted(_THRESHOLD_METRICS)}."
        )
    try:
        float(threshold)
    except ValueError as fault:
        raise UserError(f"Threshold value 't' in '{name}@t' expects float input.") from fault
    return True


def _conflicts(values: Mapping[str, Any]) -> list[str]:
    """What hyperparameters that are right one by one say wrong together."""
    checks = (_objective_fault, _metric_fault, _constraint_fault, _updater_fault)
    return [fault for check in checks if (fault := check(values))]


def _objective_fault(values: Mapping[str, Any]) -> str | None:
    multi = values.get("objective") in {"multi:softmax", "multi:softprob"}
    if multi and "num_class" not in values:
        return "Require input for parameter 'num_class' for multi-classification"
    return None


def _metric_fault(values: Mapping[str, Any]) -> str | None:
    named = values.get("eval_metric")
    if named is None:
        return None
    if "objective" not in values:  # the container's own check stumbles here
        return "KeyError: 'objective'\nGive an objective beside eval_metric."
    objective = values["objective"]
    if "auc" in named and not objective.startswith(("binary:", "rank:")):
        return "Metric 'auc' can only be applied for classification and ranking problems."
    if "aft-nloglik" in named and objective != "survival:aft":
        return "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective."
    return None


def _constraint_fault(values: Mapping[str, Any]) -> str | None:
    method = values.get("tree_method")
    if "monotone_constraints" in values and method not in {"exact", "hist"}:
        return (
            "monotone_constraints can be used only when the tree_method parameter is set to"
            " either 'exact' or 'hist'."
        )
    if "interaction_constraints" in values and method not in {"exact", "hist", "approx"}:
        return (
            "interaction_constraints can be used only when the tree_method parameter is set to"
            " either 'exact', 'hist' or 'approx'."
        )
    return None


def _updater_fault(values: Mapping[str, Any]) -> str | None:
    named = values.get("updater")
    if named is None:
        return None
    if values.get("booster") == "gblinear":
        if len(named) != 1 or named[0] not in _LINEAR_UPDATERS:
            return f"Linear updater should be one of these options: {_quoted(_LINEAR_UPDATERS)}."
    elif values.get("process_type") == "update":
        if not set(named) <= {"refresh", "prune"}:
            return "process_type 'update' can only be used with updater 'refresh' and 'prune'"
    elif not set(named) <= set(_TREE_UPDATERS):
        return f"Tree updater should be selected from these options: {_quoted(_TREE_UPDATERS)}."
    elif len(set(named) & set(_TREE_GROWERS)) > 1:
        return f"Only one tree grow plugin can be selected: {_quoted(_TREE_GROWERS)}."
    return None


def _known_to(version: str, since: str, until: str = "") -> bool:
    order = ["0.72", *XGBOOST_VERSIONS]
    return (not since or order.index(version) >= order.index(since)) and (
        not until or order.index(version) <= order.index(until)
    )


def _flat(value: Sequence[Any]) -> list[Any]:
    return [
        leaf
        for item in value
        for leaf in (_flat(item) if isinstance(item, list | tuple) else [item])
    ]


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
