"""One call of XGBoost's training, set up as the container sets it up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.nacre.local.images.algorithm import callbacks, metrics, translation
from include.nacre.local.images.errors import UserError, library_text

# What XGBoost says of data or hyperparameters that are at fault; all else is its own failure.
_OF_THE_USER = (
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "Target is multiclass but average='binary'",
    "feature_names mismatch",
    "Check failed: preds.size() == info.labels_.size()",
    "the dataset only contains pos or neg samples",
    "base_score must be in (0,1)",
    "label must be nonnegative",
    "label must be non-negative",
    "should be greater equal to 0",
)


@dataclass(frozen=True)
class Boosting:
    """The validated hyperparameters, and the matrices that every round is evaluated on, by name."""

    values: Mapping[str, Any]
    library: tuple[int, int]
    evaluated: Mapping[str, Any]
    hosts: int = 1

    def run(
        self,
        matrix: Any,
        during: callbacks.During | None = None,
        results: dict[str, Any] | None = None,
    ) -> Any:
        """Train on the matrix; the metrics are printed, or kept in `results` if that is given."""
        import xgboost

        during = during or callbacks.During()
        library_metrics, own_metrics = self._metrics()
        parameters = translation.booster_parameters(
            self.values, self.library, matrix.num_row(), self.hosts
        )
        if library_metrics:
            parameters["eval_metric"] = library_metrics
        stopping = callbacks.early_stopping(
            self.values, "validation" in self.evaluated, self.library
        )
        try:
            return xgboost.train(
                parameters,
                matrix,
                num_boost_round=self.values["num_round"] - during.done,
                evals=[(matrix, name) for name, matrix in self.evaluated.items()],
                custom_metric=metrics.scorer(own_metrics, self._objective) if own_metrics else None,
                callbacks=[*during.callbacks, *stopping],
                xgb_model=during.model,
                evals_result=results,
                verbose_eval=results is None,
            )
        except (xgboost.core.XGBoostError, ValueError) as fault:
            raise UserError(_explained(library_text(fault))) from fault

    @property
    def _objective(self) -> str:
        return str(self.values.get("objective", "reg:squarederror"))

    def _metrics(self) -> tuple[list[str], list[str]]:
        named, tuning = self.values.get("eval_metric"), self.values.get("_tuning_objective_metric")
        library_metrics, own_metrics = metrics.split(named, tuning, self.library)
        default = translation.default_metric(self._objective, self.library)
        return library_metrics or ([default] if default else []), own_metrics


def _explained(said: str) -> str:
    if any(known in said for known in _OF_THE_USER):
        return said
    return f"XGB train call failed with exception:\n {said}"
