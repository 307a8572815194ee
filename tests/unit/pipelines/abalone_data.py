"""The abalone data as a processing job finds it, below a folder that stands for /opt/ml."""

from functools import cache
from pathlib import Path

import pandas as pd
from sklego.datasets import load_abalone

from include.pipelines.abalone import preprocess


@cache
def abalone() -> pd.DataFrame:
    """4,177 rows in the order and with the columns of the UCI original."""
    return load_abalone(as_frame=True)


def put(root: Path, place: Path, text: str, name: str = "abalone.csv") -> None:
    (root / place).mkdir(parents=True, exist_ok=True)
    (root / place / name).write_text(text, encoding="utf-8")


def put_table(root: Path, place: Path, table: pd.DataFrame, name: str = "abalone.csv") -> None:
    put(root, place, table.to_csv(header=False, index=False), name)


def put_abalone(root: Path) -> None:
    """All rows to train on, and ten of them without their label to score."""
    put_table(root, preprocess.RAW, abalone())
    put_table(root, preprocess.BATCH_INPUT, abalone().drop(columns="rings").head(10), "batch.csv")
