"""Executions driven by hand, in memory: a test says when a job ends, and looks after each move."""

from collections.abc import Mapping
from typing import Any

from include.nacre.local.neighbours import SendError
from include.nacre.local.pipelines.driver import Driver
from include.nacre.local.pipelines.execution import Execution, StepRun
from include.nacre.local.pipelines.ground import Means
from include.nacre.local.pipelines.records import EXECUTION, execution_of
from include.nacre.local.pipelines.service import Service
from include.nacre.local.runner import JobKey
from include.nacre.local.world import World
from tests.unit.local.memory import InMemory
from tests.unit.local.pipelines import create, definition, start

QUEUE = "http://127.0.0.1:4670/123456789012/answers"


class Running:
    """The executor's driver over a service in memory, and what it has done."""

    def __init__(self, sagemaker: InMemory) -> None:
        self.sagemaker = sagemaker
        self.sent: list[tuple[str, str]] = []
        self.watched: dict[JobKey, str] = {}
        self.driver = self.new_driver(sagemaker.world)

    def new_driver(self, world: World, call: Any = None) -> Driver:
        service = Service(world, call or self.sagemaker.service.call)
        return Driver(Means(world, service, self.send, self.watched.__setitem__))

    def send(self, queue: str, body: str) -> None:
        if queue != QUEUE:
            raise SendError(f"there is no queue {queue}")
        self.sent.append((queue, body))

    def start(self, *steps: Mapping[str, Any], name: str = "p", **request: Any) -> str:
        """Make a pipeline of these steps, start it, and go as far as it can go now; its ARN."""
        parameters = request.pop("parameters", [])
        text = definition(*map(dict, steps), parameters=parameters)
        create(self.sagemaker, name, PipelineDefinition=text)
        return self.again(name, **request)

    def again(self, name: str = "p", **request: Any) -> str:
        """Start another execution of that pipeline; its ARN."""
        arn = start(self.sagemaker, name, **request)
        self.look(arn)
        return arn

    def look(self, arn: str) -> Execution:
        """Let the executor look, as an event would."""
        found = self.driver.advance(arn.rpartition("/")[2])
        assert found is not None
        return found

    def execution(self, arn: str) -> Execution:
        row = self.sagemaker.store.get(EXECUTION, arn.rpartition("/")[2])
        assert row is not None
        return execution_of(row)

    def step(self, arn: str, name: str) -> StepRun:
        return self.execution(arn).steps[name]

    def statuses(self, arn: str) -> dict[str, str]:
        return {name: run.status for name, run in self.execution(arn).steps.items()}

    def finish(self, arn: str, step: str, end: Any = "Completed", **more: Any) -> Execution:
        """Let a step's job come to an end, and the executor look."""
        job = self.job(arn, step)
        if end == "Stopped":
            self.sagemaker.happen(job.kind, job.name, "StopAsked", "Stopped")
        elif self.sagemaker.store.get(*job).status == "Stopping":  # type: ignore[union-attr]
            self.sagemaker.happen(job.kind, job.name, end, **more)
        else:
            self.sagemaker.happen(job.kind, job.name, "Launched", "Running")
            self.sagemaker.happen(job.kind, job.name, end, **more)
        return self.look(arn)

    def job(self, arn: str, step: str) -> JobKey:
        name = self.step(arn, step).job
        kind = next(key.kind for key in self.watched if key.name == name)
        return JobKey(kind, str(name))

    def describe(self, arn: str, step: str) -> dict[str, Any]:
        """The Describe answer for a step's job."""
        kind, name = self.job(arn, step)
        word = kind.capitalize()
        return self.sagemaker.call(f"Describe{word}Job", **{f"{word}JobName": name})

    @property
    def created(self) -> list[str]:
        """The names of all jobs that were ever started, in order."""
        return [name for what, _, name in self.sagemaker.jobs.asked if what == "start"]
