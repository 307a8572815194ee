"""The job of one step, launched and waited for by its task."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from include.nacre.dag.aws import Answer
from include.nacre.dag.deployment import task_key
from include.nacre.dag.dressing import dressed, tags_of_group
from include.nacre.dag.ending import Report, failure, summary
from include.nacre.dag.faults import NO_EXCEPTION, StepFailed
from include.nacre.dag.groups import ensure_group
from include.nacre.dag.launch import Intent
from include.nacre.dag.pages import job_page, log_page
from include.nacre.dag.resolve import required
from include.nacre.dag.results import result
from include.nacre.dag.retries import OVER_TIME, code_of_end
from include.nacre.dag.scope import with_job_name
from include.nacre.dag.taskrun import TaskRun
from include.nacre.definition.expressions import Json
from include.nacre.definition.retrying import exception_of_failure
from include.nacre.native.objects import upload_missing

if TYPE_CHECKING:
    from include.nacre.dag.operators import JobOperator


class JobRun(TaskRun):
    """A step's job, model or package: its request is in the task, resolved by Airflow."""

    task: "JobOperator"

    def __init__(self, task: "JobOperator", context: Context) -> None:
        super().__init__(task, task.kind, context)

    @property
    def readable(self) -> str:
        # A process that takes the job up again may have no resolved request.
        body: Any = self.task.request
        prefix = body.get(self.kind.name_key) if isinstance(body, dict) else None
        return str(prefix or self.task.readable)

    def check(self) -> None:
        required(self.task.request)

    def prepare(self) -> None:
        assets, body = self.task.assets, required(self.task.request)
        if assets:
            self.patience.call(partial(upload_missing, self.aws.s3, assets, self.log.info))
        if self.kind.group_key in body:
            tags = tags_of_group(task_key(self.context), self.defaults)
            ensure_group(self.aws, body[self.kind.group_key], tags, self.patience, self.log.info)

    def request(self, intent: Intent) -> Mapping[str, Any]:
        body = with_job_name(required(self.task.request), intent.name)
        told = self.log.info, self.log.warning
        return dressed(self.kind, body, self.defaults, self.origin(intent), *told)

    def show(self) -> None:
        where = {"region": self.aws.region, "endpoint": self.aws.endpoint}
        self.task.job_page = job_page(self.kind, self.name, **where)
        self.task.log_page = log_page(self.kind, self.name, **where)

    def result(self, answer: Answer) -> Json:
        self.log.info(summary(self.kind, self.name, answer))
        return result(self.kind, self.name, answer, self.task.exports)

    def failure(self, answer: Answer) -> StepFailed:
        # For steps that await a failure, and tell of it.
        left = result(self.kind, self.name, answer, self.task.exports)
        self.context["ti"].xcom_push("return_value", left)
        Report(self.aws, self.kind, self.name, self.log.error).show_log()
        status, detail = self.kind.status(answer), self.kind.detail(answer)
        if not detail and self.kind.over_time(answer):
            detail = OVER_TIME
        reason = self.kind.reason(answer)
        code = code_of_end(status, detail, reason)
        exception = exception_of_failure(reason) if status == "Failed" else None
        message = failure(self.kind, self.name, answer)
        return StepFailed(message, code, exception or NO_EXCEPTION)
