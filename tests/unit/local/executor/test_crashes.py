"""A server that is killed at any moment: its successor goes on, and no job is created twice."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.nacre.local.pipelines.execution import stop_asked
from tests.unit.local.executor.running import QUEUE, Running
from tests.unit.local.memory import XGBOOST, InMemory
from tests.unit.local.pipelines import change, create, definition, start, step


class Killed(BaseException):
    """The process is gone."""


class Mortal:
    """Whatever acts on the world, killed at its n-th moment: before or after something is done."""

    def __init__(self, sagemaker: InMemory, moments: int) -> None:
        self.sagemaker = sagemaker
        self.left = moments

    def strike(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed

    def call(self, name: str, body: bytes) -> Any:
        self.strike()
        answer = self.sagemaker.service.call(name, body)
        self.strike()
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sagemaker.store, name)

    def update(self, kind: str, name: str, how: Any) -> Any:
        self.strike()
        row = self.sagemaker.store.update(kind, name, how)
        self.strike()
        return row


def steps() -> list[dict[str, Any]]:
    """Jobs, a model, a package, a callback, a condition, a step for a failure."""
    test = {"Type": "Equals", "LeftValue": {"Get": "Steps.A.ProcessingJobStatus"}}
    image = {"Image": XGBOOST}
    return [
        step("A", RetryPolicies=[{"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"]}]),
        {
            "Name": "Choose",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [{**test, "RightValue": "Completed"}],
                "IfSteps": [
                    {
                        "Name": "Model",
                        "Type": "Model",
                        "Arguments": {"ExecutionRoleArn": "arn:aws:iam::123456789012:role/r"}
                        | {"PrimaryContainer": image},
                    },
                    {
                        "Name": "Register",
                        "Type": "RegisterModel",
                        "DependsOn": ["Model"],
                        "Arguments": {
                            "ModelPackageGroupName": {"Get": "Execution.PipelineName"},
                            "InferenceSpecification": {"Containers": [image]},
                        },
                    },
                ],
                "ElseSteps": [step("Never")],
            },
        },
        {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": QUEUE, "Arguments": {}},
        step("B", "A", "Register"),
        step("Handler", DependsOn=[{"Step": "B", "Trigger": "Failed"}]),
    ]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InMemory]:
    made = InMemory(tmp_path_factory.mktemp("service"))
    yield made
    made.store.close()


class Life:
    """One execution, moved by servers of which each may be killed at some moment."""

    def __init__(self, service: InMemory, name: str, moments: list[int]) -> None:
        self.running = Running(service)
        self.moments = moments
        self.before = len(self.running.created)
        self.packages = self._packages(name)
        self.name = name
        create(service, name, PipelineDefinition=definition(*steps()))
        self.arn = start(service, name)
        self._next_server()
        self.look()

    def _next_server(self) -> None:
        service = self.running.sagemaker
        mortal = Mortal(service, self.moments.pop(0) if self.moments else -1)
        world = replace(service.world, store=mortal)  # type: ignore[arg-type]  # acts as one
        self.running.driver = self.running.new_driver(world, mortal.call)

    def look(self) -> None:
        """Look until a server lives through it."""
        while True:
            try:
                self.running.look(self.arn)
            except Killed:
                self._next_server()
            else:
                return

    def act(self, action: Any) -> None:
        """Something happens, and servers see it."""
        try:
            action()
        except Killed:
            self._next_server()
        self.look()

    def finish(self, name: str, end: str = "Completed", **more: Any) -> None:
        self.act(lambda: self.running.finish(self.arn, name, end, **more))

    def answer(self) -> None:
        token = self.running.step(self.arn, "Ask").metadata["Callback"]["CallbackToken"]
        self.running.sagemaker.call("SendPipelineExecutionStepSuccess", CallbackToken=token)
        self.look()

    def _packages(self, name: str) -> int:
        service = self.running.sagemaker
        group = service.store.get("model-package-group", name)
        if group is None:
            return 0
        answer = service.call("ListModelPackages", ModelPackageGroupName=name)
        return len(answer["ModelPackageSummaryList"])

    def end(self) -> dict[str, Any]:
        found = self.running.execution(self.arn)
        created = self.running.created[self.before :]
        return {
            "status": found.status,
            "steps": {name: run.status for name, run in found.steps.items()},
            "attempts": {name: run.attempt for name, run in found.steps.items()},
            "jobs": sorted(name.split("-")[2] for name in created),
            "packages": self._packages(self.name) - self.packages,
        }


def whole_life(service: InMemory, name: str, moments: list[int]) -> dict[str, Any]:
    life = Life(service, name, moments)
    life.finish("A", "Failed", reason="InternalServerError: lost")
    service.clock.now += 10
    life.look()
    life.finish("A")
    life.finish("B", "Failed", reason="AlgorithmError")
    life.answer()
    life.finish("Handler")
    return life.end()


COUNTER = iter(range(1_000_000))

EXPECTED = {
    "status": "CompletedWithFailures",
    "steps": {
        "A": "Succeeded",
        "Ask": "Succeeded",
        "Choose": "Succeeded",
        "Model": "Succeeded",
        "Register": "Succeeded",
        "B": "Failed",
        "Handler": "Succeeded",
    },
    "attempts": {
        **dict.fromkeys(["Ask", "Choose", "Model", "Register", "B", "Handler"], 1),
        "A": 2,
    },
    "jobs": ["A", "A", "B", "Handler"],
    "packages": 1,
}


def test_without_a_crash_it_ends_so(service: InMemory) -> None:
    assert whole_life(service, "calm", []) == EXPECTED


def test_a_server_may_be_killed_at_each_moment_of_an_execution(service: InMemory) -> None:
    moments = range(1, 100)
    ends = [whole_life(service, f"p{next(COUNTER)}", [moment]) for moment in moments]
    assert ends == [EXPECTED] * len(moments)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=6))
@settings(max_examples=30)
def test_killed_servers_change_nothing_and_create_nothing_twice(
    service: InMemory, moments: list[int]
) -> None:
    assert whole_life(service, f"p{next(COUNTER)}", list(moments)) == EXPECTED


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6))
@settings(max_examples=25)
def test_a_stop_reaches_the_jobs_whoever_is_killed(service: InMemory, moments: list[int]) -> None:
    life = Life(service, f"p{next(COUNTER)}", list(moments))
    change(service, life.arn, stop_asked)
    life.look()
    stopped = [asked for asked in service.jobs.asked if asked[0] == "stop"]
    assert stopped[-1] == ("stop", *life.running.job(life.arn, "A"))
    life.answer()
    life.finish("A", "Stopped")
    end = life.end()
    assert (end["status"], end["steps"]) == ("Stopped", {"A": "Stopped", "Ask": "Succeeded"})


def test_a_step_that_was_about_to_create_its_job_creates_none_once_it_is_to_stop(
    sagemaker: InMemory,
) -> None:
    # The first moment is before the step is written down, the third is before its Create call.
    running = Running(sagemaker)
    mortal = Mortal(sagemaker, 3)
    world = replace(sagemaker.world, store=mortal)  # type: ignore[arg-type]  # acts as one
    running.driver = running.new_driver(world, mortal.call)
    with pytest.raises(Killed):
        running.start(step("A"))
    row = sagemaker.store.unfinished(["pipeline-execution"], ["Executing"])[0]
    change(sagemaker, row.arn, stop_asked)
    running.driver = running.new_driver(sagemaker.world)
    end = running.look(row.arn)
    assert (end.status, running.statuses(row.arn), running.created) == (
        "Stopped",
        {"A": "Stopped"},
        [],
    )
