"""What may become of a job, and that nothing else can."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from include.nacre.local.lifecycle import (
    ENDED,
    STARTING,
    TRANSITIONS,
    Event,
    IllegalMove,
    Life,
    born,
    from_json,
    moved,
)

GOOD: list[Event] = ["Launched", "Downloading", "Running", "Uploading", "Completed"]


def lived(*events: Event) -> Life:
    """A life of these events, one a second from 0 on."""
    life = born(0.0)
    for second, event in enumerate(events, 1):
        life = moved(life, event, float(second))
    return life


def shown(life: Life) -> list[tuple[str, str]]:
    return [(entry.status, entry.message) for entry in life.transitions]


def test_a_good_job_goes_through_the_services_secondary_statuses_with_its_messages() -> None:
    assert shown(lived(*GOOD)) == [
        ("Starting", "Preparing the instances for training"),
        ("Downloading", "Downloading input data"),
        ("Training", "Training image download completed. Training in progress."),
        ("Uploading", "Uploading generated training model"),
        ("Completed", "Training job completed"),
    ]


def test_a_transition_ends_when_the_next_one_starts() -> None:
    times = [(entry.started, entry.ended) for entry in lived(*GOOD).transitions]
    assert times == [(0.0, 2.0), (2.0, 3.0), (3.0, 4.0), (4.0, 5.0), (5.0, 5.0)]


def test_what_is_billed_runs_from_launch_to_end_in_whole_seconds() -> None:
    assert lived(*GOOD).seconds == 4


def test_the_shortest_job_is_billed_a_second() -> None:
    assert moved(moved(born(0.0), "Launched", 0.1), "Failed", 0.2).seconds == 1


def test_a_job_that_never_began_is_billed_nothing() -> None:
    assert lived("StopAsked", "Stopped").seconds is None


def test_a_stopped_job_still_uploads_its_model() -> None:
    life = lived("Launched", "Downloading", "Running", "StopAsked", "Uploading", "Stopped")
    assert [entry.status for entry in life.transitions][-3:] == ["Stopping", "Uploading", "Stopped"]


def test_a_stopped_job_is_stopping_while_it_uploads() -> None:
    assert lived("Launched", "StopAsked", "Uploading").state.status == "Stopping"


def test_a_job_over_its_time_limit_is_stopped_and_says_why() -> None:
    life = lived("Launched", "Running", "TimeLimit", "OverTime")
    assert life.state == ("Stopped", "MaxRuntimeExceeded")


def test_an_interrupted_job_starts_again_and_its_wait_is_no_running_time() -> None:
    life = lived(*GOOD[:3], "Interrupted", "Restarted", *GOOD)
    assert ([entry.status for entry in life.transitions], life.seconds) == (
        [
            *("Starting", "Downloading", "Training", "Interrupted"),
            *("Starting", "Downloading", "Training", "Uploading", "Completed"),
        ],
        8,
    )


def test_a_job_whose_wait_is_over_is_stopped_and_says_why() -> None:
    life = lived(*GOOD[:3], "Interrupted", "TimeLimit", "WaitOver")
    assert life.state == ("Stopped", "MaxWaitTimeExceeded")


@pytest.mark.parametrize("end", ["Completed", "Failed"])
def test_nothing_happens_to_a_job_that_is_over(end: Event) -> None:
    with pytest.raises(IllegalMove):
        moved(lived("Launched", "Running", end), "StopAsked", 9.0)


def test_an_illegal_move_says_what_was_tried() -> None:
    with pytest.raises(IllegalMove, match="a job that is InProgress/Starting cannot be Uploading"):
        moved(born(0.0), "Uploading", 1.0)


def test_a_clock_that_jumps_back_does_not_turn_a_jobs_times_round() -> None:
    life = moved(moved(born(100.0), "Launched", 101.0), "Downloading", 5.0)
    assert [entry.started for entry in life.transitions] == [100.0, 100.0]


EVENTS: list[Event] = [
    *GOOD,
    *("StopAsked", "TimeLimit", "Failed", "Stopped", "OverTime"),
    *("Interrupted", "Restarted", "WaitOver"),
]


class JobLife(RuleBasedStateMachine):
    """Any events in any order, at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.life = born(0.0)

    @rule(event=st.sampled_from(EVENTS), now=st.floats(0, 1e9))
    def happens(self, event: Event, now: float) -> None:
        before, allowed = self.life, TRANSITIONS[self.life.state]
        if event in allowed:
            self.life = moved(before, event, now)
            assert self.life.state == allowed[event]
        else:
            with pytest.raises(IllegalMove):
                moved(before, event, now)

    @invariant()
    def shows_its_state_last(self) -> None:
        assert self.life.transitions[-1].status == self.life.state.secondary

    @invariant()
    def begins_at_the_beginning(self) -> None:
        assert self.life.transitions[0].status == STARTING.secondary

    @invariant()
    def never_goes_back_in_time(self) -> None:
        starts = [entry.started for entry in self.life.transitions]
        assert starts == sorted(starts)

    @invariant()
    def has_an_end_when_it_is_over_and_only_then(self) -> None:
        assert (self.life.ended is not None) == (self.life.state.status in ENDED)

    @invariant()
    def comes_back_whole_from_the_store(self) -> None:
        assert from_json(self.life.to_json()) == self.life


JobLife.TestCase.settings = settings(max_examples=60)
TestJobLife = JobLife.TestCase


def test_every_state_that_can_be_reached_is_in_the_table() -> None:
    reached = {after for moves in TRANSITIONS.values() for after in moves.values()}
    assert reached <= set(TRANSITIONS)
