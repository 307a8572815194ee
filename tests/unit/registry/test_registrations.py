"""What the events of a registration's asset say."""

from dataclasses import dataclass
from typing import Any

from include.nacre.registry.registrations import Source, source_of


@dataclass
class Event:
    extra: dict[str, Any] | None
    source_dag_id: str | None = "abalone_training"
    source_run_id: str | None = "monday"


def test_an_event_says_which_run_registered_a_version() -> None:
    events = [Event({"arn": "a/1"}, source_run_id="tuesday"), Event({"arn": "a/2"})]
    assert source_of("a/1", events) == Source("abalone_training", "tuesday")


def test_events_of_other_versions_of_persons_and_without_a_version_say_nothing() -> None:
    events = [Event({"arn": "a/1"}), Event({"arn": "a/2"}, None, None), Event(None), Event({})]
    assert source_of("a/2", events) is None
