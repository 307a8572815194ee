"""Listening to a queue of events for as long as something is watched."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from include.nacre.dag.events import OFTEN_ENOUGH, Message, Queue, read
from include.nacre.dag.patience import aws_errors
from include.nacre.dag.polling import backoff
from include.nacre.dag.troubles import Said, Trouble, understood

PAUSE = 0.1
"""The least time in seconds between two calls to the queue."""

PASSING_FAILURES = 3
"""Trouble that passes by itself is warned of when it has come so often in a row."""

log = logging.getLogger(__name__)


class Ear(Protocol):
    """Who is told what was heard."""

    def hear(self, kind: str, name: str) -> bool:
        """Take in that something has ended; say whether anybody waits for it."""

    def hear_nothing(self) -> None:
        """Take in that nothing is heard for now."""


async def listen(
    connect: Callable[[], Queue], in_thread: Callable[..., Awaitable[Any]], ear: Ear
) -> None:
    """Tell `ear` of the events in a queue, until cancelled. A queue that is missing or refused is
    warned of once, and tried again.
    """
    queue: Queue | None = None
    failures, warned = 0, False
    while True:
        try:
            if queue is None:
                queue = await in_thread(connect)
            messages = await in_thread(queue.receive)
            if done := [message for message in messages if settles(message, ear)]:
                await in_thread(queue.delete, done)
        except aws_errors() as error:
            queue, failures = None, failures + 1
            ear.hear_nothing()
            said = understood(error)
            if not warned and (said.trouble is not Trouble.PASSING or failures >= PASSING_FAILURES):
                warned = True
                log.warning(warning(said))
            await asyncio.sleep(backoff(failures))
        else:
            if warned:
                log.info("SageMaker's events are heard again.")
            failures, warned = 0, False
            await asyncio.sleep(PAUSE)


def settles(message: Message, ear: Ear) -> bool:
    """Tell of what a message says; return whether nobody else needs it. What ended somewhere else
    is for whom it comes back to; what is no event of SageMaker's is not ours to delete.
    """
    told = read(message.body)
    if told is None:
        return False
    if not told.ended:
        return True
    return ear.hear(told.kind, told.name) or message.received >= OFTEN_ENOUGH


def warning(said: Said) -> str:
    """Return what is wrong with the queue, and what to do."""
    return (
        f"[nacre] events_queue: {said} So SageMaker's events wake no waiting task; all are asked"
        " about as if there were no queue. Check its name, that it is in the connection's region,"
        " and the rights sqs:GetQueueUrl, sqs:ReceiveMessage and sqs:DeleteMessage."
    )
