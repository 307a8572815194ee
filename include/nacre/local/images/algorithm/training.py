"""Train the built-in XGBoost algorithm on one host of a job."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from include.nacre.local.images import layout
from include.nacre.local.images.algorithm import callbacks, channels, cluster, data, folds
from include.nacre.local.images.algorithm import hyperparameters as hps
from include.nacre.local.images.algorithm.boosting import Boosting
from include.nacre.local.images.algorithm.models import save_model
from include.nacre.local.images.announce import announce
from include.nacre.local.images.errors import UserError

_MODEL_NAME = "xgboost-model"


@dataclass(frozen=True)
class Container:
    """What the toolkit knows of its place: the image's version and the job's configuration.

    `root` is where the container's file system begins.
    """

    version: str
    library: tuple[int, int]
    hyperparameters: Mapping[str, str]
    channels: Mapping[str, Any]
    hosts: list[str]
    current_host: str
    checkpoints: Path | None = None
    root: Path = Path("/")

    def at(self, path: PurePosixPath) -> Path:
        """A path of the container below its root."""
        return self.root / path.relative_to("/")


def train(container: Container) -> None:
    """Train and save the model; a UserError is the request's or the data's fault."""
    values = hps.validate(container.hyperparameters, container.version)
    _refuse_what_is_missing_here(values, len(container.hosts))
    configured = channels.validate(container.channels)
    matrices = _load(container, configured, values)
    boosting = Boosting(values, container.library, matrices, len(container.hosts))
    if len(container.hosts) > 1:
        has_data = len(matrices) == 1 + configured.has_validation
        with cluster.joined(container.hosts, container.current_host, has_data) as is_master:
            if is_master is not None:
                _train_one(container, boosting, is_master=is_master)
        return
    _need_data(configured, matrices)
    if "_kfold" in values or "_nfold" in values:
        _train_folds(container, configured, boosting)
    else:
        _train_one(container, boosting, is_master=True)


def _refuse_what_is_missing_here(values: Mapping[str, Any], hosts: int) -> None:
    if values.get("use_dask_gpu_training") == "true":
        raise UserError("use_dask_gpu_training needs GPUs: the local SageMaker has none")
    if hosts > 1 and ("_kfold" in values or "_nfold" in values):
        raise UserError("The local SageMaker cross-validates (_kfold) on one instance only")


def _load(
    container: Container, configured: channels.Channels, values: Mapping[str, Any]
) -> dict[str, Any]:
    # Weights stand in the training data alone: the container reads the validation channel without.
    weights = {"train": bool(values.get("csv_weights"))}
    names = ["train"] + ["validation"] * configured.has_validation
    loaded = {
        name: data.load(
            name,
            container.at(layout.INPUT_DATA / name),
            configured.format,
            weights.get(name, False),
        )
        for name in names
    }
    return {name: matrix for name, matrix in loaded.items() if matrix is not None}


def _need_data(configured: channels.Channels, matrices: Mapping[str, Any]) -> None:
    if "train" not in matrices:
        raise UserError(f"No data in training channel path {layout.INPUT_DATA / 'train'}")
    if configured.has_validation and "validation" not in matrices:
        raise UserError(f"No data in validation channel path {layout.INPUT_DATA / 'validation'}")
    announce("Single node training.")


def _train_one(container: Container, boosting: Boosting, *, is_master: bool) -> None:
    target = container.at(layout.MODEL / _MODEL_NAME)
    saves = boosting.values.get("save_model_on_termination") == "true"
    during = callbacks.during_training(
        checkpoints=container.checkpoints if is_master else None,
        saved_model=target if saves and is_master else None,
        library=container.library,
    )
    booster = boosting.run(boosting.evaluated["train"], during)
    if is_master:
        save_model(booster, target, container.library)


def _train_folds(container: Container, configured: channels.Channels, boosting: Boosting) -> None:
    values = boosting.values
    folders = [container.at(layout.INPUT_DATA / name) for name in boosting.evaluated]
    files = [file for folder in folders for file in data.data_files(folder)]
    boosters = folds.cross_validate(
        data.load_files(files, configured.format, bool(values.get("csv_weights"))),
        boosting,
        folds.Folds(values.get("_kfold") or values["_nfold"], values.get("_num_cv_round", 1)),
        container.at(layout.OUTPUT_DATA),
    )
    for number, booster in enumerate(boosters):
        path = container.at(layout.MODEL / f"{_MODEL_NAME}-{number}")
        save_model(booster, path, container.library)
