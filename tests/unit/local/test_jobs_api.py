"""Create, describe, list, stop and delete jobs."""

import functools
from datetime import UTC, datetime
from typing import Any

import pytest

from include.nacre.local.jobrecord import KINDS
from include.nacre.local.jobs.spec import Kind
from tests.unit.local.memory import (
    BUCKET,
    ROLE,
    START,
    XGBOOST,
    InMemory,
    channel,
    error_of,
    processing,
    training,
    transform,
)

GOOD = ("Launched", "Downloading", "Running", "Uploading", "Completed")


def with_model(sagemaker: InMemory) -> None:
    sagemaker.put("batch/one.csv")
    data = sagemaker.put("models/model.tar.gz")
    container = {"Image": XGBOOST, "ModelDataUrl": data}
    sagemaker.call(
        "CreateModel", ModelName="abalone", PrimaryContainer=container, ExecutionRoleArn=ROLE
    )


def create(sagemaker: InMemory, kind: Kind, name: str = "job-1") -> str:
    if kind == "transform" and sagemaker.store.get("model", "abalone") is None:
        with_model(sagemaker)
    request = {"processing": processing, "training": training, "transform": transform}[kind](name)
    word = KINDS[kind].word
    return str(sagemaker.call(f"Create{word}Job", **request)[f"{word}JobArn"])


def describe(sagemaker: InMemory, kind: Kind, name: str = "job-1") -> dict[str, Any]:
    word = KINDS[kind].word
    return sagemaker.call(f"Describe{word}Job", **{f"{word}JobName": name})


def second(number: int) -> datetime:
    return datetime.fromtimestamp(START + number, UTC)


@pytest.mark.parametrize("kind", ["processing", "training", "transform"])
def test_a_created_job_has_the_services_arn(sagemaker: InMemory, kind: Kind) -> None:
    assert create(sagemaker, kind) == (f"arn:aws:sagemaker:us-east-1:123456789012:{kind}-job/job-1")


@pytest.mark.parametrize("kind", ["processing", "training", "transform"])
def test_a_created_job_is_in_progress_and_starts(sagemaker: InMemory, kind: Kind) -> None:
    create(sagemaker, kind)
    status = describe(sagemaker, kind)[f"{KINDS[kind].word}JobStatus"]
    assert (status, sagemaker.jobs.asked) == ("InProgress", [("start", kind, "job-1")])


def test_an_arn_is_in_lower_case_as_the_service_writes_it(sagemaker: InMemory) -> None:
    arn = create(sagemaker, "training", "Fit-Abalone")
    assert arn == "arn:aws:sagemaker:us-east-1:123456789012:training-job/fit-abalone"


def test_a_training_job_tells_its_whole_story(sagemaker: InMemory) -> None:
    create(sagemaker, "training")
    sagemaker.happen("training", "job-1", *GOOD)
    found = describe(sagemaker, "training")
    assert {key: found[key] for key in found if key not in training()} == {
        "TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/job-1",
        "TrainingJobStatus": "Completed",
        "SecondaryStatus": "Completed",
        "CreationTime": second(1),
        "TrainingStartTime": second(2),
        "TrainingEndTime": second(6),
        "LastModifiedTime": second(6),
        "TrainingTimeInSeconds": 4,
        "BillableTimeInSeconds": 4,
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        "SecondaryStatusTransitions": [
            {
                "Status": "Starting",
                "StartTime": second(1),
                "EndTime": second(3),
                "StatusMessage": "Preparing the instances for training",
            },
            {
                "Status": "Downloading",
                "StartTime": second(3),
                "EndTime": second(4),
                "StatusMessage": "Downloading input data",
            },
            {
                "Status": "Training",
                "StartTime": second(4),
                "EndTime": second(5),
                "StatusMessage": "Training image download completed. Training in progress.",
            },
            {
                "Status": "Uploading",
                "StartTime": second(5),
                "EndTime": second(6),
                "StatusMessage": "Uploading generated training model",
            },
            {
                "Status": "Completed",
                "StartTime": second(6),
                "EndTime": second(6),
                "StatusMessage": "Training job completed",
            },
        ],
    }


