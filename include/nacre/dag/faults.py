"""How a step fails in Airflow: whether another try makes sense."""

from airflow.sdk.exceptions import AirflowException, AirflowFailException


class StepFailed(AirflowException):
    """A step did not reach its end. Airflow tries again as the task's retries say; a try after
    a failed or stopped job starts a new one.

    `code` says why, for the task's retry policy: an error code of the service, or what a job's
    FailureReason begins with; "" where there is none.
    `exception` is what a step's own RetryPolicies know it by: an exception type of the language;
    NO_EXCEPTION of what SageMaker ended in a way that they cannot name; None of what never came
    to SageMaker, or is not its affair.
    """

    def __init__(self, message: str, code: str = "", exception: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.exception = exception


NO_EXCEPTION = ""


class StepRefused(AirflowFailException):
    """A step cannot succeed as it is written: another try would end the same way."""
