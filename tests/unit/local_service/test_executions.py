"""Executions of pipelines on the running service: they go on by themselves, and survive it."""

import contextlib
import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.local_sagemaker import BUCKET, ROLE, LocalSageMaker, start
from tests.unit.local_service.scripts import OUTPUT, Scripts

ONCE = f'open("{OUTPUT}/ran.txt", "a").write("once\\n")'
LONG = f'import time\nprint("up", flush=True)\ntime.sleep(2)\n{ONCE}'
ENDLESS = "import time; print('up', flush=True); time.sleep(600)"


class Pipelines:
    """Pipelines of scripts on one service; their jobs write below `out/<prefix>-<step>`."""

    def __init__(self, service: LocalSageMaker, prefix: str) -> None:
        self.scripts = Scripts(service, prefix)
        self.sagemaker = self.scripts.sagemaker
        self.prefix = prefix

    def step(self, name: str, source: str, *after: str, **more: Any) -> dict[str, Any]:
        """A processing step that runs a script."""
        job = self.scripts.name(name)
        self.scripts.s3.put_object(Bucket=BUCKET, Key=f"code/{job}/run.py", Body=source.encode())
        request = self.scripts.request(job)
        del request["ProcessingJobName"]
        made = {"Name": name, "Type": "Processing", "Arguments": request, **more}
        return {**made, "DependsOn": list(after)} if after else made

    def start(self, *steps: dict[str, Any], **request: Any) -> str:
        """Make a pipeline of these steps and start it; the execution's ARN."""
        self.sagemaker.create_pipeline(
            PipelineName=self.prefix,
            PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": steps}),
            RoleArn=ROLE,
        )
        answer = self.sagemaker.start_pipeline_execution(PipelineName=self.prefix, **request)
        return str(answer["PipelineExecutionArn"])

    def describe(self, arn: str) -> dict[str, Any]:
        return dict(self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn))

    def steps(self, arn: str) -> dict[str, dict[str, Any]]:
        answer = self.sagemaker.list_pipeline_execution_steps(
            PipelineExecutionArn=arn, SortOrder="Ascending", MaxResults=100
        )
        return {step["StepName"]: step for step in answer["PipelineExecutionSteps"]}

    def statuses(self, arn: str) -> dict[str, str]:
        return {name: step["StepStatus"] for name, step in self.steps(arn).items()}

    def end_of(self, arn: str, seconds: float = 60) -> str:
        """Wait for the execution; its status."""
        self.until(lambda: self.status(arn) not in {"Executing", "Stopping"}, seconds)
        return self.status(arn)

    def status(self, arn: str) -> str:
        return str(self.describe(arn)["PipelineExecutionStatus"])

    def job(self, arn: str, step: str) -> str:
        """The name of a step's job, in the case in which it was given."""
        found = self.steps(arn)[step]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
        return next(name for name in self.jobs() if name.lower() == found)

    def jobs(self) -> list[str]:
        """The names of all processing jobs."""
        pages = self.sagemaker.get_paginator("list_processing_jobs").paginate()
        return [
            job["ProcessingJobName"] for page in pages for job in page["ProcessingJobSummaries"]
        ]

    def runs(self, arn: str, step: str, seconds: float = 30) -> None:
        """Wait until a step's script has said something."""
        self.until(lambda: bool(self.steps(arn).get(step, {}).get("Metadata")), seconds)
        self.scripts.wait_for_log(self.job(arn, step))

    def written(self, step: str) -> str:
        """What all jobs of a step have written."""
        key = f"out/{self.scripts.name(step)}/ran.txt"
        return str(self.scripts.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())

    def until(self, condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(str(condition))
            time.sleep(0.02)


@pytest.fixture
def pipelines(service: LocalSageMaker, request: pytest.FixtureRequest) -> Pipelines:
    return Pipelines(service, request.node.name.replace("_", "-")[:40].strip("-[]"))


@pytest.fixture
def services() -> Iterator[Callable[..., LocalSageMaker]]:
    """Starts services; ends those that still run."""
    with contextlib.ExitStack() as running:

        def begin(state: Path, *options: str) -> LocalSageMaker:
            service = start(state, options)
            running.callback(lambda: service.process.poll() is None and service.stop())
            return service

        yield begin


def kill(service: LocalSageMaker) -> None:
    service.process.kill()
    service.process.wait()


def test_steps_follow_each_other_by_themselves(pipelines: Pipelines) -> None:
    arn = pipelines.start(
        pipelines.step("A", ONCE), pipelines.step("B", ONCE, "A"), pipelines.step("C", ONCE, "A")
    )
    status, steps = pipelines.end_of(arn), pipelines.steps(arn)
    assert (status, {name: step["StepStatus"] for name, step in steps.items()}) == (
        "Succeeded",
        dict.fromkeys("ABC", "Succeeded"),
    )
    assert all(steps[name]["StartTime"] >= steps["A"]["EndTime"] for name in "BC")


def test_a_stopped_execution_stops_its_running_job(pipelines: Pipelines) -> None:
    arn = pipelines.start(pipelines.step("A", ENDLESS), pipelines.step("B", ONCE, "A"))
    pipelines.runs(arn, "A")
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert (pipelines.end_of(arn), pipelines.statuses(arn)) == ("Stopped", {"A": "Stopped"})
    assert pipelines.scripts.status(pipelines.job(arn, "A")) == "Stopped"


def test_a_failed_execution_is_retried_from_where_it_failed(pipelines: Pipelines) -> None:
    broken = pipelines.step("B", "raise SystemExit('no')", "A")
    arn = pipelines.start(pipelines.step("A", ONCE), broken)
    first = (pipelines.end_of(arn), pipelines.statuses(arn))
    pipelines.step("B", ONCE)  # the script is mended
    pipelines.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    second = (pipelines.end_of(arn), pipelines.statuses(arn))
    assert [first, second] == [
        ("Failed", {"A": "Succeeded", "B": "Failed"}),
        ("Succeeded", {"A": "Succeeded", "B": "Succeeded"}),
    ]


def test_a_lost_job_is_retried_after_the_policys_interval(
    pipelines: Pipelines, service: LocalSageMaker
) -> None:
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 1}
    arn = pipelines.start(pipelines.step("A", LONG, RetryPolicies=[policy]))
    pipelines.runs(arn, "A")
    lost = pipelines.job(arn, "A")
    with contextlib.closing(sqlite3.connect(service.state / "sagemaker.sqlite")) as store:
        row = store.execute("SELECT pid FROM supervisors WHERE name = ?", (lost,)).fetchone()
    os.kill(row[0], signal.SIGKILL)
    assert pipelines.end_of(arn) == "Succeeded"
    step = pipelines.steps(arn)["A"]
    reason = pipelines.scripts.describe(lost)["FailureReason"]
    assert (step["AttemptCount"], reason.partition(":")[0]) == (2, "InternalServerError")


