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
class Registration:
    """A version, and the DAG run that registered it ("" if no run did)."""

    arn: str
    dag_id: str
    run_id: str


def registrations(events: Mapping[object, Iterable[Event]]) -> dict[str, Registration]:
    """Return the registrations that started a run, by the version's ARN, from its
    `triggering_asset_events`. Events that name no version are left out.
    """
    found = [
        Registration(str(event.extra["arn"]), event.source_dag_id or "", event.source_run_id or "")
        for of_one_asset in events.values()
        for event in of_one_asset
        if event.extra and event.extra.get("arn")
    ]
    return {item.arn: item for item in found}
