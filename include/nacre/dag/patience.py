"""Calling AWS again while its troubles pass by themselves."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from include.nacre.dag.polling import backoff
from include.nacre.dag.troubles import Trouble, understood

T = TypeVar("T")


def aws_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of botocore: for `except aws_errors() as error`."""
    from botocore.exceptions import BotoCoreError, ClientError

    return (BotoCoreError, ClientError)


@dataclass(frozen=True)
class Patience:
    """How long to go on, and how to tell the person who reads the log."""

    tell: Callable[[str], None]
    seconds: float
    """Give up when a call would be made later than so long after the first one."""
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def call(self, call: Callable[[], T]) -> T:
        """Return what `call` returns; try again while it is throttled or unanswered.

        Only for calls that may be made twice: reads, and creations with a name or a token.
        """
        began, failures = self.clock(), 0
        while True:
            try:
                return call()
            except aws_errors() as error:
                failures += 1
                rest = backoff(failures)
                said = understood(error)
                late = self.clock() + rest - began > self.seconds
                if said.trouble is not Trouble.PASSING or late:
                    raise
                self.tell(f"{said} Trying again in {rest:.0f} s.")
                self.sleep(rest)


FOREVER = float("inf")
"""For a wait: a Describe that is throttled or unanswered says nothing about the job."""

CREATE_SECONDS = 120.0
"""For a creation: longer than the service's limits on creations (one training job a second)
can hold up the steps of a wide pipeline; short enough to show a wrong endpoint."""
