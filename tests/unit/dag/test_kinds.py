"""The table of kinds, against the service's own model."""

from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest

from include.nacre.dag.kinds import (
    EXECUTION,
    KINDS,
    MODEL_PACKAGE,
    PROCESSING,
    TRAINING,
    Kind,
)

MODEL = botocore.session.get_session().get_service_model("sagemaker")
ALL = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def members(operation: str, side: str) -> dict[str, Any]:
    shape = getattr(MODEL.operation_model(operation), f"{side}_shape")
    return dict(shape.members)


@ALL
def test_what_the_table_reads_is_in_the_describe_response(kind: Kind) -> None:
    described = members(kind.operation("Describe"), "output")
    read = {kind.name_key, kind.arn_key, kind.status_key, kind.billable_key, "CreationTime"}
    read |= {kind.end_key}
    times = {f"{kind.timed_by}StartTime", f"{kind.timed_by}EndTime"} if kind.timed_by else set()
    assert ((read | times) - {None}) - described.keys() == set()


@ALL
def test_a_name_fits_into_the_describe_request(kind: Kind) -> None:
    name = members(kind.operation("Describe"), "input")[kind.name_key]
    assert name.metadata["max"] >= kind.name_limit


@ALL
def test_what_the_create_request_is_given_is_in_it(kind: Kind) -> None:
    body = {kind.group_key: "group"} if kind.group_key else {}
    request = kind.create_request(body, "name", "token")
    assert request.keys() - members(kind.operation("Create"), "input").keys() == set()


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.listable])
def test_a_list_shows_name_and_status_by_the_time_of_the_last_change(kind: Kind) -> None:
    assert "LastModifiedTimeAfter" in members(kind.operation("List"), "input")
    summary = members(kind.operation("List"), "output")[kind.summaries_key].member
    assert {kind.name_key, kind.status_key} - summary.members.keys() == set()


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.stoppable])
def test_what_can_be_stopped_has_a_stop_call(kind: Kind) -> None:
    request = members(kind.operation("Stop"), "input")
    tokens = [name for name in request if request[name].metadata.get("idempotencyToken")]
    assert request.keys() - tokens == {kind.name_key}


@pytest.mark.parametrize(
    ("kind", "shape", "success"),
    [
        (PROCESSING, "ProcessingJobStatus", "Completed"),
        (TRAINING, "TrainingJobStatus", "Completed"),
        (MODEL_PACKAGE, "ModelPackageStatus", "Completed"),
        (EXECUTION, "PipelineExecutionStatus", "Succeeded"),
    ],
)
def test_every_status_of_the_service_is_known(kind: Kind, shape: str, success: str) -> None:
    statuses = MODEL.shape_for(shape).enum
    unfinished = {status for status in statuses if kind.usable(status) and not kind.ended(status)}
    assert (kind.status_key, unfinished - {"InProgress", "Pending", "Executing"}) == (shape, set())
    assert [status for status in statuses if kind.succeeded(status)] == [success]


def test_stopped_is_an_end_but_no_success() -> None:
    facts = TRAINING.ended("Stopped"), TRAINING.succeeded("Stopped"), TRAINING.usable("Stopped")
    assert facts == (True, False, False)


def test_a_job_that_is_being_stopped_is_not_adopted() -> None:
    assert (TRAINING.ended("Stopping"), TRAINING.usable("Stopping")) == (False, False)


def test_a_status_that_nobody_knows_is_waited_for() -> None:
    assert (TRAINING.ended("Dreaming"), TRAINING.usable("Dreaming")) == (False, True)


@pytest.mark.parametrize("accepting", [False, True])
def test_completed_with_failures_is_an_end_that_a_task_may_accept(accepting: bool) -> None:
    kind = EXECUTION.accepting("CompletedWithFailures") if accepting else EXECUTION
    status = "CompletedWithFailures"
    assert (kind.ended(status), kind.succeeded(status), kind.usable(status)) == (
        True,
        accepting,
        accepting,
    )


def test_a_name_in_the_steps_request_is_replaced() -> None:
    request = TRAINING.create_request({"TrainingJobName": "prefix", "RoleArn": "r"}, "name", "t")
    assert request == {"TrainingJobName": "name", "RoleArn": "r"}


def test_a_package_in_a_group_has_a_token_and_no_name() -> None:
    request = MODEL_PACKAGE.create_request({"ModelPackageGroupName": "g"}, "name", "t")
    assert request == {"ModelPackageGroupName": "g", "ClientToken": "t"}


def test_an_execution_has_a_token_and_no_name() -> None:
    request = EXECUTION.create_request({"PipelineName": "p"}, "name", "t")
    assert request == {"PipelineName": "p", "ClientRequestToken": "t"}


def test_an_execution_ends_when_it_last_changed() -> None:
    times = {"CreationTime": 1, "LastModifiedTime": 2}
    running, over = (
        EXECUTION.times({"PipelineExecutionStatus": status, **times})
        for status in ("Executing", "Stopped")
    )
    assert (running, over) == ({"created": 1}, {"created": 1, "ended": 2})


def test_a_package_without_a_group_has_a_name() -> None:
    request = MODEL_PACKAGE.create_request({}, "name", "t")
    assert request == {"ModelPackageName": "name", "ClientToken": "t"}


def test_a_reason_is_all_that_the_service_says() -> None:
    answer = {"FailureReason": "AlgorithmError: exit code 1.", "ExitMessage": "no column 'sex'"}
    assert PROCESSING.reason(answer) == "AlgorithmError: exit code 1. no column 'sex'"


@pytest.mark.parametrize(
    ("status", "seconds", "limit", "over"),
    [
        ("Stopped", 60, 60, True),
        ("Stopped", 59, 60, False),  # by a person
        ("Completed", 60, 60, False),
        ("Stopped", 60, None, False),
        ("Stopped", None, 60, False),  # before it ran
    ],
)
def test_a_stopped_job_that_ran_as_long_as_it_may(
    status: str, seconds: int | None, limit: int | None, over: bool
) -> None:
    start = datetime(2026, 11, 21, tzinfo=UTC)
    ran = {} if seconds is None else {"ProcessingEndTime": start + timedelta(seconds=seconds)}
    condition = {} if limit is None else {"StoppingCondition": {"MaxRuntimeInSeconds": limit}}
    answer = {"ProcessingJobStatus": status, "ProcessingStartTime": start, **ran, **condition}
    assert (PROCESSING.over_time(answer), PROCESSING.failed(answer)) == (over, over)
