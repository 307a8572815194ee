"""EventBridge's events in an SQS queue, as a user's client arranges and reads them."""

import json
import time
from typing import Any

from tests.support.local_sagemaker import ROLE, LocalSageMaker
from tests.unit.local_service.scripts import Scripts

JOBS = "SageMaker Processing Job State Change"
EXECUTIONS = "SageMaker Model Building Pipeline Execution Status Change"


class Queue:
    """A queue of what fits a pattern."""

    def __init__(self, service: LocalSageMaker, name: str, pattern: dict[str, Any]) -> None:
        self.sqs = service.client("sqs")
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        asked = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        events = service.client("events")
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        events.put_targets(
            Rule=name, Targets=[{"Id": "queue", "Arn": asked["Attributes"]["QueueArn"]}]
        )

    def read(self, count: int) -> list[dict[str, Any]]:
        """So many events, in the order in which they came."""
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + 30
        while len(found) < count and time.monotonic() < deadline:
            asked = self.sqs.receive_message(
                QueueUrl=self.url, WaitTimeSeconds=1, MaxNumberOfMessages=10
            )
            for message in asked.get("Messages", []):
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return found


def test_a_jobs_events_come_into_the_queue_of_a_rule(
    service: LocalSageMaker, scripts: Scripts
) -> None:
    mine = {"ProcessingJobName": [scripts.name("good")]}
    pattern = {"source": ["aws.sagemaker"], "detail-type": [JOBS], "detail": mine}
    queue = Queue(service, "jobs", pattern)
    end = scripts.end_of(scripts.start("good", "print(1)"))
    first, last = queue.read(2)
    assert (
        [event["detail"]["ProcessingJobStatus"] for event in (first, last)],
        {key: last[key] for key in ("version", "source", "detail-type", "region")},
        last["resources"],
        last["detail"]["ProcessingEndTime"],
    ) == (
        ["InProgress", "Completed"],
        {
            "version": "0",
            "source": "aws.sagemaker",
            "detail-type": JOBS,
            "region": "us-east-1",
        },
        [end["ProcessingJobArn"]],
        round(end["ProcessingEndTime"].timestamp() * 1000),
    )


def test_a_pattern_chooses_by_detail(service: LocalSageMaker, scripts: Scripts) -> None:
    failed = {
        "source": ["aws.sagemaker"],
        "detail": {
            "ProcessingJobName": [{"prefix": scripts.prefix}],
            "ProcessingJobStatus": ["Failed", "Stopped"],
        },
    }
    queue = Queue(service, "failures", failed)
    scripts.end_of(scripts.start("good", "print(1)"))
    bad = scripts.start("bad", "raise SystemExit(1)")
    scripts.end_of(bad)
    (event,) = queue.read(1)
    reason = event["detail"]["FailureReason"]
    assert (event["detail"]["ProcessingJobName"], reason.partition(":")[0]) == (
        bad,
        "AlgorithmError",
    )


def test_an_executions_events_come_into_the_queue_of_a_rule(service: LocalSageMaker) -> None:
    mine = {"pipelineArn": ["arn:aws:sagemaker:us-east-1:123456789012:pipeline/fails"]}
    queue = Queue(service, "executions", {"detail-type": [EXECUTIONS], "detail": mine})
    fail = {"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": "as asked"}}
    sagemaker = service.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName="fails",
        RoleArn=ROLE,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [fail]}),
    )
    sagemaker.start_pipeline_execution(PipelineName="fails")
    assert [
        (
            event["detail"].get("previousPipelineExecutionStatus"),
            event["detail"]["currentPipelineExecutionStatus"],
        )
        for event in queue.read(2)
    ] == [(None, "Executing"), ("Executing", "Failed")]
