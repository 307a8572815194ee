"""The model file of the built-in XGBoost algorithm: one pickled Booster, or the library's own."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from include.nacre.local.images.errors import library_text

# Containers whose library is older than this save a pickle, the others what save_model writes.
_OWN_FORMAT_SINCE = (1, 3)


def save_model(booster: Any, path: Path, library: tuple[int, int]) -> None:
    """Write the model in the kind of file that this container version writes, all at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    if library < _OWN_FORMAT_SINCE:
        unfinished.write_bytes(pickle.dumps(booster, protocol=4))
    else:
        save_own_format(booster, unfinished)
    unfinished.replace(path)


def save_own_format(booster: Any, path: Path) -> None:
    """What `save_model` writes (UBJSON), whatever the file's name says."""
    path.write_bytes(booster.save_raw(raw_format="ubj"))


def load_own_format(path: Path) -> Any:
    """The Booster of a file that `save_model` wrote, whatever the file's name says."""
    import xgboost

    return xgboost.Booster(model_file=bytearray(path.read_bytes()))


def load_model(path: Path) -> tuple[Any, bool]:
    """(the Booster, whether it was pickled) of a model file of either kind.

    Raises what the library raises for a file that is neither: RuntimeError, with both reasons.
    """
    import xgboost

    content = path.read_bytes()
    try:
        return pickle.loads(content), True  # noqa: S301 - the container loads models so
    except Exception as not_pickled:  # noqa: BLE001 - unpickling foreign bytes may raise anything
        try:
            return load_own_format(path), False
        except xgboost.core.XGBoostError as not_a_model:
            raise RuntimeError(
                f"Model {path.name} cannot be loaded:\nas a pickle: {not_pickled}\n"
                f"as an XGBoost model: {library_text(not_a_model)}"
            ) from not_a_model


def model_files(folder: Path, library: tuple[int, int]) -> Sequence[Path]:
    """The files that the container takes for models: all at the top, from 1.7 on no dot files."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [f for f in files if library < (1, 7) or not f.name.startswith(".")]
