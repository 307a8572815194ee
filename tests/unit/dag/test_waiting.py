"""Waiting in the worker."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from include.nacre.dag.aws import Aws
from include.nacre.dag.kinds import EXECUTION, TRAINING, Kind
from include.nacre.dag.waiting import JobVanishedError, KilledError, Waiting
from tests.unit.dag.memory import refused


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
    return {"TrainingJobStatus": status, "CreationTime": datetime.now(UTC), **detail}


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
        now = datetime.now(UTC)
        return {"PipelineExecutionStatus": status, "Steps": found, "CreationTime": now}

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


def test_a_moment_is_a_few_looks() -> None:
    wait, _ = waiting(state("InProgress"))
    assert wait.for_a_moment()["TrainingJobStatus"] == "InProgress"


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
