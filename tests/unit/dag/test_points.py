"""A process stands at a marked point while there is an order for it, and never without one."""

import os
import subprocess
import sys
import time
from pathlib import Path

from scripts.airflow_env import ROOT

PROGRAM = """
import asyncio
from include.nacre.dag.points import Point, reached, reached_in_trigger
reached(Point.CREATED, "churn-train-abc")
asyncio.run(reached_in_trigger(Point.SEEN, "arn:aws:sagemaker:::pipeline/churn"))
print("went on")
"""


def program(orders: Path | None) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if name != "NACRE_POINTS"}
    if orders is not None:
        environment["NACRE_POINTS"] = str(orders)
    argv = [sys.executable, "-c", PROGRAM]
    return subprocess.Popen(
        argv, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def parked(orders: Path, order: str, process: "subprocess.Popen[str]") -> Path:
    taken = orders / f"{order}.{process.pid}"
    deadline = time.monotonic() + 60
    while not taken.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return taken


def test_without_orders_nobody_stands_still() -> None:
    assert program(None).communicate(timeout=60)[0] == "went on\n"


def test_an_order_for_another_point_or_job_holds_nobody(tmp_path: Path) -> None:
    orders = ["ended@churn", "created@fraud", "created@churn.4711"]
    for order in orders:
        (tmp_path / order).touch()
    said = program(tmp_path).communicate(timeout=60)[0]
    assert (said, sorted(path.name for path in tmp_path.iterdir())) == ("went on\n", sorted(orders))


def test_a_process_goes_on_when_its_order_is_gone_and_the_next_one_is_not_held(
    tmp_path: Path,
) -> None:
    for order in ("created@churn-train", "seen@churn"):
        (tmp_path / order).touch()
    process = program(tmp_path)
    parked(tmp_path, "created@churn-train", process).unlink()
    taken = parked(tmp_path, "seen@churn", process)
    other = program(tmp_path).communicate(timeout=60)[0]
    taken.unlink()
    assert (other, process.communicate(timeout=60)[0]) == ("went on\n", "went on\n")
