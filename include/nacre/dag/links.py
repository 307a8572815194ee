"""Links from a task to its job and the job's log."""

from typing import Any

from airflow.sdk import BaseOperatorLink


class JobLink(BaseOperatorLink):
    """The job's own page."""

    name = "SageMaker job"
    xcom_key = "nacre_job_link"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002  (Airflow's names)
        """Return what the operator knows when its process ends; Airflow keeps it in XCom."""
        # Of a mapped task that was refused before it was made there is no page.
        return str(getattr(operator, "job_page", ""))


class ExecutionLink(JobLink):
    """The page of a pipeline's execution."""

    name = "SageMaker pipeline execution"


class LogLink(BaseOperatorLink):
    """The log that the job writes."""

    name = "Job log"
    xcom_key = "nacre_log_link"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002  (Airflow's names)
        return str(getattr(operator, "log_page", ""))
