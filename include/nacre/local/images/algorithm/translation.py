"""How the one XGBoost that is installed here is asked to behave like a container's older one."""

from collections.abc import Mapping
from typing import Any

from include.nacre.local.images.announce import announce

# What the containers know and the library no longer does (or never did), and why that is no loss.
_GONE = {
    "silent": "verbosity replaces it",
    "sketch_eps": "max_bin replaces it",
    "predictor": "there is one predictor",
    "dsplit": "rows are what is split",
    "deterministic_histogram": "histograms are deterministic",
    "single_precision_histogram": "precision is fixed",
    "prob_buffer_row": "nothing used it",
    "lambda_bias": "nothing used it",
}
# For the container alone.
_CONTAINER_ONLY = frozenset(
    {
        "num_round",
        "csv_weights",
        "early_stopping_rounds",
        "save_model_on_termination",
        "use_dask_gpu_training",
        "eval_metric",
        "_tuning_objective_metric",
        "_kfold",
        "_nfold",
        "_num_cv_round",
    }
)
# (library below this version, objective -> its default metric then)
_DEFAULT_METRICS: tuple[tuple[tuple[int, int], Mapping[str, str]], ...] = (
    (
        (1, 3),
        {
            "binary:logistic": "error",
            "multi:softmax": "merror",
            "multi:softprob": "merror",
        },
    ),
    (
        (2, 0),
        {
            "rank:pairwise": "map",
            "rank:ndcg": "map",
            "rank:map": "map",
            "reg:gamma": "gamma-nloglik",
        },
    ),
)
_EXACT_ROWS = 1 << 22  # up to here `auto` meant `exact` before 2.0


def booster_parameters(
    values: Mapping[str, Any], library: tuple[int, int], rows: int, hosts: int = 1
) -> dict[str, Any]:
    """What to give to XGBoost for hyperparameters that a container of this library takes."""
    parameters = {name: v for name, v in values.items() if name not in _CONTAINER_ONLY}
    for name in sorted(parameters.keys() & _GONE.keys()):
        announce(f"Hyperparameter {name} does nothing in the XGBoost used here: {_GONE[name]}")
        del parameters[name]
    if values.get("silent") == 1:
        parameters.setdefault("verbosity", 0)
    if isinstance(parameters.get("updater"), list):
        parameters["updater"] = ",".join(parameters["updater"])
    if parameters.get("objective") == "reg:linear":  # the same under its newer name
        parameters["objective"] = "reg:squarederror"
    return _old_defaults(parameters, library, rows, hosts) | parameters


def default_metric(objective: str, library: tuple[int, int]) -> str | None:
    """The metric that this library evaluated by default, where the installed one has another."""
    for below, metrics in _DEFAULT_METRICS:
        if library < below and objective in metrics:
            return metrics[objective]
    return None


def _old_defaults(
    parameters: dict[str, Any], library: tuple[int, int], rows: int, hosts: int
) -> dict[str, Any]:
    """Defaults that changed with 2.0: the first prediction, and how trees are grown."""
    if library >= (2, 0):
        return {}
    defaults: dict[str, Any] = {}
    if parameters.get("objective") != "reg:absoluteerror":
        defaults["base_score"] = 0.5
    if parameters.get("tree_method", "auto") == "auto" and "updater" not in parameters:
        parameters.pop("tree_method", None)
        defaults["tree_method"] = _old_tree_method(parameters, rows, hosts)
    return defaults


def _old_tree_method(parameters: Mapping[str, Any], rows: int, hosts: int) -> str:
    if parameters.get("grow_policy") == "lossguide":
        return "hist"
    small = hosts == 1 and rows < _EXACT_ROWS and parameters.get("max_depth", 6) > 0
    return "exact" if small else "approx"
