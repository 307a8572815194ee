"""Answer requests for predictions as the built-in XGBoost algorithm's container does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.nacre.local.images.algorithm import models, selection
from include.nacre.local.images.algorithm.matrices import CSV_TYPE, to_matrix
from include.nacre.local.images.content import Unsupported
from include.nacre.local.images.errors import library_text
from include.nacre.local.images.wire import Invocation, Reply

_ACCEPTED = frozenset({"text/csv", "application/json", "application/jsonlines"})
_VOTING = frozenset({"binary:hinge", "multi:softmax"})  # an ensemble's vote, not its mean


@dataclass(frozen=True)
class Model:
    """One Booster and what the container asks of it."""

    booster: Any
    is_pickled: bool
    objective: str
    classes: int


class AlgorithmServer:
    """The models of a folder; `environ` is the container's."""

    def __init__(self, folder: Path, library: tuple[int, int], environ: Mapping[str, str]) -> None:
        files = models.model_files(folder, library)
        if not files:
            raise RuntimeError(f"No model file in {folder}: the archive has none at its top")
        ensemble = environ.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true") == "true"
        self._models = [_load(path) for path in (files if ensemble else files[:1])]
        self._default_accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", CSV_TYPE)
        selected = environ.get("SAGEMAKER_INFERENCE_OUTPUT", "")
        self._keys = [key.strip() for key in selected.lower().split(",") if key.strip()]

    def __call__(self, invocation: Invocation) -> Reply:
        """Decode, predict, encode; each failure has its own status."""
        if not invocation.body:
            return Reply(204, b"")
        content_type = (invocation.content_type or "text/libsvm").partition(";")[0].strip().lower()
        try:
            matrix = to_matrix(invocation.body, content_type)
        except (Unsupported, ValueError) as fault:  # a body that is not UTF-8 is a ValueError
            return _refusal(415, str(fault))
        try:
            predictions = self._predict(matrix, content_type)
        except ValueError as fault:  # XGBoost's own error is one too
            return _refusal(400, f"Unable to evaluate payload provided: {library_text(fault)}")
        return self._encode(predictions, invocation.accept)

    def _predict(self, matrix: Any, content_type: str) -> Any:
        import numpy as np

        outputs = [_predict(model, matrix, content_type) for model in self._models]
        if len(outputs) == 1:
            return outputs[0]
        if self._models[0].objective in _VOTING:
            votes = np.stack(outputs, axis=-1).astype(int)
            return np.array([float(np.bincount(row).argmax()) for row in votes])
        return np.mean(outputs, axis=0)

    def _encode(self, predictions: Any, accept: str | None) -> Reply:
        wanted = self._default_accept if accept in {None, "", "*/*"} else str(accept)
        if wanted not in _ACCEPTED:
            return _refusal(406, f"Accept type {wanted} is not supported")
        values = predictions.tolist()  # float32 widened to double, as Python prints it
        if not self._keys:
            return Reply(200, "".join(f"{value}\n" for value in values).encode(), wanted)
        first = self._models[0]
        selected = selection.select(values, self._keys, first.objective, first.classes)
        return Reply(200, selection.encode(selected, wanted), wanted)


def _load(path: Path) -> Model:
    booster, is_pickled = models.load_model(path)
    learner = json.loads(booster.save_config())["learner"]
    return Model(
        booster,
        is_pickled,
        objective=learner["objective"]["name"],
        classes=int(learner["learner_model_param"]["num_class"]),
    )


def _predict(model: Model, matrix: Any, content_type: str) -> Any:
    if model.is_pickled:
        _check_columns(model.booster.num_features(), matrix.num_col(), content_type)
    best = model.booster.attr("best_iteration")
    rounds = (0, int(best) + 1) if best is not None else (0, 0)
    return model.booster.predict(matrix, iteration_range=rounds, validate_features=False)


def _check_columns(trained: int, given: int, content_type: str) -> None:
    fits = given in {trained, trained - 1} if content_type == CSV_TYPE else given <= trained + 1
    if not fits:
        raise ValueError(
            f"Feature size of {content_type} inference data {given} is not consistent with feature"
            f" size of trained model {trained}."
        )


def _refusal(status: int, text: str) -> Reply:
    return Reply(status, text.encode())
