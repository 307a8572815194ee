"""What a job may become, and when: one table, from state and event to the next state.

The states are a training job's (primary status, secondary status) pairs; processing and transform
jobs show the primary one alone. Messages are the service's own, as its logs show them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Event = Literal[
    "Launched",  # its supervisor has begun to work
    "Downloading",
    "Running",
    "Uploading",
    "StopAsked",
    "TimeLimit",  # its time is over: it is being stopped
    "Interrupted",  # its spot instance was taken away
    "Restarted",  # there is another one
    "Completed",
    "Failed",
    "Stopped",
    "OverTime",  # it has stopped because it ran longer than MaxRuntimeInSeconds
    "WaitOver",  # it has stopped because it ran and waited longer than MaxWaitTimeInSeconds
]


class State(NamedTuple):
    """A job's statuses, as DescribeTrainingJob names them."""

    status: str
    secondary: str


STARTING = State("InProgress", "Starting")
DOWNLOADING = State("InProgress", "Downloading")
TRAINING = State("InProgress", "Training")
UPLOADING = State("InProgress", "Uploading")
INTERRUPTED = State("InProgress", "Interrupted")
STOPPING = State("Stopping", "Stopping")
SAVING = State("Stopping", "Uploading")  # a stopped job still uploads its model
COMPLETED = State("Completed", "Completed")
FAILED = State("Failed", "Failed")
STOPPED = State("Stopped", "Stopped")
OVER_TIME = State("Stopped", "MaxRuntimeExceeded")
WAIT_OVER = State("Stopped", "MaxWaitTimeExceeded")

_ENDING: Mapping[Event, State] = {"StopAsked": STOPPING, "TimeLimit": STOPPING, "Failed": FAILED}
_STOPPED: Mapping[Event, State] = {
    "Stopped": STOPPED,
    "OverTime": OVER_TIME,
    "WaitOver": WAIT_OVER,
    "Failed": FAILED,
    # What was done before the stop was noticed, was done.
    "Completed": COMPLETED,
}

TRANSITIONS: Mapping[State, Mapping[Event, State]] = MappingProxyType(
    {
        STARTING: {
            **_ENDING,
            "Launched": STARTING,
            "Downloading": DOWNLOADING,
            "Running": TRAINING,
        },
        DOWNLOADING: {**_ENDING, "Running": TRAINING},
        TRAINING: {
            **_ENDING,
            "Uploading": UPLOADING,
            "Completed": COMPLETED,
            "Interrupted": INTERRUPTED,
        },
        INTERRUPTED: {**_ENDING, "Restarted": STARTING},
        UPLOADING: {**_ENDING, "Completed": COMPLETED},
        # Between asking for the stop and its being noticed the job still moves on by itself;
        # only the upload shows, as on the service.
        STOPPING: {
            **_STOPPED,
            "StopAsked": STOPPING,
            "Launched": STOPPING,
            "Downloading": STOPPING,
            "Running": STOPPING,
            "TimeLimit": STOPPING,
            "Interrupted": STOPPING,
            "Restarted": STOPPING,
            "Uploading": SAVING,
        },
        SAVING: {**_STOPPED, "StopAsked": SAVING, "TimeLimit": SAVING},
        COMPLETED: {},
        FAILED: {},
        STOPPED: {},
        OVER_TIME: {},
        WAIT_OVER: {},
    }
)

ENDED = frozenset({"Completed", "Failed", "Stopped"})

_MESSAGES: Mapping[State, str] = {
    STARTING: "Starting the training job",
    DOWNLOADING: "Downloading input data",
    TRAINING: "Training image download completed. Training in progress.",
    UPLOADING: "Uploading generated training model",
    INTERRUPTED: "Training job interrupted: its managed spot instances were taken away",
    STOPPING: "Stopping the training job",
    SAVING: "Uploading generated training model",
    COMPLETED: "Training job completed",
    FAILED: "Training job failed",
    STOPPED: "Training job stopped",
    OVER_TIME: "Training job runtime exceeded MaxRuntimeInSeconds provided",
    WAIT_OVER: "Training job runtime and wait exceeded MaxWaitTimeInSeconds provided",
}
_LAUNCHED = "Preparing the instances for training"


class IllegalMove(Exception):  # noqa: N818 - it says what happened, not that it is an error
    """An event that cannot happen to a job in its state."""


@dataclass(frozen=True)
class Transition:
    """One entry of SecondaryStatusTransitions; times in seconds since the epoch."""

    status: str
    started: float
    message: str
    ended: float | None = None

    def described(self) -> dict[str, Any]:
        """As the Describe answer has it."""
        return {
            "Status": self.status,
            "StartTime": self.started,
            "EndTime": self.ended,
            "StatusMessage": self.message,
        }


@dataclass(frozen=True)
class Life:
    """How far a job has come: its state, and when it got there."""

    state: State
    transitions: tuple[Transition, ...]
    launched: float | None = None
    ended: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.state.status in ENDED

    @property
    def seconds(self) -> int | None:
        """How long it ran: whole seconds from launch to end, at least one.

        The time that it waited for another spot instance is no part of it.
        """
        if self.launched is None or self.ended is None:
            return None
        return max(1, math.ceil(self.ended - self.launched - self._waited))

    @property
    def _waited(self) -> float:
        waits = (entry for entry in self.transitions if entry.status == INTERRUPTED.secondary)
        return sum(wait.ended - wait.started for wait in waits if wait.ended is not None)

    def since(self, status: str) -> float | None:
        """When it came to a secondary status last; None if it never did."""
        times = (entry.started for entry in reversed(self.transitions) if entry.status == status)
        return next(times, None)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, for the store."""
        return {
            "state": list(self.state),
            "transitions": [transition.described() for transition in self.transitions],
            "launched": self.launched,
            "ended": self.ended,
        }


def from_json(stored: Mapping[str, Any]) -> Life:
    """The life that `to_json` wrote."""
    return Life(
        State(*stored["state"]),
        tuple(
            Transition(
                entry["Status"], entry["StartTime"], entry["StatusMessage"], entry["EndTime"]
            )
            for entry in stored["transitions"]
        ),
        stored["launched"],
        stored["ended"],
    )


def born(now: float) -> Life:
    """A job that was just accepted."""
    return Life(STARTING, (Transition(STARTING.secondary, now, _MESSAGES[STARTING]),))


def moved(life: Life, event: Event, now: float) -> Life:
    """The life after an event, or an IllegalMove; the clock never runs backwards in it."""
    after = TRANSITIONS[life.state].get(event)
    if after is None:
        raise IllegalMove(f"a job that is {'/'.join(life.state)} cannot be {event}")
    now = max(now, life.transitions[-1].started)
    if after == life.state:
        message = _LAUNCHED if event == "Launched" else _MESSAGES[after]
        last = replace(life.transitions[-1], message=message)
        life = replace(life, transitions=(*life.transitions[:-1], last))
    else:
        life = replace(life, state=after, transitions=_with_next(life, after, now))
    return replace(
        life,
        launched=now if event == "Launched" and life.launched is None else life.launched,
        ended=now if life.is_over else None,
    )


def _with_next(life: Life, after: State, now: float) -> tuple[Transition, ...]:
    *before, last = life.transitions
    end = now if after.status in ENDED else None
    return (
        *before,
        replace(last, ended=now),
        Transition(after.secondary, now, _MESSAGES[after], ended=end),
    )
