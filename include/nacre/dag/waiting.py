"""Waiting for one job in the worker, and saying how it goes."""

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from include.nacre.dag.aws import Answer, Aws, answered_at
from include.nacre.dag.kinds import Kind
from include.nacre.dag.patience import FOREVER, Patience
from include.nacre.native import execution
from include.nacre.native.pace import interval

FIRST_LOOKS, LOOKS_AT_RUNNING = (0.2, 0.3, 0.5), (0.25, 0.25, 0.25, 0.25)
"""Seconds between the first looks at a job; the second ones are for a job that runs by then.
Deferring costs about two seconds more than the wait itself, so what ends within two seconds is not
worth it. What has not even begun to run after the first of them will not."""

SLICE = 1.0
"""The longest sleep in seconds, so that a kill ends the wait soon."""


class JobVanishedError(Exception):
    """A job that was waited for does not exist any more: somebody deleted it."""


class KilledError(Exception):
    """The task was killed while it waited."""


@dataclass
class Waiting:
    """One job that this process waits for."""

    aws: Aws
    kind: Kind
    name: str
    tell: Callable[[str], None]
    warn: Callable[[str], None]
    killed: Callable[[], bool] = lambda: False
    sleep: Callable[[float], None] = time.sleep
    told: dict[str, str] = field(default_factory=dict)
    """The states that the log shows already."""

    def look(self) -> Answer:
        """Return the Describe response; a throttled or unanswered call is made again until it is
        answered. Says what is new in the log.
        """
        patience = Patience(self.warn, FOREVER, self._rest)
        answer = patience.call(lambda: self.aws.describe(self.kind, self.name))
        if answer is None:
            raise JobVanishedError(
                f"{self.kind.noun} {self.name} does not exist any more: somebody deleted it"
            )
        self._tell_change(answer)
        return answer

    def for_a_moment(self) -> Answer:
        """Look at a job for two seconds, or until it ends."""
        answer = self._looks(self.look(), FIRST_LOOKS)
        if self.kind.timed_by and "started" not in self.kind.times(answer):
            return answer
        return self._looks(answer, LOOKS_AT_RUNNING)

    def to_the_end(self) -> Answer:
        """Look at a job until it ends, less often the older it is."""
        answer = self.for_a_moment()
        born = time.monotonic() - age(answer)
        rests = (interval(time.monotonic() - born) for _ in itertools.repeat(None))
        return self._looks(answer, rests)

    def _looks(self, answer: Answer, rests: Iterable[float]) -> Answer:
        """Look again after each of the rests, unless the job has ended."""
        for rest in rests:
            if self.kind.ended(self.kind.status(answer)):
                break
            self._rest(rest)
            answer = self.look()
        return answer

    def _rest(self, seconds: float) -> None:
        left = seconds
        while left > 0:
            if self.killed():
                raise KilledError(f"{self.kind.noun} {self.name} is waited for no longer")
            self.sleep(min(left, SLICE))
            left -= SLICE

    def _tell_change(self, answer: Answer) -> None:
        told, self.told = self.told, states(self.kind, self.name, answer)
        for line in execution.changes(told, self.told):
            self.tell(line)


def states(kind: Kind, name: str, answer: Answer) -> dict[str, str]:
    """Return what a Describe response or a List summary says, in words and by name: the state of
    each step, if it goes on step by step, then its own.
    """
    steps = execution.states(answer) if kind.has_steps else {}
    return {**steps, kind.called(name): in_words(kind, answer)}


def in_words(kind: Kind, answer: Answer) -> str:
    """Return a job's state as the log shows it: `InProgress, Downloading`."""
    status, detail = kind.status(answer), kind.detail(answer)
    return f"{status}, {detail}" if detail and detail != status else status


def age(answer: Answer) -> float:
    """Return for how many seconds what an answer describes has existed, by the service's clock."""
    created: datetime = answer["CreationTime"]
    return max(0.0, (answered_at(answer) - created).total_seconds())
