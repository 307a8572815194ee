"""The marked points of a step's life: where the kill matrix stops a process to kill something.

In production nothing happens here. The tests in `tests/chaos` set NACRE_POINTS to a folder of
orders. An order is an empty file named `POINT@WORD`: the first process that reaches the point with
a job whose name has the word in it takes the order, by renaming it to `POINT@WORD.PID`, and goes on
when that file is gone.
"""

import asyncio
import os
import time
from enum import StrEnum
from pathlib import Path

_ORDERS = os.environ.get("NACRE_POINTS", "")
_LOOK_SECONDS = 0.05


class Point(StrEnum):
    """A moment at which a process may die, and whoever comes next has to go on."""

    BEFORE_INTENT = "before-intent"
    """Nothing is stored, nothing is created."""
    BEFORE_CREATE = "before-create"
    """The generation is stored, and what the job needs is uploaded."""
    CREATED = "created"
    """The service has created it; nobody here has noted that."""
    WAITING = "waiting"
    """The task's process begins to wait for it, or is about to defer."""
    DEFERRED = "deferred"
    """The triggerer begins to wait for it."""
    SEEN = "seen"
    """The triggerer has seen its end, and told nobody."""
    ENDED = "ended"
    """A task's process has seen its end; the result is not in XCom."""
    PUSHED = "pushed"
    """The result is in XCom; Airflow does not know that the task has succeeded. No code of ours
    runs then: the tests reach it by an XCom backend of theirs."""


def reached(point: Point, name: str) -> None:
    """Say that this process has come to a point in the life of the job of that name (or ARN)."""
    if _ORDERS and (taken := _take_order(point, name)):
        while taken.exists():
            time.sleep(_LOOK_SECONDS)


async def reached_in_trigger(point: Point, name: str) -> None:
    """The same where one process waits for many jobs: only this one's wait stands still."""
    if _ORDERS and (taken := _take_order(point, name)):
        while taken.exists():
            await asyncio.sleep(_LOOK_SECONDS)


def _take_order(point: Point, name: str) -> Path | None:
    """Return the file that this process has to wait for, if there is an order for it."""
    for order in Path(_ORDERS).glob(f"{point}@*"):
        word, taker = order.name.partition("@")[2], order.suffix
        if taker or word not in name.lower():
            continue
        taken = order.with_name(f"{order.name}.{os.getpid()}")
        try:
            order.rename(taken)
        except FileNotFoundError:  # another process was quicker
            continue
        return taken
    return None
