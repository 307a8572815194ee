"""How a step fails in Airflow: whether another try makes sense."""

from airflow.sdk.exceptions import AirflowException, AirflowFailException


class StepFailed(AirflowException):
    """A step did not reach its end. Airflow tries again as the task's retries say; a try after
    a failed or stopped job starts a new one.
    """


class StepRefused(AirflowFailException):
    """A step cannot succeed as it is written: another try would end the same way."""
