"""The abalone pipeline's four jobs: through the local SageMaker, and by hand.

Ours: created by boto3, waited for by describing, one after another. Theirs: the same scripts as
plain processes of the same interpreter and, for the two jobs that have no script of ours, the
shortest one that does their work (hand_train.py, hand_transform.py). Both must predict the same.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from include.pipelines.abalone import evaluate, preprocess, source
from include.pipelines.abalone.layout import BATCH, BATCH_FILE, RAW, RAW_FILE
from include.pipelines.abalone.pipeline import HYPERPARAMETERS, get_pipeline
from scripts.airflow_env import ROOT
from scripts.benchmarks.by_boto3 import Execution, run_steps
from scripts.benchmarks.results import Result
from scripts.benchmarks.service import running_service
from scripts.stack import LocalSageMaker

BUCKET = "bench"
PAIRS = 5
GOAL = 1.2
STEPS = ("AbaloneProcess", "AbaloneTrain", "AbaloneEval", "AbaloneCreateModel", "AbaloneTransform")
SCRIPTS = ROOT / "include" / "pipelines" / "abalone"
HAND = Path(__file__).parent


class DifferentError(Exception):
    """The two ways did not do the same work, so their times say nothing."""


def measure() -> Result:
    """Pairs of runs, ours and theirs in turn; the median of the pairs' ratios."""
    with TemporaryDirectory() as folder, running_service(Path(folder, "state")) as service:
        clients = Clients(service)
        clients.land()
        pairs = [pair(clients, Path(folder), number) for number in range(PAIRS + 1)]
    del pairs[0]  # reads every program from disk for the first time
    return Result(
        what="the four abalone jobs, one after another, beside the same scripts by hand",
        unit="s",
        ours=median(ours for ours, _ in pairs),
        theirs=median(theirs for _, theirs in pairs),
        ratio=median(ours / theirs for ours, theirs in pairs),
        goal=GOAL,
        runs=PAIRS,
    )


def pair(clients: "Clients", folder: Path, number: int) -> tuple[float, float]:
    root = folder / f"by-hand-{number}"
    lay_out(root)
    ours, predictions = timed(lambda: clients.run(f"bench-{number}"))
    theirs, expected = timed(lambda: by_hand(root))
    if predictions != expected:
        raise DifferentError(f"pair {number}: the local SageMaker predicts otherwise than by hand")
    return ours, theirs


def timed(work: Callable[[], list[float]]) -> tuple[float, list[float]]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


class Clients:
    """The local SageMaker and its S3, as boto3 sees them."""

    def __init__(self, service: LocalSageMaker) -> None:
        session = boto3.Session("local", "local", region_name=service.region)
        self._sagemaker = session.client("sagemaker", endpoint_url=service.endpoint)
        self._s3 = session.client("s3", endpoint_url=service.s3_endpoint)
        self._pipeline = get_pipeline(bucket=BUCKET, region=service.region)

    def land(self) -> None:
        """Bucket, data and scripts: there before the clock starts, on both sides."""
        self._s3.create_bucket(Bucket=BUCKET)
        self._put(f"{RAW}/{RAW_FILE}", source.raw_csv())
        self._put(f"{BATCH}/{BATCH_FILE}", source.batch_csv())
        for uri, asset in self._pipeline.assets.items():
            self._put(uri.removeprefix(f"s3://{BUCKET}/"), asset.content)

    def run(self, name: str) -> list[float]:
        """One execution; the predictions of its transform."""
        done = run_steps(self._sagemaker, Execution(self._pipeline, name), STEPS)
        output: str = done["AbaloneTransform"]["TransformOutput"]["S3OutputPath"]
        key = f"{output.removeprefix(f's3://{BUCKET}/')}/{BATCH_FILE}.out"
        return numbers(self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())

    def _put(self, key: str, content: bytes) -> None:
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=content)


def lay_out(root: Path) -> None:
    """The folders and inputs that the scripts expect, below another root than /opt/ml."""
    raw, batch = root / preprocess.RAW, root / preprocess.BATCH_INPUT
    model, test = (root / evaluate.MODEL).parent, (root / evaluate.TEST).parent
    for directory in (raw, batch, model, test):
        directory.mkdir(parents=True)
    (raw / RAW_FILE).write_bytes(source.raw_csv())
    (batch / BATCH_FILE).write_bytes(source.batch_csv())


def by_hand(root: Path) -> list[float]:
    """The four scripts, one process each; the predictions of the last."""
    train, validation = root / preprocess.TRAIN, root / preprocess.VALIDATION
    model, batch = root / evaluate.MODEL, root / preprocess.BATCH_OUTPUT / BATCH_FILE
    predictions = root / "predictions"
    python(SCRIPTS / "preprocess.py", "--root", root, "--seed", "0")
    python(HAND / "hand_train.py", train, validation, json.dumps(HYPERPARAMETERS), model)
    (root / preprocess.TEST).rename(root / evaluate.TEST)
    python(SCRIPTS / "evaluate.py", "--root", root)
    python(HAND / "hand_transform.py", model, batch, predictions)
    return numbers(predictions.read_text())


def python(script: Path, *arguments: Any) -> None:
    subprocess.run(
        [sys.executable, script, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL
    )


def numbers(text: str) -> list[float]:
    return [float(line) for line in text.splitlines()]
