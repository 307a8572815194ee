"""The events of a change, and which changes have one."""

import contextlib
from typing import Any

import pytest

from include.nacre.local.events import Event, Events, event_of
from include.nacre.local.place import Place
from include.nacre.local.store import Resource
from tests.unit.local.memory import START, InMemory, processing, training
from tests.unit.local.pipelines import create, start

ARN = "arn:aws:sagemaker:us-east-1:123456789012:"


class Told:
    """What was put, and what a store told."""

    def __init__(self) -> None:
        self.put: list[Event] = []
        self.events = Events(Place(), self.put.append)

    def of(self, sagemaker: InMemory) -> "Told":
        sagemaker.store.changed = self.events.changed
        return self

    def all(self) -> list[Event]:
        self.events.start()
        self.events.close()
        return self.put


def job(sagemaker: InMemory, kind: str, name: str) -> Resource:
    found = sagemaker.store.get(kind, name)
    assert found is not None
    return found


def test_a_training_jobs_event_is_its_description_with_times_in_milliseconds(
    sagemaker: InMemory,
) -> None:
    sagemaker.call("CreateTrainingJob", **training("fit", HyperParameters={"EndTime": "5"}))
    sagemaker.happen("training", "fit", "Launched", "Failed", reason="CapacityError: none")
    event = event_of(Place(), None, job(sagemaker, "training", "fit"))
    told = {
        key: event.detail[key]
        for key in (
            *("TrainingJobName", "TrainingJobStatus", "SecondaryStatus", "FailureReason"),
            *("CreationTime", "TrainingEndTime", "HyperParameters"),
        )
    }
    assert (event.detail_type, event.time, event.resources, told) == (
        "SageMaker Training Job State Change",
        START + 3,
        [f"{ARN}training-job/fit"],
        {
            "TrainingJobName": "fit",
            "TrainingJobStatus": "Failed",
            "SecondaryStatus": "Failed",
            "FailureReason": "CapacityError: none",
            "CreationTime": (START + 1) * 1000,
            "TrainingEndTime": (START + 3) * 1000,
            "HyperParameters": {"EndTime": "5"},
        },
    )


def test_a_processing_jobs_event_has_nothing_of_a_training_jobs(sagemaker: InMemory) -> None:
    sagemaker.call("CreateProcessingJob", **processing("clean"))
    event = event_of(Place(), None, job(sagemaker, "processing", "clean"))
    assert event.detail == {
        "ProcessingJobName": "clean",
        "ProcessingJobArn": f"{ARN}processing-job/clean",
        "ProcessingJobStatus": "InProgress",
        "CreationTime": (START + 1) * 1000,
        "LastModifiedTime": (START + 1) * 1000,
        "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
        **{key: value for key, value in processing("clean").items() if key != "ProcessingJobName"},
    }


def test_an_executions_event_says_what_it_was_and_what_it_is(sagemaker: InMemory) -> None:
    told = Told().of(sagemaker)
    create(sagemaker)
    arn = start(sagemaker, PipelineExecutionDisplayName="mine")
    sagemaker.call("StopPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken="t" * 32)
    started, stopping = told.all()
    pipeline = arn.rpartition("/execution/")[0]
    facts: dict[str, Any] = {
        "pipelineArn": pipeline,
        "pipelineExecutionArn": arn,
        "pipelineExecutionDisplayName": "mine",
        "executionStartTime": "2026-09-21T14:13:22Z",
    }
    assert (started.detail_type, started.resources, started.detail, stopping.detail) == (
        "SageMaker Model Building Pipeline Execution Status Change",
        [pipeline, arn],
        {**facts, "currentPipelineExecutionStatus": "Executing"},
        {
            **facts,
            "currentPipelineExecutionStatus": "Stopping",
            "previousPipelineExecutionStatus": "Executing",
        },
    )


def test_each_change_of_a_jobs_status_has_one_event(sagemaker: InMemory) -> None:
    told = Told().of(sagemaker)
    sagemaker.call("CreateTrainingJob", **training("fit"))
    sagemaker.happen("training", "fit", "Launched", "Downloading", "Running")
    sagemaker.call("StopTrainingJob", TrainingJobName="fit")
    sagemaker.happen("training", "fit", "Stopped")
    told.events.ended(sagemaker.store, "training", "fit")
    statuses = [event.detail["TrainingJobStatus"] for event in told.all()]
    assert statuses == ["InProgress", "Stopping", "Stopped"]


def test_what_was_refused_has_no_event(sagemaker: InMemory) -> None:
    told = Told().of(sagemaker)
    with contextlib.suppress(LookupError), sagemaker.store.transaction():
        sagemaker.call("CreateTrainingJob", **training("fit"))
        raise LookupError
    assert told.all() == []


def test_an_event_that_cannot_be_sent_ends_no_others(
    sagemaker: InMemory, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[Event] = []

    def put(event: Event) -> None:
        if event.detail["TrainingJobName"] == "a":
            raise LookupError("the queue is gone")
        sent.append(event)

    events = Events(Place(), put)
    for name in ("a", "b"):
        sagemaker.call("CreateTrainingJob", **training(name))
        events.ended(sagemaker.store, "training", name)
    events.start()
    events.close()
    assert ([event.detail["TrainingJobName"] for event in sent], caplog.messages) == (
        ["b"],
        [f"No event could be sent of {ARN}training-job/a: the queue is gone"],
    )
