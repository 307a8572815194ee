"""The operators of all steps: what Airflow needs of them while a DAG file is parsed.

What they do when they run is in `jobrun.py`, imported then; what differs between the kinds of
jobs is in `kinds.py`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.sdk import BaseOperator, Context, SkipMixin
from airflow.sdk.exceptions import TaskDeferralError, TaskDeferralTimeout

from include.nacre.dag.binding import Judgement, Template
from include.nacre.dag.faults import StepRefused
from include.nacre.dag.kinds import Kind
from include.nacre.dag.links import JobLink, LogLink
from include.nacre.definition.expressions import Json
from include.nacre.definition.paths import Path
from include.nacre.definition.records import Asset, Step

if TYPE_CHECKING:
    from include.nacre.dag.jobrun import JobRun


class StepOperator(BaseOperator):
    """What the operators of all steps have in common: the AWS connection.

    :param aws_conn_id: Airflow's connection to AWS, or to a local SageMaker
    :param region_name: the region, if not the connection's own
    """

    def __init__(
        self,
        *,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name


class JobOperator(StepOperator):
    """Creates what a step describes, waits for it, and leaves what later steps refer to in XCom.

    Its life: `execute` creates or adopts the job and, unless it ends at once, defers; a trigger
    waits in the triggerer; `resume` reads how the job ended.

    :param kind: what it creates
    :param request: the step's request, with references in it
    :param readable: the readable part of the job's name
    :param exports: the properties that other steps refer to
    :param assets: what must lie in S3 before the job starts, by address
    :param deferrable: wait in the triggerer (True) or in the worker
    """

    template_fields: Sequence[str] = ("request",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"request": "json"}
    operator_extra_links = (JobLink(), LogLink())
    ui_color = "#d8f0ea"

    job_page = ""
    log_page = ""
    _job: "JobRun | None" = None

    def __init__(
        self,
        *,
        kind: Kind,
        request: Template,
        readable: str,
        exports: Sequence[Path] = (),
        assets: Mapping[str, Asset] | None = None,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.custom_operator_name = f"{kind.step_type}Step"
        self.kind = kind
        self.request = request
        self.readable = readable
        self.exports = tuple(exports)
        self.assets = dict(assets or {})
        self.deferrable = deferrable

    def execute(self, context: Context) -> Json:
        """Create or adopt the job; return what later steps need, or defer until it has ended."""
        return self._run(context).execute()

    def resume(self, context: Context, event: Mapping[str, Any]) -> Json:
        """Go on when the trigger has seen the job end, or cannot wait for it."""
        return self._run(context).resume(
            event["name"], status=event.get("status", ""), trouble=event.get("trouble", "")
        )

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> Any:
        """Resume; also after the trigger has failed, or the task's time was over."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            return self._run(context).give_up()
        except TaskDeferralError as error:
            return self._run(context).resume("", trouble=str(error))

    def on_kill(self) -> None:
        """Stop the job: the task was marked, cleared, or ran out of time in the worker."""
        if self._job is not None:
            self._job.kill()

    def _run(self, context: Context) -> "JobRun":
        from include.nacre.dag.jobrun import JobRun

        self._job = JobRun(self, context)
        return self._job


class ConditionOperator(StepOperator, SkipMixin):
    """Picks a branch, and skips the steps of the other one.

    What depends on a skipped step is skipped too, as on the service; what depends on this step
    alone runs either way.

    :param conditions: the conditions of the step
    :param step: the step, with its branches
    """

    template_fields: Sequence[str] = ("conditions",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"conditions": "json"}
    inherits_from_skipmixin = True
    custom_operator_name = "ConditionStep"
    ui_color = "#fbe8c6"

    def __init__(self, *, conditions: Judgement, step: Step, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conditions = conditions
        self.step = step
        self.tasks = conditions.binding.tasks

    def execute(self, context: Context) -> None:
        """Log each comparison and the outcome; mark the steps of the other branch skipped."""
        from include.nacre.dag.resolve import required

        verdict = required(self.conditions)
        for comparison in verdict.comparisons:
            self.log.info(comparison)
        taken, other = self.step.if_steps, self.step.else_steps
        if not verdict.holds:
            taken, other = other, taken
        self.log.info("%s, so %s", verdict, _next(taken))
        # Pushed, not returned: skipping ends the task by an exception.
        context["ti"].xcom_push("return_value", verdict.result())
        self.skip(context["ti"], [self.tasks[step.name] for step in other])


def _next(steps: Sequence[Step]) -> str:
    names = ", ".join(step.name for step in steps)
    return f"{names} may run" if names else "nothing more of this step runs"


class FailOperator(StepOperator):
    """Fails with a message, and without retries.

    :param message: the step's message, with references in it
    """

    template_fields: Sequence[str] = ("message",)
    custom_operator_name = "FailStep"
    ui_color = "#f6d5d5"

    def __init__(self, *, message: Template, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.message = message

    def execute(self, context: Context) -> NoReturn:  # noqa: ARG002  (Airflow's signature)
        """Fail, always."""
        raise StepRefused(str(self.message) or "The Fail step has no message.")
