"""Score prepared rows by hand: what a batch transform of built-in XGBoost leaves.

`hand_transform.py MODEL_TAR_GZ BATCH_CSV PREDICTIONS`
"""

import sys
import tarfile
from pathlib import Path

import numpy as np
import xgboost


def main(archive: str, batch: str, predictions: str) -> None:
    with tarfile.open(archive) as members:
        file = members.extractfile("xgboost-model")
        if file is None:
            raise SystemExit(f"{archive} holds no xgboost-model")
        model = xgboost.Booster(model_file=bytearray(file.read()))
    rows = np.loadtxt(batch, delimiter=",", ndmin=2)
    scores = model.predict(xgboost.DMatrix(rows), validate_features=False)
    Path(predictions).write_text("".join(f"{float(score)}\n" for score in scores))


if __name__ == "__main__":
    main(*sys.argv[1:])