def test_a_description_repeats_the_request(sagemaker: InMemory) -> None:
    request = training(HyperParameters={"eta": "0.2"}, Environment={"A": "b"})
    sagemaker.call("CreateTrainingJob", **request)
    found = describe(sagemaker, "training", "fit")
    assert {key: found[key] for key in request} == request


def test_tags_are_no_part_of_a_description(sagemaker: InMemory) -> None:
    sagemaker.call("CreateProcessingJob", **processing(Tags=[{"Key": "a", "Value": "b"}]))
    assert "Tags" not in describe(sagemaker, "processing", "clean")


def test_a_job_without_a_time_limit_has_the_services(sagemaker: InMemory) -> None:
    create(sagemaker, "processing")
    assert describe(sagemaker, "processing")["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}


def test_what_a_job_found_out_is_in_its_description(sagemaker: InMemory) -> None:
    create(sagemaker, "training")
    sagemaker.happen("training", "job-1", *GOOD[:-1])
    artifacts = {"S3ModelArtifacts": f"s3://{BUCKET}/models/job-1/output/model.tar.gz"}
    sagemaker.happen("training", "job-1", "Completed", facts={"ModelArtifacts": artifacts})
    assert describe(sagemaker, "training")["ModelArtifacts"] == artifacts


def test_a_failed_job_says_why(sagemaker: InMemory) -> None:
    create(sagemaker, "transform")
    sagemaker.happen("transform", "job-1", "Launched", "Downloading", "Running")
    sagemaker.happen("transform", "job-1", "Failed", reason="AlgorithmError: See job logs")
    found = describe(sagemaker, "transform")
    assert (found["TransformJobStatus"], found["FailureReason"]) == (
        "Failed",
        "AlgorithmError: See job logs",
    )


def test_a_reason_is_cut_to_what_the_service_keeps(sagemaker: InMemory) -> None:
    create(sagemaker, "training")
    sagemaker.happen("training", "job-1", "Failed", reason="x" * 2000)
    assert len(describe(sagemaker, "training")["FailureReason"]) == 1024


TAKEN = {
    "training": "Training job names must be unique within an AWS account and region, and a"
    " training job with this name already exists ({arn})",
    "processing": "Job name must be unique within an AWS account and region, and a job with this"
    " name already exists ({arn})",
    "transform": "Job name must be unique within an AWS account and region, and a job with this"
    " name already exists ({arn})",
}


@pytest.mark.parametrize("kind", ["processing", "training", "transform"])
def test_a_name_is_used_once(sagemaker: InMemory, kind: Kind) -> None:
    arn = create(sagemaker, kind)
    assert error_of(create, sagemaker, kind) == ("ResourceInUse", TAKEN[kind].format(arn=arn))


def test_names_that_differ_in_case_alone_are_one_name(sagemaker: InMemory) -> None:
    create(sagemaker, "training", "fit")
    assert error_of(create, sagemaker, "training", "FIT")[0] == "ResourceInUse"


def test_a_job_is_found_by_the_name_in_its_arn(sagemaker: InMemory) -> None:
    arn = create(sagemaker, "training", "Fit-Abalone")
    found = sagemaker.call("DescribeTrainingJob", TrainingJobName=arn.rpartition("/")[2])
    assert found["TrainingJobName"] == "Fit-Abalone"


def test_a_name_stays_used_when_its_job_is_over(sagemaker: InMemory) -> None:
    create(sagemaker, "training")
    sagemaker.happen("training", "job-1", "Failed")
    assert error_of(create, sagemaker, "training")[0] == "ResourceInUse"


def test_who_sends_a_job_again_learns_that_it_exists_though_its_data_is_gone(
    sagemaker: InMemory,
) -> None:
    data = sagemaker.put("train/one.csv")
    request = training(InputDataConfig=[channel(data)])
    sagemaker.call("CreateTrainingJob", **request)
    sagemaker.objects.delete(data)
    assert error_of(sagemaker.call, "CreateTrainingJob", **request)[0] == "ResourceInUse"


def test_kinds_do_not_share_their_names(sagemaker: InMemory) -> None:
    arns = {create(sagemaker, kind) for kind in KINDS}
    assert len(arns) == 3


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("training", "Requested resource not found."),
        ("processing", "Could not find requested job with name: job-1"),
        ("transform", "Could not find requested job with name: job-1"),
    ],
)
@pytest.mark.parametrize("verb", ["Describe", "Stop"])
def test_a_job_that_there_is_not_is_a_validation_error(
    sagemaker: InMemory, verb: str, kind: Kind, message: str
) -> None:
    word = KINDS[kind].word
    call = f"{verb}{word}Job"
    assert error_of(sagemaker.call, call, **{f"{word}JobName": "job-1"}) == (
        "ValidationException",
        message,
    )


