"""The thread that is woken by events: by what, when again, and what a fault of ours does."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from include.nacre.local.pipelines.callbacks import register
from include.nacre.local.pipelines.execution import Execution
from include.nacre.local.pipelines.executor import Executor
from include.nacre.local.pipelines.records import EXECUTION, execution_of
from include.nacre.local.store import Resource
from tests.unit.local.memory import InMemory
from tests.unit.local.pipelines import create, definition, start, step


class Started:
    """An executor that runs over a service in memory."""

    def __init__(self, sagemaker: InMemory) -> None:
        self.sagemaker = sagemaker
        sagemaker.clock.now = time.time()  # what is started is started today
        sagemaker.clock = time.time  # type: ignore[assignment]  # timers wait for real
        self.executor = Executor(pause=0.1)
        self.world = replace(sagemaker.world, pipelines=self.executor, clock=time.time)
        self.call = sagemaker.service.call

    def begin(self) -> None:
        self.executor.start(self.world, lambda *call: self.call(*call), lambda _queue, _body: None)

    def execution(self, arn: str) -> Execution:
        row = self.sagemaker.store.get(EXECUTION, arn.rpartition("/")[2])
        assert row is not None
        return execution_of(row)

    def finish(self, arn: str, name: str, end: Any = "Completed", **more: Any) -> None:
        """Let a step's job end, as the runner tells it."""
        job = str(self.execution(arn).steps[name].job)
        self.sagemaker.happen("processing", job, "Launched", "Running", end, **more)
        self.executor.job_ended("processing", job)

    def becomes(self, arn: str, is_so: Callable[[Execution], bool]) -> bool:
        deadline = time.monotonic() + 10
        while not is_so(self.execution(arn)) and time.monotonic() < deadline:
            time.sleep(0.005)
        return is_so(self.execution(arn))

    def runs(self, arn: str, *names: str) -> bool:
        """Whether these steps come to run, and no others."""
        return self.becomes(
            arn,
            lambda it: (
                [name for name, run in it.live.items() if run.status == "Executing"] == [*names]
            ),
        )


@pytest.fixture
def started(sagemaker: InMemory) -> Iterator[Started]:
    made = Started(sagemaker)
    yield made
    made.executor.close()


def submitted(started: Started, *steps: dict[str, Any], name: str = "p") -> str:
    create(started.sagemaker, name, PipelineDefinition=definition(*steps))
    arn = start(started.sagemaker, name)
    started.executor.submitted(arn.rpartition("/")[2])
    return arn


def test_the_end_of_a_job_is_what_an_execution_waits_for(started: Started) -> None:
    started.begin()
    arn = submitted(started, step("A"), step("B", "A"))
    first = started.runs(arn, "A")
    started.finish(arn, "A")
    second = started.runs(arn, "B")
    started.finish(arn, "B")
    assert (first, second) == (True, True)
    assert started.becomes(arn, lambda it: it.status == "Succeeded")


def test_what_an_earlier_server_left_is_taken_over(started: Started) -> None:
    arn = submitted(started, step("A"))
    started.begin()
    assert started.runs(arn, "A")


def test_a_step_is_tried_again_when_it_is_due(started: Started) -> None:
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 1}
    started.begin()
    arn = submitted(started, step("A", RetryPolicies=[policy]))
    assert started.runs(arn, "A")
    before = time.time()
    started.finish(arn, "A", "Failed", reason="InternalServerError: lost")
    assert started.becomes(arn, lambda it: it.steps["A"].attempt == 2)
    assert started.runs(arn, "A")
    assert time.time() - before >= 1


def test_a_fault_of_ours_fails_its_execution_and_no_other(started: Started) -> None:
    def broken(name: str, body: bytes) -> Any:
        if b'"broken"' in body:
            raise RuntimeError("a fault of ours")
        return started.sagemaker.service.call(name, body)

    started.call = broken
    started.begin()
    bad = step("A")
    bad["Arguments"]["Environment"] = {"x": "broken"}
    first, second = submitted(started, bad, name="p"), submitted(started, step("A"), name="q")
    assert started.becomes(first, lambda it: it.is_over)
    assert started.execution(first).failure == (
        "InternalServerError: We encountered an internal error. Please try again."
    )
    assert started.runs(second, "A")


def test_an_execution_that_cannot_be_read_stops_no_other(started: Started) -> None:
    def of_another_version(row: Resource) -> Resource:
        return replace(row, state={"Steps": {"A": {"unknown": 1}}})

    bad = submitted(started, step("A"), name="p")
    started.sagemaker.store.update(EXECUTION, bad.rpartition("/")[2], of_another_version)
    started.begin()
    started.executor.submitted(bad.rpartition("/")[2])
    assert started.runs(submitted(started, step("A"), name="q"), "A")


def test_a_store_that_cannot_be_used_is_tried_again(started: Started) -> None:
    def full(_name: str, _body: bytes) -> Any:
        started.call = started.sagemaker.service.call
        raise sqlite3.OperationalError("database or disk is full")

    started.call = full
    started.begin()
    arn = submitted(started, step("A"))
    assert started.runs(arn, "A")


def test_the_end_of_a_job_that_is_no_steps_wakes_nobody(started: Started) -> None:
    started.begin()
    started.executor.job_ended("training", "somebody-elses")
    arn = submitted(started, step("A"))
    assert started.runs(arn, "A")


def test_a_closed_executor_begins_nothing(started: Started) -> None:
    started.begin()
    started.executor.close()
    arn = submitted(started, step("A"))
    time.sleep(0.05)
    assert started.execution(arn).steps == {}


def test_registering_a_token_twice_is_registering_it_once(sagemaker: InMemory) -> None:
    for _ in range(2):
        register(sagemaker.store, "a" * 10, "Ask", "arn:x")
    assert sagemaker.store.token("Callback", "a" * 10) == ("Ask", "arn:x")
