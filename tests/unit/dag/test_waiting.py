"""Waiting in the worker."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, cast

import pytest

from include.nacre.dag.aws import Aws
from include.nacre.dag.kinds import EXECUTION, MODEL, MODEL_PACKAGE, TRAINING, Kind
from include.nacre.dag.waiting import JobVanishedError, KilledError, Waiting
from tests.unit.dag.memory import refused

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Answers:
    """Describe responses or errors, one after another; the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.left = list(answers)

    def describe(self, _kind: Kind, _name: str) -> Any:
        answer = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def state(status: str, secondary: str = "") -> dict[str, Any]:
    detail = {"SecondaryStatus": secondary} if secondary else {}
    return {"TrainingJobStatus": status, **at_birth(), **detail}


def at_birth() -> dict[str, Any]:
    """What says when a job was created, and that this was just now."""
    date = {"HTTPHeaders": {"date": format_datetime(NOW, usegmt=True)}}
    return {"CreationTime": NOW, "ResponseMetadata": date}


def waiting(*answers: Any, killed: Callable[[], bool] = lambda: False) -> tuple[Waiting, list[str]]:
    said: list[str] = []
    service = cast("Aws", Answers(*answers))
    return Waiting(service, TRAINING, "j", said.append, said.append, killed, lambda _: None), said


def test_each_new_state_is_said_once() -> None:
    wait, said = waiting(
        state("InProgress", "Starting"),
        state("InProgress", "Starting"),
        state("InProgress", "Training"),
        state("Completed", "Completed"),
    )
    answer = wait.for_a_moment()
    assert (answer["TrainingJobStatus"], said) == (
        "Completed",
        ["j: InProgress, Starting", "j: InProgress, Training", "j: Completed"],
    )


def test_each_step_of_an_execution_is_said_when_it_changes() -> None:
    def look(status: str, **steps: str) -> dict[str, Any]:
        found = [{"StepName": name, "StepStatus": state} for name, state in steps.items()]
        return {"PipelineExecutionStatus": status, "Steps": found, **at_birth()}

    said: list[str] = []
    looks = (
        look("Executing", A="Executing"),
        look("Executing", A="Succeeded", B="Executing"),
        look("Succeeded", A="Succeeded", B="Succeeded"),
    )
    service = cast("Aws", Answers(*looks))
    Waiting(service, EXECUTION, "arn", said.append, said.append, sleep=lambda _: None).to_the_end()
    assert said == [
        "A: Executing",
        "execution arn: Executing",
        "A: Succeeded",
        "B: Executing",
        "B: Succeeded",
        "execution arn: Succeeded",
    ]


def rests(*answers: Any, kind: Kind = TRAINING) -> list[float]:
    """How long a moment waits between its looks."""
    rested: list[float] = []
    said: list[str] = []
    service = cast("Aws", Answers(*answers))
    wait = Waiting(service, kind, "j", said.append, said.append, sleep=rested.append)
    wait.for_a_moment()
    return rested


def test_a_moment_is_a_few_looks() -> None:
    running = {**state("InProgress"), "TrainingStartTime": datetime.now(UTC)}
    assert sum(rests(running)) == 2.0


def test_a_moment_is_shorter_for_what_does_not_run_yet() -> None:
    assert sum(rests(state("InProgress", "Starting"))) == 1.0


def test_a_moment_is_over_when_the_job_is() -> None:
    assert rests(state("InProgress"), state("Completed")) == [0.2]


def test_what_is_there_at_once_is_not_waited_for_and_so_never_deferred() -> None:
    package = {"ModelPackageStatus": "Completed", "CreationTime": datetime.now(UTC)}
    model = {"ModelName": "m", "CreationTime": datetime.now(UTC)}
    assert (rests(model, kind=MODEL), rests(package, kind=MODEL_PACKAGE)) == ([], [])


def test_what_is_not_said_to_run_is_looked_at_all_the_same() -> None:
    executing = {"PipelineExecutionStatus": "Executing", "CreationTime": datetime.now(UTC)}
    assert sum(rests({**executing, "Steps": []}, kind=EXECUTION)) == 2.0


def test_a_throttled_look_is_not_the_end() -> None:
    throttled = refused("DescribeTrainingJob", "ThrottlingException")
    wait, said = waiting(throttled, state("Completed"))
    assert (wait.look()["TrainingJobStatus"], said[-1]) == ("Completed", "j: Completed")


def test_a_job_that_was_deleted_ends_the_wait() -> None:
    wait, _ = waiting(None)
    with pytest.raises(JobVanishedError, match="training job j does not exist any more"):
        wait.look()


def test_a_kill_ends_the_wait() -> None:
    wait, _ = waiting(state("InProgress"), killed=lambda: True)
    with pytest.raises(KilledError):
        wait.to_the_end()
