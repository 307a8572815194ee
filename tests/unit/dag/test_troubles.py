"""Troubles told apart by their codes, and what is said about them."""

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from include.nacre.dag.troubles import Trouble, in_full, trouble_of_code, understood
from tests.unit.dag.memory import refused

URL = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("code", "status", "trouble"),
    [
        ("ThrottlingException", 400, Trouble.PASSING),
        ("SlowDown", 503, Trouble.PASSING),
        ("InternalFailure", 500, Trouble.PASSING),
        ("SomethingNew", 502, Trouble.PASSING),
        ("ExpiredTokenException", 400, Trouble.EXPIRED),
        ("InvalidSignatureException", 400, Trouble.EXPIRED),
        ("RequestTimeTooSkewed", 403, Trouble.EXPIRED),
        ("ResourceNotFound", 400, Trouble.MISSING),
        ("ValidationException", 400, Trouble.REFUSED),
        ("AccessDeniedException", 400, Trouble.DENIED),
        ("ResourceLimitExceeded", 400, Trouble.OTHER),
        ("ResourceInUse", 400, Trouble.OTHER),
    ],
)
def test_a_code_decides(code: str, status: int, trouble: Trouble) -> None:
    assert trouble_of_code(code, status) is trouble


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (EndpointConnectionError(endpoint_url=URL), Trouble.PASSING),
        (ConnectTimeoutError(endpoint_url=URL), Trouble.PASSING),
        (ReadTimeoutError(endpoint_url=URL), Trouble.PASSING),
        (NoCredentialsError(), Trouble.DENIED),
        (ParamValidationError(report="Missing required parameter"), Trouble.REFUSED),
    ],
)
def test_what_the_client_itself_finds_is_told_apart(error: Exception, trouble: Trouble) -> None:
    assert understood(error).trouble is trouble


@pytest.mark.parametrize(
    ("error", "exception"),
    [
        (refused("CreateTrainingJob", "ThrottlingException"), "Step.THROTTLING"),
        (refused("CreateTrainingJob", "RequestLimitExceeded"), "Step.THROTTLING"),
        (refused("CreateTrainingJob", "SomethingNew", 503), "Step.SERVICE_FAULT"),
        (refused("CreateTrainingJob", "InternalServerError", 500), "Step.SERVICE_FAULT"),
        (refused("CreateTrainingJob", "ResourceLimitExceeded"), "SageMaker.RESOURCE_LIMIT"),
        (refused("CreateTrainingJob", "AccessDeniedException"), None),
        (EndpointConnectionError(endpoint_url=URL), "Step.SERVICE_FAULT"),
        (NoCredentialsError(), None),
    ],
)
def test_retry_policies_name_what_the_service_was_in_the_way_of(
    error: Exception, exception: str | None
) -> None:
    assert understood(error).exception == exception


def test_a_clock_that_is_wrong_is_the_first_thing_to_look_at() -> None:
    message = in_full(understood(refused("DescribeTrainingJob", "InvalidSignatureException")), "a")
    assert "Look whether this machine's clock is right" in message


def test_a_message_says_what_failed_and_what_to_do_next() -> None:
    said = understood(refused("CreateTrainingJob", "ValidationException"))
    assert in_full(said, "aws_default") == (
        "CreateTrainingJob failed with ValidationException: no. Correct the step's request (the "
        "task's Rendered Templates show what was sent), then clear the task."
    )


def test_an_endpoint_that_is_away_is_named_with_the_connection_that_points_there() -> None:
    message = in_full(understood(EndpointConnectionError(endpoint_url=URL)), "aws_default")
    assert message == (
        "The call to AWS failed with EndpointConnectionError: Could not connect to the endpoint "
        'URL: "http://127.0.0.1:1". The service did not answer, or asked for fewer calls. Look '
        "whether it runs at the endpoint of connection 'aws_default' (on this machine: make local),"
        " then clear the task."
    )


def test_missing_credentials_name_the_connection() -> None:
    message = in_full(understood(NoCredentialsError()), "aws_team")
    assert message == (
        "The call to AWS failed with NoCredentialsError: Unable to locate credentials. Connection "
        "'aws_team' has no credentials: give it a login and password, a role or a profile, then "
        "clear the task."
    )
