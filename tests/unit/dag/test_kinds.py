"""The table of kinds, against the service's own model."""

from typing import Any

import botocore.session
import pytest

from include.nacre.dag.kinds import (
    KINDS,
    MODEL_PACKAGE,
    PROCESSING,
    TRAINING,
    Kind,
    ended,
    succeeded,
    usable,
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
    times = {f"{kind.timed_by}StartTime", f"{kind.timed_by}EndTime"} if kind.timed_by else set()
    assert ((read | times) - {None}) - described.keys() == set()


@ALL
def test_a_name_fits_into_the_describe_request(kind: Kind) -> None:
    name = members(kind.operation("Describe"), "input")[kind.name_key]
    assert name.metadata["max"] >= kind.name_limit


@ALL
def test_what_the_create_request_is_given_is_in_it(kind: Kind) -> None:
    request = kind.create_request({}, "name", "token")
    assert request.keys() - members(kind.operation("Create"), "input").keys() == set()


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.listable])
def test_a_list_shows_name_and_status_by_the_time_of_the_last_change(kind: Kind) -> None:
    assert "LastModifiedTimeAfter" in members(kind.operation("List"), "input")
    summary = members(kind.operation("List"), "output")[kind.summaries_key].member
    assert {kind.name_key, kind.status_key} - summary.members.keys() == set()


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.stoppable])
def test_what_can_be_stopped_has_a_stop_call(kind: Kind) -> None:
    assert list(members(kind.operation("Stop"), "input")) == [kind.name_key]


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (PROCESSING, "ProcessingJobStatus"),
        (TRAINING, "TrainingJobStatus"),
        (MODEL_PACKAGE, "ModelPackageStatus"),
    ],
)
def test_every_status_of_the_service_is_known(kind: Kind, shape: str) -> None:
    statuses = MODEL.shape_for(shape).enum
    unfinished = {status for status in statuses if usable(status) and not ended(status)}
    assert (kind.status_key, unfinished - {"InProgress", "Pending"}) == (shape, set())
    assert [status for status in statuses if succeeded(status)] == ["Completed"]


def test_stopped_is_an_end_but_no_success() -> None:
    assert (ended("Stopped"), succeeded("Stopped"), usable("Stopped")) == (True, False, False)


def test_a_job_that_is_being_stopped_is_not_adopted() -> None:
    assert (ended("Stopping"), usable("Stopping")) == (False, False)


def test_a_status_that_nobody_knows_is_waited_for() -> None:
    assert (ended("Dreaming"), usable("Dreaming")) == (False, True)


def test_a_name_in_the_steps_request_is_replaced() -> None:
    request = TRAINING.create_request({"TrainingJobName": "prefix", "RoleArn": "r"}, "name", "t")
    assert request == {"TrainingJobName": "name", "RoleArn": "r"}


def test_a_package_in_a_group_has_a_token_and_no_name() -> None:
    request = MODEL_PACKAGE.create_request({"ModelPackageGroupName": "g"}, "name", "t")
    assert request == {"ModelPackageGroupName": "g", "ClientToken": "t"}


def test_a_package_without_a_group_has_a_name() -> None:
    request = MODEL_PACKAGE.create_request({}, "name", "t")
    assert request == {"ModelPackageName": "name", "ClientToken": "t"}


def test_a_reason_is_all_that_the_service_says() -> None:
    answer = {"FailureReason": "AlgorithmError: exit code 1.", "ExitMessage": "no column 'sex'"}
    assert PROCESSING.reason(answer) == "AlgorithmError: exit code 1. no column 'sex'"