def test_a_stopped_job_is_stopping_and_its_runner_told(sagemaker: InMemory) -> None:
    create(sagemaker, "processing")
    answer = sagemaker.call("StopProcessingJob", ProcessingJobName="job-1")
    status = describe(sagemaker, "processing")["ProcessingJobStatus"]
    assert (answer, status, sagemaker.jobs.asked[-1]) == (
        {},
        "Stopping",
        ("stop", "processing", "job-1"),
    )


def test_stopping_twice_is_stopping(sagemaker: InMemory) -> None:
    create(sagemaker, "processing")
    sagemaker.call("StopProcessingJob", ProcessingJobName="job-1")
    assert sagemaker.call("StopProcessingJob", ProcessingJobName="job-1") == {}


@pytest.mark.parametrize("kind", ["processing", "training", "transform"])
def test_a_job_that_is_over_cannot_be_stopped(sagemaker: InMemory, kind: Kind) -> None:
    create(sagemaker, kind)
    sagemaker.happen(kind, "job-1", "Launched", "Running", "Completed")
    word = KINDS[kind].word
    assert error_of(sagemaker.call, f"Stop{word}Job", **{f"{word}JobName": "job-1"}) == (
        "ValidationException",
        f"The request was rejected because the {kind} job is in status Completed.",
    )


def test_a_summary_has_what_the_services_has(sagemaker: InMemory) -> None:
    create(sagemaker, "processing")
    sagemaker.happen("processing", "job-1", "Failed", reason="because")
    assert sagemaker.call("ListProcessingJobs") == {
        "ProcessingJobSummaries": [
            {
                "ProcessingJobName": "job-1",
                "ProcessingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:processing-job/job-1",
                "CreationTime": second(1),
                "ProcessingEndTime": second(2),
                "LastModifiedTime": second(2),
                "ProcessingJobStatus": "Failed",
                "FailureReason": "because",
            }
        ]
    }


@pytest.mark.parametrize("kind", ["processing", "training"])
def test_a_job_that_has_ended_can_be_deleted_and_its_name_used_again(
    sagemaker: InMemory, kind: Kind
) -> None:
    arn, word = create(sagemaker, kind), KINDS[kind].word
    sagemaker.happen(kind, "job-1", *GOOD)
    sagemaker.call("AddTags", ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    sagemaker.call(f"Delete{word}Job", **{f"{word}JobName": "job-1"})
    gone, _ = error_of(describe, sagemaker, kind)
    assert (create(sagemaker, kind), gone) == (arn, "ValidationException")
    assert sagemaker.call("ListTags", ResourceArn=arn)["Tags"] == []


def test_of_two_that_delete_a_job_the_slower_one_leaves_the_next_of_its_name_alone(
    sagemaker: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(sagemaker, "training")
    sagemaker.happen("training", "job-1", *GOOD)

    def let_go(kind: Kind, name: str) -> bool:
        sagemaker.store.delete(kind, name)  # as the faster one does while this one waits
        create(sagemaker, kind)
        return True

    monkeypatch.setattr(sagemaker.jobs, "let_go", let_go)
    sagemaker.call("DeleteTrainingJob", TrainingJobName="job-1")
    assert describe(sagemaker, "training")["TrainingJobStatus"] == "InProgress"


@pytest.mark.parametrize("kind", ["processing", "training"])
def test_a_job_that_runs_or_does_not_exist_cannot_be_deleted(
    sagemaker: InMemory, kind: Kind
) -> None:
    word = KINDS[kind].word
    delete = functools.partial(
        error_of, sagemaker.call, f"Delete{word}Job", **{f"{word}JobName": "job-1"}
    )
    missing, _ = delete()
    create(sagemaker, kind)
    assert missing == "ResourceNotFound"
    assert delete() == (
        "ResourceInUse",
        f"The {kind} job cannot be deleted because it is in status InProgress.",
    )
