"""What a job will meet on request, decided when it is created: plain records.

Imported by every supervisor: nothing here may import botocore.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

BadEnd = Literal["capacity", "internal", "algorithm"]


class Interruption(NamedTuple):
    """A spot instance is taken away after so many seconds, and the next one comes so much later."""

    after: float
    away: float


@dataclass(frozen=True)
class Fate:
    """All times are in seconds.

    `start` is how long the job is Starting before anything runs. `end` is how it ends badly: for
    want of capacity after `after` seconds more of Starting, else after as many of running. `stop`
    is how long it is Stopping at least.
    """

    start: float = 0.0
    end: BadEnd | None = None
    after: float = 0.0
    stop: float = 0.0
    interruptions: tuple[Interruption, ...] = ()

    @property
    def starting(self) -> float:
        """How long nothing runs at first."""
        return self.start + (self.after if self.end == "capacity" else 0.0)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, for the store."""
        return asdict(self)


def fate_of(state: Mapping[str, Any]) -> Fate:
    """The fate that is stored in a job's state; most have none."""
    stored = state.get("fate")
    if stored is None:
        return _NONE
    interruptions = tuple(Interruption(*each) for each in stored["interruptions"])
    return Fate(**{**stored, "interruptions": interruptions})


_NONE = Fate()
