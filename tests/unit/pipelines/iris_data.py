"""The iris data and model as jobs leave them, below a folder that stands for /opt/ml."""

from pathlib import Path

from include.pipelines.iris import preprocess, source, train


def split_iris(root: Path, *options: str) -> str | None:
    """What the split says of the bundled rows."""
    (root / preprocess.RAW).mkdir(parents=True, exist_ok=True)
    (root / preprocess.RAW / "iris.csv").write_bytes(source.raw_csv())
    return preprocess.main(["--root", str(root), *options])


def train_iris(root: Path, *options: str) -> str | None:
    """What the training says of the rows that the split has left."""
    rows, model = root / preprocess.TRAIN.parent, root / "model"
    places = ["--train", str(rows), "--model-dir", str(model), "--root", str(root)]
    return train.main([*places, *options])
