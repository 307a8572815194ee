"""The abalone data that ships inside scikit-lego, as the files that the pipeline reads.

The UCI original: 4,177 shells, measured in Tasmania (Nash et al., 1994). No download.
"""

import pandas as pd
from sklego.datasets import load_abalone

BATCH_STEP = 10


def raw_csv() -> bytes:
    """All shells with their rings, as the UCI file has them: no header."""
    return to_csv(load_abalone(as_frame=True))


def batch_csv() -> bytes:
    """Every tenth shell without its rings: data to score.

    The model has seen most of them. This shows how scoring works, not how good it is.
    """
    return to_csv(load_abalone(as_frame=True).drop(columns="rings").iloc[::BATCH_STEP])


def to_csv(table: pd.DataFrame) -> bytes:
    # The original has five digits at most; what pandas made of them has up to seventeen
    # (0.10099999999999999).
    text: str = table.to_csv(header=False, index=False, float_format="%.6g")
    return text.encode()
