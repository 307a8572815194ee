"""How a step fails in Airflow: whether another try makes sense."""

from airflow.sdk.exceptions import AirflowException, AirflowFailException


class StepFailed(AirflowException):
    """A step did not reach its end. Airflow tries again as the task's retries say; a try after
    a failed or stopped job starts a new one.

    `code` says why, for the task's retry policy: an error code of the service, or what a job's
    FailureReason begins with; "" where there is none.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class StepRefused(AirflowFailException):
    """A step cannot succeed as it is written: another try would end the same way."""
