"""Pipelines through a real client: executions whose jobs really run."""

import json
import re
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.local_sagemaker import BUCKET, ROLE, LocalSageMaker
from tests.unit.local.memory import SKLEARN
from tests.unit.local.pipelines import definition, step

IMAGE = {"ImageUri": SKLEARN}
PATIENCE = 60.0


class Pipelines:
    """Pipelines of one test; names begin with `prefix`."""

    def __init__(self, service: LocalSageMaker, prefix: str) -> None:
        self.name = prefix
        self.sagemaker = service.client("sagemaker")

    def start(self, text: str, **request: Any) -> str:
        """Create a pipeline and start it; the execution's ARN."""
        self.sagemaker.create_pipeline(
            PipelineName=self.name, PipelineDefinition=text, RoleArn=ROLE
        )
        return self.again(**request)

    def again(self, **request: Any) -> str:
        """Start the pipeline once more."""
        answer = self.sagemaker.start_pipeline_execution(PipelineName=self.name, **request)
        return str(answer["PipelineExecutionArn"])

    def describe(self, arn: str) -> dict[str, Any]:
        return dict(self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn))

    def steps(self, arn: str) -> dict[str, dict[str, Any]]:
        """The steps that have begun, by name, in that order."""
        answer = self.sagemaker.list_pipeline_execution_steps(
            PipelineExecutionArn=arn, SortOrder="Ascending"
        )
        return {item["StepName"]: item for item in answer["PipelineExecutionSteps"]}

    def end_of(self, arn: str) -> str:
        """Wait for an execution; its status."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            status = str(self.describe(arn)["PipelineExecutionStatus"])
            if status not in ("Executing", "Stopping"):
                return status
            time.sleep(0.05)
        raise TimeoutError(f"{arn} does not end: {self.steps(arn)}")

    def wait_for_job(self, arn: str, name: str) -> str:
        """Wait until a step has made its job; the job's name."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            metadata = self.steps(arn).get(name, {}).get("Metadata")
            if metadata:
                return str(metadata["ProcessingJob"]["Arn"]).rpartition("/")[2]
            time.sleep(0.05)
        raise TimeoutError(f"{name} has no job")


@pytest.fixture
def pipelines(service: LocalSageMaker, request: pytest.FixtureRequest) -> Pipelines:
    name = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)
    return Pipelines(service, name[-60:].strip("-"))


def with_command(name: str, *command: Any) -> dict[str, Any]:
    """A step whose job runs a command."""
    found = step(name)
    application = {**IMAGE, "ContainerEntrypoint": list(command)}
    return {**found, "Arguments": {**found["Arguments"], "AppSpecification": application}}


def test_steps_run_in_their_order_with_the_parameters_given(pipelines: Pipelines) -> None:
    word = {"Name": "Word", "Type": "String"}
    text = definition(
        {**with_command("B", "echo", {"Get": "Parameters.Word"}), "DependsOn": ["A"]},
        with_command("A", "true"),
        parameters=[word],
    )
    arn = pipelines.start(text, PipelineParameters=[{"Name": "Word", "Value": "rings"}])
    status = pipelines.end_of(arn)
    steps = pipelines.steps(arn)
    job = str(steps["B"]["Metadata"]["ProcessingJob"]["Arn"]).rpartition("/")[2]
    described = pipelines.sagemaker.describe_processing_job(ProcessingJobName=job)
    assert (status, list(steps), described["AppSpecification"]["ContainerEntrypoint"]) == (
        "Succeeded",
        ["A", "B"],
        ["echo", "rings"],
    )
    assert steps["A"]["EndTime"] <= steps["B"]["StartTime"]


def test_a_stopped_execution_stops_its_job_and_begins_nothing(pipelines: Pipelines) -> None:
    text = definition(with_command("Long", "sleep", "600"), step("After", "Long"))
    arn = pipelines.start(text)
    job = pipelines.wait_for_job(arn, "Long")
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    status = pipelines.end_of(arn)
    described = pipelines.sagemaker.describe_processing_job(ProcessingJobName=job)
    steps = {name: item["StepStatus"] for name, item in pipelines.steps(arn).items()}
    assert (status, described["ProcessingJobStatus"], steps) == (
        "Stopped",
        "Stopped",
        {"Long": "Stopped"},
    )


