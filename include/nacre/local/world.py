"""What the operations see of the world; tests give them another one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from include.nacre.local.faults.force import Faults
from include.nacre.local.jobs.spec import Kind
from include.nacre.local.objects import Objects
from include.nacre.local.place import Place
from include.nacre.local.store import Store


class JobRunner(Protocol):
    """Whoever makes the jobs of the store run."""

    def submitted(self, kind: Kind, name: str) -> None:
        """There is a new job in the store."""

    def stop(self, kind: Kind, name: str) -> None:
        """That job, which is Stopping in the store, has to end."""

    def let_go(self, kind: Kind, name: str) -> bool:
        """Whether nothing of that job, which has ended, is at work any more; waits for that."""


class PipelineRunner(Protocol):
    """Whoever makes the executions of the store go on. No call waits for anything."""

    def submitted(self, execution_id: str) -> None:
        """There is a new execution in the store, or one that goes on: retried, or answered."""

    def stop(self, execution_id: str) -> None:
        """That execution, which is Stopping in the store, has to end."""


@dataclass(frozen=True)
class World:
    """`clock` gives seconds since the epoch; `known_image` raises UnknownImage."""

    place: Place
    store: Store
    objects: Objects
    clock: Callable[[], float]
    known_image: Callable[[str], object]
    jobs: JobRunner
    pipelines: PipelineRunner
    faults: Faults = field(default_factory=Faults)
