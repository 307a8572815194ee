"""What the events of a registration's asset say."""

from dataclasses import dataclass
from typing import Any

from include.nacre.registry.registrations import Registration, registrations


@dataclass
class Event:
    extra: dict[str, Any] | None
    source_dag_id: str | None = "abalone_training"
    source_run_id: str | None = "monday"


def test_events_say_which_run_registered_which_version() -> None:
    events = {"asset": [Event({"arn": "a/1"}), Event({"arn": "a/2"}, None, None)]}
    assert registrations(events) == {
        "a/1": Registration("a/1", "abalone_training", "monday"),
        "a/2": Registration("a/2", "", ""),
    }


def test_events_without_a_version_and_runs_without_events_name_none() -> None:
    assert registrations({"asset": [Event(None), Event({}), Event({"arn": ""})]}) == {}
    assert registrations({}) == {}
