"""What a step's task leaves in XCom."""

import json
from datetime import UTC, datetime
from typing import Any

from include.nacre.dag.kinds import MODEL, PROCESSING, TRAINING
from include.nacre.dag.results import result
from include.nacre.definition.paths import parse_path


def at(minute: int) -> datetime:
    return datetime(2026, 11, 20, 12, minute, tzinfo=UTC)


TRAINED: dict[str, Any] = {
    "TrainingJobName": "abalone-train-x",
    "TrainingJobArn": "arn:train",
    "TrainingJobStatus": "Completed",
    "CreationTime": at(0),
    "TrainingStartTime": at(2),
    "TrainingEndTime": at(5),
    "BillableTimeInSeconds": 170,
    "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"},
    "FinalMetricDataList": [{"MetricName": "rmse", "Value": 2.2, "Timestamp": at(4)}],
    "HyperParameters": {"much": "more"},
}


def test_a_result_is_the_facts_and_what_later_steps_refer_to() -> None:
    paths = ["ModelArtifacts.S3ModelArtifacts", "FinalMetricDataList['rmse'].Value"]
    assert result(TRAINING, "abalone-train-x", TRAINED, map(parse_path, paths)) == {
        "kind": "Training",
        "name": "abalone-train-x",
        "arn": "arn:train",
        "status": "Completed",
        "created": "2026-11-20T12:00:00+00:00",
        "started": "2026-11-20T12:02:00+00:00",
        "ended": "2026-11-20T12:05:00+00:00",
        "billable_seconds": 170,
        "properties": {
            "ModelArtifacts.S3ModelArtifacts": "s3://b/model.tar.gz",
            "FinalMetricDataList['rmse'].Value": 2.2,
        },
    }


def test_a_result_is_plain_json() -> None:
    left = result(TRAINING, "abalone-train-x", TRAINED, [parse_path("FinalMetricDataList")])
    assert json.loads(json.dumps(left)) == left


def test_an_optional_member_that_is_missing_is_left_out() -> None:
    left = result(TRAINING, "abalone-train-x", TRAINED, [parse_path("FailureReason")])
    assert left["properties"] == {}


def test_where_the_service_gives_no_billable_time_it_is_from_start_to_end() -> None:
    answer = {
        "ProcessingJobName": "p",
        "ProcessingJobArn": "arn",
        "ProcessingJobStatus": "Completed",
        "CreationTime": at(0),
        "ProcessingStartTime": at(1),
        "ProcessingEndTime": at(4),
    }
    assert result(PROCESSING, "p", answer, [])["billable_seconds"] == 180


def test_a_model_has_no_times_but_its_creation() -> None:
    answer = {"ModelName": "m", "ModelArn": "arn", "CreationTime": at(0)}
    assert result(MODEL, "m", answer, []) == {
        "kind": "Model",
        "name": "m",
        "arn": "arn",
        "status": "Completed",
        "created": "2026-11-20T12:00:00+00:00",
        "properties": {},
    }