def test_a_retried_execution_keeps_what_succeeded(
    pipelines: Pipelines, service: LocalSageMaker
) -> None:
    key = f"{pipelines.name}/data.csv"
    reader = step("Read", "A")
    source = {"S3Uri": f"s3://{BUCKET}/{key}", "LocalPath": "/opt/ml/processing/input/data"}
    data = {"InputName": "data", "S3Input": {**source, "S3DataType": "S3Prefix"}}
    data["S3Input"]["S3InputMode"] = "File"
    reader["Arguments"]["ProcessingInputs"] = [data]
    arn = pipelines.start(definition(step("A"), reader))
    first = pipelines.end_of(arn)
    reason, before = pipelines.describe(arn)["FailureReason"], pipelines.steps(arn)["A"]
    service.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"1,2\n")
    pipelines.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    second = pipelines.end_of(arn)
    assert (first, key in reason, second, pipelines.steps(arn)["A"]) == (
        "Failed",
        True,
        "Succeeded",
        before,
    )


def test_selected_steps_run_alone(pipelines: Pipelines) -> None:
    source = pipelines.start(definition(step("A"), step("B", "A"), step("C", "B")))
    pipelines.end_of(source)
    config = {"SelectedSteps": [{"StepName": "B"}], "SourcePipelineExecutionArn": source}
    arn = pipelines.again(SelectiveExecutionConfig=config)
    status, steps = pipelines.end_of(arn), pipelines.steps(arn)
    jobs = [run["A"]["Metadata"] for run in (pipelines.steps(source), steps)]
    assert (status, list(steps), jobs[0]) == ("Succeeded", ["A", "B"], jobs[1])


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("send_pipeline_execution_step_success", "Succeeded"),
        ("send_pipeline_execution_step_failure", "Failed"),
    ],
)
def test_a_callback_waits_for_its_answer(
    pipelines: Pipelines, service: LocalSageMaker, answer: str, status: str
) -> None:
    sqs = service.client("sqs")
    url = sqs.create_queue(QueueName=pipelines.name)["QueueUrl"]
    ask = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": url, "Arguments": {"rings": 9}}
    arn = pipelines.start(definition({**ask, "OutputParameters": []}))
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    body = json.loads(message["Body"])
    getattr(pipelines.sagemaker, answer)(CallbackToken=body["token"])
    assert (pipelines.end_of(arn), body["pipelineExecutionArn"], body["arguments"]) == (
        status,
        arn,
        {"rings": 9},
    )


def test_many_starts_with_one_token_are_one_execution(pipelines: Pipelines) -> None:
    arn = pipelines.start(definition(), ClientRequestToken="t" * 32)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: pipelines.again(ClientRequestToken="t" * 32), range(8)))
    assert (found, pipelines.end_of(arn)) == ([arn] * 8, "Succeeded")


def test_of_two_creates_at_once_exactly_one_wins(pipelines: Pipelines) -> None:
    def create(number: int) -> str:
        request = {"PipelineName": pipelines.name, "RoleArn": ROLE}
        try:
            pipelines.sagemaker.create_pipeline(
                **request, PipelineDefinition=definition(step(f"S{number}"))
            )
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "created"

    with ThreadPoolExecutor(8) as threads:
        found = sorted(threads.map(create, range(8)))
    assert found == ["ValidationException"] * 7 + ["created"]


def test_an_execution_has_a_page(pipelines: Pipelines, service: LocalSageMaker) -> None:
    arn = pipelines.start(definition(step("A")))
    pipelines.end_of(arn)
    address = f"{service.endpoint}/console/pipeline-executions/{arn.rpartition('/')[2]}"
    with urllib.request.urlopen(address) as page:  # noqa: S310 - our own address
        text = page.read().decode()
    job = pipelines.wait_for_job(arn, "A")
    assert job in text.lower()
