"""Which failures are worth another try."""

import pytest
from airflow.sdk import RetryAction

from include.nacre.dag.faults import StepFailed
from include.nacre.dag.retries import FITTING_RETRIES, code_of_end, code_of_steps, decide

RETRY, FAIL, DEFAULT = RetryAction.RETRY, RetryAction.FAIL, RetryAction.DEFAULT


@pytest.mark.parametrize(
    ("code", "action"),
    [
        ("ThrottlingException", RETRY),
        ("ServiceUnavailable", RETRY),
        ("InternalServerError", RETRY),
        ("CapacityError", RETRY),
        ("ResourceLimitExceeded", RETRY),
        ("MaxWaitTimeExceeded", RETRY),
        ("Stopped", RETRY),
        ("Lost", RETRY),
        ("AlgorithmError", FAIL),
        ("ClientError", FAIL),
        ("MaxRuntimeExceeded", FAIL),
        ("ValidationException", FAIL),
        ("AccessDeniedException", FAIL),
        ("NoSuchBucket", FAIL),
        ("ExpiredToken", DEFAULT),
        ("EndpointConnectionError", DEFAULT),
        ("NoCredentialsError", DEFAULT),
        ("SomethingNew", DEFAULT),
        ("", DEFAULT),
    ],
)
def test_a_code_decides(code: str, action: RetryAction) -> None:
    assert decide(code).action is action


def test_the_reason_names_the_code() -> None:
    assert [decide(code).reason for code in ("CapacityError", "MaxRuntimeExceeded", "")] == [
        "Worth another try (CapacityError): there were no instances of this type at the moment.",
        "Not worth another try (MaxRuntimeExceeded): it ran as long as it may, and would again.",
        None,
    ]


@pytest.mark.parametrize(
    ("status", "detail", "reason", "code"),
    [
        (
            "Failed",
            "Failed",
            "AlgorithmError: UserScript: exit code 1",
            "AlgorithmError",
        ),
        ("Failed", "", "CapacityError: Unable to provision", "CapacityError"),
        ("Failed", "", "something went wrong", ""),
        ("Failed", "", "", ""),
        ("Stopped", "", "", "Stopped"),
        ("Stopped", "Stopped", "", "Stopped"),
        ("Stopped", "MaxRuntimeExceeded", "", "MaxRuntimeExceeded"),
        ("Stopped", "MaxWaitTimeExceeded", "", "MaxWaitTimeExceeded"),
    ],
)
def test_the_end_of_a_job_has_a_code(status: str, detail: str, reason: str, code: str) -> None:
    assert code_of_end(status, detail, reason) == code


@pytest.mark.parametrize(
    ("reasons", "code"),
    [
        (["AlgorithmError: exit code 1"], "AlgorithmError"),
        (["CapacityError: none left", "AlgorithmError: exit code 1"], "AlgorithmError"),
        (["ClientError: Failed to invoke", "CapacityError: none left"], "CapacityError"),
        (["ClientError: Failed to invoke sagemaker:CreateTrainingJob"], ""),
        ([""], ""),
        ([], ""),
    ],
)
def test_the_end_of_an_execution_has_the_code_of_its_steps(reasons: list[str], code: str) -> None:
    assert code_of_steps(reasons) == code


def test_what_is_no_failure_of_a_step_is_airflows_affair() -> None:
    failures = [StepFailed("why", "AlgorithmError"), StepFailed("why"), RuntimeError("why")]
    found = [FITTING_RETRIES.evaluate(failure, 1, 2).action for failure in failures]
    assert found == [FAIL, DEFAULT, DEFAULT]
