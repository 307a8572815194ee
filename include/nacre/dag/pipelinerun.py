"""A pipeline that SageMaker executes, launched and waited for by one task."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from include.nacre.dag.aws import Answer
from include.nacre.dag.ending import Report
from include.nacre.dag.faults import StepFailed, StepRefused
from include.nacre.dag.identity import readable_name
from include.nacre.dag.kinds import EXECUTION, STEP_KINDS, Kind
from include.nacre.dag.launch import Intent
from include.nacre.dag.pages import execution_page
from include.nacre.dag.patience import aws_errors
from include.nacre.dag.resolve import required
from include.nacre.dag.results import plain
from include.nacre.dag.retries import STOPPED, code_of_steps
from include.nacre.dag.tags import described
from include.nacre.dag.taskrun import TaskRun
from include.nacre.definition.expressions import Json
from include.nacre.definition.merging import with_job_defaults
from include.nacre.native import execution
from include.nacre.native.pull import execution_id
from include.nacre.native.start import (
    StartError,
    StartOptions,
    is_running,
    latest_execution,
    start_request,
)
from include.nacre.native.upsert import UpsertError, Wanted, upsert

if TYPE_CHECKING:
    from include.nacre.dag.pipeline_operator import PipelineOperator

_DESCRIPTION = "PipelineExecutionDescription"

STARTED = "nacre_start"
"""The key of the task's state under which the start call's request is kept. The service knows a
repeated call by its token and its request, and the request may depend on the time and on what is
the latest execution."""


class PipelineRun(TaskRun):
    """An execution of a pipeline. It has no name before it is started: its token makes it one."""

    task: "PipelineOperator"

    def __init__(self, task: "PipelineOperator", context: Context) -> None:
        accepted = execution.HANDLED if task.accept_failures else execution.SUCCEEDED
        super().__init__(task, EXECUTION.accepting(accepted), context)

    @property
    def readable(self) -> str:
        return readable_name(self.task.pipeline.name, "")

    def check(self) -> None:
        self._request(None)

    def prepare(self) -> None:
        """Create the pipeline, or update it where it differs."""
        if self.task.wanted is None:
            return
        wanted = self._with_defaults(self.task.wanted)
        bring = partial(upsert, self.aws.clients, wanted, self.log.info)
        try:
            self.patience.call(bring)
        except UpsertError as error:
            raise StepRefused(str(error)) from None

    def _with_defaults(self, wanted: Wanted) -> Wanted:
        """Return the pipeline with the defaults in its steps' requests and among its tags."""
        tags = {**self.defaults.tags(self.kind.step_type), **wanted.tags}
        return replace(
            wanted, pipeline=with_job_defaults(wanted.pipeline, self.defaults), tags=tags
        )

    def request(self, intent: Intent) -> Mapping[str, Any]:
        if sent := self._sent(intent.name):
            return sent
        request = self._request(self._source())
        request.setdefault("PipelineExecutionDisplayName", intent.name)
        # An execution has no tags: its description tells what has started it.
        described_as = described(request.get(_DESCRIPTION), self.origin(intent))
        request |= {_DESCRIPTION: described_as} if described_as else {}
        self.store.set(STARTED, {"name": intent.name, "request": request})
        return request

    def _sent(self, name: str) -> dict[str, Any] | None:
        """Return the request that an earlier try has sent, or was about to send."""
        match self.store.get(STARTED):
            case {"name": str(known), "request": dict(request)} if known == name:
                return request
        return None

    def is_nameless(self, name: str) -> bool:
        sent = self._sent(name)
        if sent is None:
            return False
        pipeline, shown = sent["PipelineName"], sent["PipelineExecutionDisplayName"]
        return self.patience.call(lambda: is_running(self.aws.sagemaker, pipeline, shown))

    def _request(self, source: str | None) -> dict[str, Any]:
        values = required(self.task.parameters)
        try:
            return start_request(self.task.pipeline, values, self._options(), source)
        except StartError as error:
            raise StepRefused(str(error)) from None

    def _options(self) -> StartOptions:
        """Return the options, which templates may have made text."""
        task = self.task
        return StartOptions(
            display_name=task.execution_display_name or None,
            description=task.execution_description or None,
            parallelism=task.parallelism,
            selected_steps=_names(task.selected_steps),
            source_execution_arn=task.source_execution_arn or None,
            version_id=_number(task.version_id),
            version_alias=task.version_alias or None,
        )

    def _source(self) -> str | None:
        if not self.task.selected_steps or self.task.source_execution_arn:
            return None
        name = self.task.pipeline.name
        source = self.patience.call(lambda: latest_execution(self.aws.sagemaker, name))
        if source:
            self.log.info("What the selected steps need of others comes from %s", source)
        return source

    def show(self) -> None:
        self.task.job_page = execution_page(
            self.name,
            region=self.aws.region,
            endpoint=self.aws.endpoint,
            studio_domain=self.task.studio_domain,
        )

    def result(self, answer: Answer) -> Json:
        """Return `kind`, `name` (the pipeline's), `arn`, `execution_id`, `status`, `created`,
        `ended`, and in `steps` the status of each step that has run.
        """
        status, times = self.kind.status(answer), self.kind.times(answer)
        took = (times["ended"] - times["created"]).total_seconds()
        self.log.info("%s: %s after %.0f s", self.kind.called(self.name), status, took)
        return {
            "kind": self.kind.step_type,
            "name": self.task.pipeline.name,
            "arn": self.name,
            "execution_id": execution_id(self.name),
            "status": status,
            **plain(times),
            "steps": {step["StepName"]: step["StepStatus"] for step in answer["Steps"]},
        }

    def failure(self, answer: Answer) -> StepFailed | StepRefused:
        """Return what to raise; after a Fail step, as in steps mode, no retry makes sense."""
        failed = execution.failed_steps(answer)
        self._show_logs(failed)
        how = execution.ENDS_IN_WORDS[self.kind.status(answer)]
        why = execution.reason(answer) or "the service gives no reason"
        meant = any("Fail" in step.get("Metadata", {}) for step in failed)
        # The reason first: Airflow's pages cut long lines.
        name, called = self.task.pipeline.name, self.kind.called(self.name)
        message = f"{why.rstrip('.')}. The {called} of pipeline {name} {how}."
        if meant:
            return StepRefused(message)
        if self.kind.status(answer) == STOPPED:
            return StepFailed(message, STOPPED)
        return StepFailed(message, code_of_steps(step.get("FailureReason", "") for step in failed))

    def _show_logs(self, steps: Iterable[Mapping[str, Any]]) -> None:
        for step in steps:
            if job := execution.job_of(step):
                kind = STEP_KINDS[job.step_type]
                Report(self.aws, kind, self._written(kind, job.name), self.log.error).show_log()

    def _written(self, kind: Kind, name: str) -> str:
        """Return a job's name as it is written, and its log's streams have it: an ARN has it in
        lower case.
        """
        try:
            job = self.patience.call(lambda: self.aws.describe(kind, name)) or {}
        except aws_errors():  # whoever may start pipelines may not see their jobs
            job = {}
        return str(job.get(kind.name_key, name))


def _names(steps: str | Sequence[str] | None) -> list[str]:
    names = steps.split(",") if isinstance(steps, str) else steps or ()
    return [name.strip() for name in names if name.strip()]


def _number(version: int | str | None) -> int | None:
    if version is None or version == "":
        return None
    try:
        return int(version)
    except ValueError:
        raise StepRefused(f"version_id takes a whole number, not {version!r}") from None
