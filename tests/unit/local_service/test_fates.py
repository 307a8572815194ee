"""Jobs that meet what a running service was told, as a real client sees them."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.local_sagemaker import BUCKET, ROLE, LocalSageMaker, wait_until_over
from tests.unit.local_service.faulty import asked, put
from tests.unit.local_service.scripts import IMAGE, Scripts

SLOW = timedelta(seconds=0.9)
UP = "import time; print('up', flush=True); time.sleep(600)"


@pytest.fixture
def faulty(service: LocalSageMaker, scripts: Scripts) -> Iterator[Scripts]:
    """Scripts of a service whose faults end with the test; rules are for names of this test."""
    yield scripts
    asked(service, "DELETE", "/faults")


def test_jobs_fail_with_the_services_reasons(service: LocalSageMaker, faulty: Scripts) -> None:
    ends = ("capacity", "internal", "algorithm")
    rules = [{"job": "*", "name": f"*-{end}", "do": end} for end in ends]
    put(service, *rules)
    names = [faulty.start(end, UP) for end in ends]
    found = [faulty.end_of(name)["FailureReason"].partition(":")[0] for name in names]
    assert found == ["CapacityError", "InternalServerError", "AlgorithmError"]


def test_a_job_starts_and_stops_as_late_as_it_was_told(
    service: LocalSageMaker, faulty: Scripts
) -> None:
    put(service, *({"job": "*", "do": do, "seconds": 1} for do in ("slow_start", "slow_stop")))
    name = faulty.start("slow", UP)
    faulty.wait_for_log(name)
    asked_at = datetime.now(UTC)
    faulty.sagemaker.stop_processing_job(ProcessingJobName=name)
    end = faulty.end_of(name)
    started = end["ProcessingStartTime"] - end["CreationTime"]
    stopped = end["ProcessingEndTime"] - asked_at
    assert (end["ProcessingJobStatus"], started > SLOW, stopped > SLOW) == ("Stopped", True, True)


def test_a_job_beyond_a_quota_is_refused(service: LocalSageMaker, faulty: Scripts) -> None:
    put(service, {"quota": "Processing", "limit": 0})
    with pytest.raises(ClientError) as refused:
        faulty.start("a", UP)
    assert refused.value.response["Error"]["Code"] == "ResourceLimitExceeded"


def test_a_step_without_capacity_is_tried_again_by_its_policy(
    service: LocalSageMaker, faulty: Scripts
) -> None:
    put(service, {"job": "Processing", "do": "capacity", "times": 1})
    name = faulty.name("pipeline")
    request = faulty.request(name)
    faulty.s3.put_object(Bucket=BUCKET, Key=f"code/{name}/run.py", Body=b"print(1)")
    del request["ProcessingJobName"]
    policy = {"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "IntervalSeconds": 1}
    step = {"Name": "A", "Type": "Processing", "Arguments": request, "RetryPolicies": [policy]}
    faulty.sagemaker.create_pipeline(
        PipelineName=name,
        RoleArn=ROLE,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [step]}),
    )
    arn = faulty.sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    assert (end_of_execution(faulty, arn), acted(service)) == (("Succeeded", 2), [1])


def end_of_execution(scripts: Scripts, arn: str) -> tuple[str, int]:
    """The status of an execution that ends, and the attempts of its one step."""
    deadline, ours = time.monotonic() + 60, {"PipelineExecutionArn": arn}
    while time.monotonic() < deadline:
        status = scripts.sagemaker.describe_pipeline_execution(**ours)["PipelineExecutionStatus"]
        if status != "Executing":
            (step,) = scripts.sagemaker.list_pipeline_execution_steps(**ours)[
                "PipelineExecutionSteps"
            ]
            return status, step["AttemptCount"]
        time.sleep(0.05)
    raise TimeoutError(arn)


def acted(service: LocalSageMaker) -> list[int]:
    found: list[int] = asked(service, "GET", "/faults")[1]["acted"]
    return found


def spot_job(name: str, script: str) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "-c", script],
        },
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "VolumeSizeInGB": 1,
        },
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 600},
    }


def test_a_spot_job_is_interrupted_and_goes_on(service: LocalSageMaker, faulty: Scripts) -> None:
    put(service, {"job": "Training", "name": faulty.name("*"), "do": "interrupt", "away": 0.2})
    name = faulty.name("spot")
    faulty.sagemaker.create_training_job(**spot_job(name, "print('done')"))
    end = wait_until_over(faulty.sagemaker, "training", name)
    assert (
        end["TrainingJobStatus"],
        [entry["Status"] for entry in end["SecondaryStatusTransitions"]],
        end["BillableTimeInSeconds"] < end["TrainingTimeInSeconds"] + 1,
    ) == (
        "Completed",
        [
            *("Starting", "Downloading", "Training", "Interrupted"),
            *("Starting", "Downloading", "Training", "Uploading", "Completed"),
        ],
        True,
    )
