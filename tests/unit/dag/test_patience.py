"""Calling again while trouble passes by itself."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from botocore.exceptions import ClientError

from include.nacre.dag.patience import FOREVER, Patience
from tests.unit.dag.memory import refused

THROTTLED = refused("CreateTrainingJob", "ThrottlingException")


@dataclass
class Clock:
    now: float = 0.0
    said: list[str] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def patience(self, seconds: float) -> Patience:
        return Patience(self.said.append, seconds, self.sleep, lambda: self.now)


def failing(*errors: Exception) -> Callable[[], str]:
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return call


def test_throttled_calls_are_made_again_ever_more_slowly() -> None:
    clock = Clock()
    answer = clock.patience(120).call(failing(*[THROTTLED] * 4))
    assert (answer, clock.now, len(clock.said)) == ("answer", 2 + 4 + 8 + 16, 4)


def test_each_rest_is_said() -> None:
    clock = Clock()
    clock.patience(120).call(failing(THROTTLED))
    assert clock.said == [
        "CreateTrainingJob failed with ThrottlingException: no. Trying again in 2 s."
    ]


def test_patience_ends() -> None:
    clock = Clock()
    with pytest.raises(ClientError):
        clock.patience(60).call(failing(*[THROTTLED] * 100))
    assert clock.now <= 60


def test_a_wait_goes_on_for_ever() -> None:
    assert Clock().patience(FOREVER).call(failing(*[THROTTLED] * 1000)) == "answer"


def test_what_is_refused_is_not_tried_again() -> None:
    clock = Clock()
    with pytest.raises(ClientError):
        clock.patience(FOREVER).call(failing(refused("CreateTrainingJob", "ValidationException")))
    assert clock.said == []


def test_an_error_of_ours_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        Clock().patience(FOREVER).call(failing(KeyError("x")))
