"""The operators of all steps: what Airflow needs of them while a DAG file is parsed.

What they do when they run is in `taskrun.py` and `jobrun.py`, imported then; what differs between
the kinds of jobs is in `kinds.py`.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.sdk import BaseOperator, Context, RetryPolicy, SkipMixin
from airflow.sdk.exceptions import AirflowTaskTimeout, TaskDeferralError, TaskDeferralTimeout

from include.nacre.dag.binding import Judgement, Template
from include.nacre.dag.faults import StepRefused
from include.nacre.dag.kinds import Kind
from include.nacre.dag.links import JobLink, LogLink
from include.nacre.dag.reasons import kept_reason
from include.nacre.dag.retries import FITTING_RETRIES
from include.nacre.definition.expressions import Json
from include.nacre.definition.jobdefaults import read_job_defaults
from include.nacre.definition.paths import Path
from include.nacre.definition.records import Asset, Step

if TYPE_CHECKING:
    from include.nacre.dag.taskrun import TaskRun


class StepOperator(BaseOperator):
    """What the operators of all steps have in common: the AWS connection, and the ends of other
    steps that they wait for.

    :param aws_conn_id: Airflow's connection to AWS, or to a local SageMaker
    :param region_name: the region, if not the connection's own
    :param awaited: by the id of another task the end of it without which this one is skipped,
        where the trigger rule does not see to that
    :param branch: the id of the Condition's task whose branch this one is in, and whether its
        conditions have to hold
    :param first_steps: the ids of the tasks of a pipeline's first steps that this one comes after;
        empty for a first step, None for what is no step
    :param retry_policy: which failures the task's `retries` are for; None: all of them
    """

    def __init__(
        self,
        *,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        awaited: Mapping[str, str] | None = None,
        branch: tuple[str, bool] | None = None,
        first_steps: Sequence[str] | None = None,
        retry_policy: RetryPolicy | None = FITTING_RETRIES,
        **kwargs: Any,
    ) -> None:
        super().__init__(retry_policy=retry_policy, **kwargs)
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.awaited = dict(awaited or {})
        self.branch = branch
        self.first_steps = None if first_steps is None else tuple(first_steps)

    def check_start(self, context: Context) -> None:
        """Skip this task unless the others have ended as it waits for.

        Not when it resumes: the others may have been cleared since, and its job still runs.
        """
        if self.first_steps == ():
            from include.nacre.dag.generations import own_generation

            own_generation(context)  # for the steps after this one, if they ask for it
        if self.awaited or self.branch:
            from include.nacre.dag.ends import require_branch, require_ends

            require_branch(self.branch, context)
            require_ends(self.awaited, context)


class LaunchOperator(StepOperator, ABC):
    """Has something run on SageMaker and waits for it.

    Its life: `execute` creates or adopts the job and, unless it ends at once, defers; a trigger
    waits in the triggerer; `resume` reads how the job ended. The events of the assets that are
    its `outlets` carry the task's XCom result as their extra.

    :param deferrable: wait in the triggerer (True) or in the worker
    :param job_defaults: defaults for what it creates, see `definition/jobdefaults.py`; they win
        over those of the Airflow variable `nacre_defaults`, and what a step says wins over both
    """

    job_page = ""
    _launched: "TaskRun | None" = None

    def __init__(
        self,
        *,
        deferrable: bool = True,
        job_defaults: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable
        self.job_defaults = read_job_defaults(
            {} if job_defaults is None else job_defaults, f"job_defaults of {self.task_id}"
        )

    @abstractmethod
    def make_run(self, context: Context) -> "TaskRun":
        """Return what does the work, in this process."""

    def execute(self, context: Context) -> Json:
        """Create or adopt the job; return what later steps need, or defer until it has ended."""
        with kept_reason(context):
            self.check_start(context)
            return self._told(self._run(context).execute(), context)

    def resume(self, context: Context, event: Mapping[str, Any]) -> Json:
        """Go on when the trigger has seen the job end, or cannot wait for it."""
        result = self._run(context).resume(
            event["name"], status=event.get("status", ""), trouble=event.get("trouble", "")
        )
        return self._told(result, context)

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> Any:
        """Resume; also after the trigger has failed, or the task's time was over."""
        with kept_reason(context):
            try:
                return super().resume_execution(next_method, next_kwargs, context)
            except TaskDeferralTimeout:
                return self._run(context).give_up()
            except TaskDeferralError as error:
                return self._told(self._run(context).resume("", trouble=str(error)), context)

    def on_kill(self) -> None:
        """Stop the job: the task was marked, cleared, or ran out of time in the worker."""
        if self._launched is not None:
            # Airflow calls this from its signal handler, and where it has caught the timeout.
            self._launched.kill(out_of_time=isinstance(sys.exception(), AirflowTaskTimeout))

    def _told(self, result: Json, context: Context) -> Json:
        """Return a result that the events of this task's outlets carry from now on."""
        if self.outlets:
            from include.nacre.dag.outlets import tell_outlets

            tell_outlets(self.outlets, context["outlet_events"], result)
        return result

    def _run(self, context: Context) -> "TaskRun":
        self._launched = self.make_run(context)
        return self._launched


class JobOperator(LaunchOperator):
    """Creates what a step describes, waits for it, and leaves what later steps refer to in XCom.

    :param kind: what it creates
    :param request: the step's request, with references in it
    :param readable: the readable part of the job's name
    :param exports: the properties that other steps refer to
    :param assets: what must lie in S3 before the job starts, by address
    """

    template_fields: Sequence[str] = ("request",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"request": "json"}
    operator_extra_links = (JobLink(), LogLink())
    ui_color = "#d8f0ea"

    log_page = ""

    def __init__(
        self,
        *,
        kind: Kind,
        request: Template,
        readable: str,
        exports: Sequence[Path] = (),
        assets: Mapping[str, Asset] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.custom_operator_name = f"{kind.step_type}Step"
        self.kind = kind
        self.request = request
        self.readable = readable
        self.exports = tuple(exports)
        self.assets = dict(assets or {})

    def make_run(self, context: Context) -> "TaskRun":
        from include.nacre.dag.jobrun import JobRun

        return JobRun(self, context)


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

        self.check_start(context)
        with kept_reason(context):
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

    def execute(self, context: Context) -> NoReturn:
        """Fail, always."""
        self.check_start(context)
        with kept_reason(context):
            raise StepRefused(str(self.message) or "The Fail step has no message.")


class UnseenFailuresOperator(BaseOperator):
    """Ends a run whose last steps may be skipped although an earlier one has failed: fails where
    one has.

    :param steps: by the id of a step's task, the ids of those that deal with its failure
    """

    custom_operator_name = "UnseenFailures"
    ui_color = "#f6d5d5"

    def __init__(self, *, steps: Mapping[str, Sequence[str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.steps = {name: list(handlers) for name, handlers in steps.items()}

    def execute(self, context: Context) -> None:
        """Look how the tasks have ended; fail with those that failed."""
        from include.nacre.dag.ends import show_failures

        with kept_reason(context):
            show_failures(self.steps, context)
