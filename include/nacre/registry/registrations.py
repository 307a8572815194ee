"""Which run registered a version: what the events of a registration's asset say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol


class Event(Protocol):
    """What is read of an Airflow asset event."""

    @property
    def extra(self) -> Mapping[str, object] | None:
        """Of a RegisterModel step its result, whose `arn` is the version's."""

    @property
    def source_dag_id(self) -> str | None:
        """The DAG that emitted it; None if a person did."""

    @property
    def source_run_id(self) -> str | None:
        """Its run."""


@dataclass(frozen=True)
class Source:
    """A DAG run that registered a version."""

    dag_id: str
    run_id: str


def source_of(arn: str, events: Iterable[Event]) -> Source | None:
    """Return the run that registered a version; None if no event of the registration's asset says
    so, or if a person made the event.
    """
    for event in events:
        if (event.extra or {}).get("arn") == arn and event.source_dag_id and event.source_run_id:
            return Source(event.source_dag_id, event.source_run_id)
    return None
