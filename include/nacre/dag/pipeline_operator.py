"""A whole pipeline as one task: what Airflow needs of it while a DAG file is parsed.

What it does when it runs is in `pipelinerun.py`, imported then.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import Context

from include.nacre.dag.binding import Binding, Values
from include.nacre.dag.links import ExecutionLink
from include.nacre.dag.operators import LaunchOperator
from include.nacre.dag.params import check_given
from include.nacre.definition.records import Pipeline
from include.nacre.native.upsert import Wanted, check_wanted, role_of

if TYPE_CHECKING:
    from include.nacre.dag.taskrun import TaskRun


class PipelineOperator(LaunchOperator):
    """Has SageMaker execute a pipeline: creates or updates it, starts an execution, waits.

        PipelineOperator(task_id="train", pipeline=get_pipeline(), parameters={"Data": uri})

    A retry adopts the execution that runs; a cleared task, or a retry after an execution that
    failed, starts another one; what a Fail step has ended is not tried again. Killing the task
    stops the execution. Its XCom is small: `kind`, `name`, `arn`, `execution_id`, `status`,
    `created`, `ended` and, in `steps`, the status of each step.

    :param pipeline: what to execute, from `get_pipeline()` or `load_pipeline(path)`
    :param parameters: values of its parameters: plain ones, Jinja templates, or outputs of other
        tasks. What is not given here comes from the DAG's params of the same name, else it has
        its default
    :param upsert: create the pipeline, or update it where it differs; False: start it as it is
    :param role_arn: the role that SageMaker executes it with; by default the one that its steps
        name
    :param display_name: the pipeline's name for people. As with all that follows, what is not
        given stays as it is on SageMaker
    :param description: the pipeline's description
    :param tags: added to the pipeline's tags
    :param parallelism: how many steps may run at once, of the pipeline and of this execution
    :param bucket: where a definition of 100 KiB or more is put; by default beside its scripts
    :param execution_display_name: the execution's name for people (82 letters, digits, hyphens)
    :param execution_description: the execution's description
    :param selected_steps: the only steps to run; a list, or their names with commas
    :param source_execution_arn: the execution that made what they need; by default the latest
    :param version_id: the version of the pipeline to start, if not the latest
    :param version_alias: the same, by an alias
    :param accept_failures: take `CompletedWithFailures` (steps failed, and others ran because
        of that) for a success
    :param studio_domain: the id of the SageMaker Studio domain (`d-...`) that the link shows the
        execution in
    """

    template_fields: Sequence[str] = (
        "parameters",
        "execution_display_name",
        "execution_description",
        "selected_steps",
        "source_execution_arn",
        "version_id",
        "version_alias",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"parameters": "json"}
    operator_extra_links = (ExecutionLink(),)
    custom_operator_name = "Pipeline"
    ui_color = "#cfe3f7"

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        parameters: Mapping[str, Any] | None = None,
        upsert: bool = True,
        role_arn: str | None = None,
        display_name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        parallelism: int | None = None,
        bucket: str | None = None,
        execution_display_name: str | None = None,
        execution_description: str | None = None,
        selected_steps: str | Sequence[str] | None = None,
        source_execution_arn: str | None = None,
        version_id: int | str | None = None,
        version_alias: str | None = None,
        accept_failures: bool = False,
        studio_domain: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        given = dict(parameters or {})
        dag = self.get_dag()
        check_given(pipeline, given, dag.params if dag else {})
        self.pipeline = pipeline
        self.wanted: Wanted | None = None
        if upsert:
            role = role_arn or role_of(pipeline)
            self.wanted = Wanted(
                pipeline, role, display_name, description, dict(tags or {}), parallelism, bucket
            )
            check_wanted(self.wanted)
        self.parameters = Values(Binding(pipeline, given=given))
        self.parallelism = parallelism
        self.execution_display_name = execution_display_name
        self.execution_description = execution_description
        self.selected_steps = selected_steps
        self.source_execution_arn = source_execution_arn
        self.version_id = version_id
        self.version_alias = version_alias
        self.accept_failures = accept_failures
        self.studio_domain = studio_domain

    def make_run(self, context: Context) -> "TaskRun":
        from include.nacre.dag.pipelinerun import PipelineRun

        return PipelineRun(self, context)