def test_a_callback_step_asks_through_sqs_and_goes_on_when_answered(
    pipelines: Pipelines, service: LocalSageMaker
) -> None:
    sqs = service.client("sqs")
    queue = sqs.create_queue(QueueName=pipelines.prefix)["QueueUrl"]
    ask = {
        "Name": "Ask",
        "Type": "Callback",
        "SqsQueueUrl": queue,
        "Arguments": {"what": "is it good?"},
        "OutputParameters": [{"OutputName": "good", "OutputType": "Boolean"}],
    }
    good = {"Get": "Steps.Ask.OutputParameters['good']"}
    decide = {
        "Name": "Decide",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [{"Type": "Equals", "LeftValue": good, "RightValue": True}],
            "IfSteps": [pipelines.step("Yes", ONCE)],
            "ElseSteps": [pipelines.step("No", ONCE)],
        },
    }
    arn = pipelines.start(ask, decide)
    answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)
    message = json.loads(answer["Messages"][0]["Body"])
    pipelines.sagemaker.send_pipeline_execution_step_success(
        CallbackToken=message["token"], OutputParameters=[{"Name": "good", "Value": "TRUE"}]
    )
    assert (pipelines.end_of(arn), message["arguments"], message["pipelineExecutionArn"]) == (
        "Succeeded",
        {"what": "is it good?"},
        arn,
    )
    assert list(pipelines.statuses(arn)) == ["Ask", "Decide", "Yes"]


def test_a_queue_that_there_is_not_fails_the_callback(
    pipelines: Pipelines, service: LocalSageMaker
) -> None:
    queue = f"{service.endpoint}/123456789012/nothing"
    ask = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}}
    arn = pipelines.start(ask)
    assert pipelines.end_of(arn) == "Failed"
    assert (
        f"No message can be sent to the queue {queue}"
        in pipelines.steps(arn)["Ask"]["FailureReason"]
    )


def test_an_execution_goes_on_after_its_server_was_killed(
    state: Path, services: Callable[..., LocalSageMaker]
) -> None:
    service = services(state)
    pipelines = Pipelines(service, "killed")
    arn = pipelines.start(pipelines.step("A", LONG), pipelines.step("B", ONCE, "A"))
    pipelines.runs(arn, "A")
    kill(service)
    pipelines = Pipelines(services(state), "killed")
    assert (pipelines.end_of(arn), pipelines.statuses(arn)) == (
        "Succeeded",
        {"A": "Succeeded", "B": "Succeeded"},
    )
    assert (len(pipelines.jobs()), pipelines.written("A")) == (2, "once\n")


def test_no_job_runs_twice_however_often_the_server_is_killed(
    state: Path, services: Callable[..., LocalSageMaker]
) -> None:
    service = services(state)
    pipelines = Pipelines(service, "often")
    names = [f"S{number}" for number in range(8)]
    chain = [
        pipelines.step(name, ONCE, *([names[number - 1]] if number else []))
        for number, name in enumerate(names)
    ]
    arn = pipelines.start(*chain)
    for moment in (0.03, 0.1, 0.17, 0.06):
        time.sleep(moment)
        kill(service)
        service = services(state)
    pipelines = Pipelines(service, "often")
    assert (pipelines.end_of(arn), len(pipelines.jobs())) == ("Succeeded", 8)
    assert [pipelines.written(name) for name in names] == ["once\n"] * 8


def test_a_stop_is_kept_by_the_next_server(
    state: Path, services: Callable[..., LocalSageMaker]
) -> None:
    service = services(state)
    pipelines = Pipelines(service, "stopped")
    arn = pipelines.start(pipelines.step("A", ENDLESS))
    pipelines.runs(arn, "A")
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    kill(service)
    pipelines = Pipelines(services(state), "stopped")
    assert (pipelines.end_of(arn), pipelines.statuses(arn)) == ("Stopped", {"A": "Stopped"})


def test_an_execution_whose_jobs_ended_with_the_server_fails_with_their_reason(
    state: Path, services: Callable[..., LocalSageMaker]
) -> None:
    service = services(state)
    pipelines = Pipelines(service, "ended")
    arn = pipelines.start(pipelines.step("A", ENDLESS), pipelines.step("B", ONCE, "A"))
    pipelines.runs(arn, "A")
    service.stop()
    pipelines = Pipelines(services(state), "ended")
    assert (pipelines.end_of(arn), pipelines.describe(arn)["FailureReason"]) == (
        "Failed",
        "Step failure: One or multiple steps failed. A: Stopped",
    )
    assert pipelines.statuses(arn) == {"A": "Stopped"}
