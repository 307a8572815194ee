"""What happens between two rounds of boosting: early stopping, checkpoints, saved models."""

import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.nacre.local.images.algorithm import metrics
from include.nacre.local.images.algorithm.models import (
    load_own_format,
    save_model,
    save_own_format,
)
from include.nacre.local.images.announce import announce

_CHECKPOINT = re.compile(r"xgboost-checkpoint\.(\d+)")
_KEPT_CHECKPOINTS = 5
_NEW_CALLBACKS = (1, 3)  # the first library whose containers use xgboost's own callbacks


@dataclass(frozen=True)
class During:
    """The callbacks of a training, and the Booster it goes on from, of `done` rounds."""

    callbacks: list[Any] = field(default_factory=list)
    model: Any | None = None
    done: int = 0


def early_stopping(
    values: Mapping[str, Any], has_validation: bool, library: tuple[int, int]
) -> list[Any]:
    """The callback that stops a training that has ceased to improve on the validation channel."""
    import xgboost

    rounds = values.get("early_stopping_rounds")
    named, tuning = values.get("eval_metric"), values.get("_tuning_objective_metric")
    if rounds is None:
        return []
    if library < _NEW_CALLBACKS:  # the last data set's last metric; every tree is kept
        return [xgboost.callback.EarlyStopping(rounds=rounds)]
    if not has_validation or not (named or tuning):
        return []
    metric = tuning.partition(":")[2] if tuning else (named or [])[-1]
    return [
        xgboost.callback.EarlyStopping(
            rounds=rounds,
            data_name="validation",
            metric_name=metric,
            maximize=metrics.is_maximized(metric),
            save_best=values.get("booster") != "gblinear",
        )
    ]


def during_training(
    checkpoints: Path | None, saved_model: Path | None, library: tuple[int, int]
) -> During:
    """The callbacks that save, and what there is to resume."""
    own = [_saver(saved_model, library)] if saved_model else []
    if checkpoints is None:
        return During(own)
    checkpoints.mkdir(parents=True, exist_ok=True)
    if library >= _NEW_CALLBACKS:
        return During([*own, _first_round_checkpoint(checkpoints, library)])
    latest = max(_rounds(checkpoints), default=None)
    if latest is None:
        return During([*own, _checkpointer(checkpoints, 0)])
    path, done = checkpoints / f"xgboost-checkpoint.{latest}", latest + 1
    announce(f"Checkpoint loaded from {path}")
    announce(f"Resuming from iteration {done}")
    return During([*own, _checkpointer(checkpoints, done)], load_own_format(path), done)


def _first_round_checkpoint(folder: Path, library: tuple[int, int]) -> Any:
    """As these containers do, unmeant: one file, after the first round, never resumed."""
    import xgboost

    callback = xgboost.callback.TrainingCheckPoint(folder, name="xgboost-checkpoint", interval=0)
    if library < (2, 1):
        callback.default_format = "json"
    return callback


def _rounds(folder: Path) -> list[int]:
    matches = (_CHECKPOINT.fullmatch(path.name) for path in folder.iterdir())
    return sorted(int(match[1]) for match in matches if match)


def _checkpointer(folder: Path, done: int) -> Any:
    import xgboost

    class Checkpointer(xgboost.callback.TrainingCallback):
        """Keep the models of the last rounds, each under its round's number."""

        def after_iteration(self, model: Any, epoch: int, _evals_log: Any) -> bool:
            save_own_format(model, folder / f"xgboost-checkpoint.{done + epoch}")
            for old in _rounds(folder)[:-_KEPT_CHECKPOINTS]:
                (folder / f"xgboost-checkpoint.{old}").unlink()
            return False

    return Checkpointer()


def _saver(target: Path, library: tuple[int, int]) -> Any:
    import xgboost

    class Saver(xgboost.callback.TrainingCallback):
        """Save the model after every round, so that a stopped job has one."""

        def after_iteration(self, model: Any, _epoch: int, _evals_log: Any) -> bool:
            save_model(model, target, library)
            return False

    def stop(_signal: int, _frame: object) -> None:
        for path in target.parent.iterdir():
            if path.is_file() and not path.name.startswith(target.name):
                path.unlink()
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    return Saver()
