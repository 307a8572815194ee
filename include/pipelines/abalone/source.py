"""The abalone data that ships inside scikit-lego, as the files that the pipeline reads.

The UCI original: 4,177 shells, measured in Tasmania (Nash et al., 1994). No download.

A date has a slice of it: the shells of a fixed shuffle whose place there is the date's ordinal
modulo `DAYS`. So a date has the same 139 or 140 shells wherever and whenever it is landed, 30 days
in a row have every shell once, and a month is a growing history.
"""

from datetime import date

import numpy as np
import pandas as pd
from sklego.datasets import load_abalone

DAYS = 30
BATCH_STEP = 10


def raw_csv() -> bytes:
    """All shells with their rings, as the UCI file has them: no header."""
    return to_csv(load_abalone(as_frame=True))


def batch_csv() -> bytes:
    """Every tenth shell without its rings: data to score.

    The model has seen most of them. This shows how scoring works, not how good it is.
    """
    return to_csv(load_abalone(as_frame=True).drop(columns="rings").iloc[::BATCH_STEP])


def raw_of(day: date) -> bytes:
    """The shells of a date with their rings."""
    return to_csv(shells(day.toordinal()))


def batch_of(day: date) -> bytes:
    """The shells to score on a date: those whose rings are counted the day after."""
    return to_csv(shells(day.toordinal() + 1).drop(columns="rings"))


def shells(ordinal: int) -> pd.DataFrame:
    table: pd.DataFrame = load_abalone(as_frame=True)
    # RandomState, not default_rng: numpy has frozen its stream, so that a date's shells are the
    # same with every numpy.
    shuffled = np.random.RandomState(0).permutation(len(table))
    return table.iloc[np.sort(shuffled[ordinal % DAYS :: DAYS])]


def to_csv(table: pd.DataFrame) -> bytes:
    # The original has five digits at most; what pandas made of them has up to seventeen
    # (0.10099999999999999).
    text: str = table.to_csv(header=False, index=False, float_format="%.6g")
    return text.encode()
