"""A pipeline as an Airflow DAG or task group: the plan, turned into operators.

Parsing a DAG file comes through here; neither boto3 nor a provider is imported on the way, and what
only some pipelines need, such as native mode, is imported for them alone.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, BaseOperator, Param, TaskGroup
from airflow.sdk.definitions.param import ParamsDict

from include.nacre.dag.binding import Binding, Judgement, Template
from include.nacre.dag.identity import readable_name
from include.nacre.dag.kinds import STEP_KINDS
from include.nacre.dag.operators import (
    ConditionOperator,
    FailOperator,
    JobOperator,
    UnseenFailuresOperator,
)
from include.nacre.dag.params import check_given, form_schema
from include.nacre.dag.plan import (
    MIXED_RULE,
    Decisions,
    Plan,
    PlanError,
    Task,
    Work,
    make_plan,
)
from include.nacre.dag.retries import FITTING_RETRIES
from include.nacre.dag.unseen import handlers
from include.nacre.definition.parameters import parse_parameter
from include.nacre.definition.reader import read_pipeline
from include.nacre.definition.records import COMPLETED, Parameter, Pipeline, RetryPolicy

__all__ = ["PipelineDag", "PipelineTaskGroup", "load_pipeline"]

PROJECT = Path(__file__).parents[3]
MODES = ("steps", "native")

StepArguments = Mapping[str, Mapping[str, Any]]


class PipelineDag(DAG):
    """A DAG that runs a SageMaker pipeline.

        PipelineDag("abalone_training", get_pipeline(), schedule="@daily", ...)

    Every step is a task of the step's name. The pipeline's parameters are the DAG's params, typed.

    :param dag_id: the DAG's id
    :param pipeline: what to run, from `get_pipeline()` or `load_pipeline(path)`
    :param mode: "steps": every step is a task; "native": one task, SageMaker executes the steps
    :param parameters: values of the pipeline's parameters: plain ones, Jinja templates, or outputs
        of other tasks. What is given here is no param of the DAG, unless `params` has it, too
    :param params: more params; for one of the pipeline's, a Param in its place or another default
    :param step_args: arguments for the operators of single steps, by step name or by step type:
        `{"Training": {"pool": "sagemaker_training"}, "AbaloneEval": {"retries": 3}}`. What all
        steps shall have belongs in `default_args`: `aws_conn_id`, `region_name`, `deferrable`,
        `retries`, ...
    :param decisions: how steps become tasks, if not as usual
    :param native_args: arguments for the one task of native mode, see PipelineOperator: `tags`,
        `parallelism`, `selected_steps`, ... What is for the other mode may be given, too, so that
        `mode` alone decides
    :param dag_args: every other argument of a DAG
    """

    def __init__(
        self,
        dag_id: str,
        pipeline: Pipeline,
        mode: str = "steps",
        *,
        parameters: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        step_args: StepArguments | None = None,
        decisions: Decisions | None = None,
        native_args: Mapping[str, Any] | None = None,
        **dag_args: Any,
    ) -> None:
        emit = _emitter(pipeline, mode, decisions, step_args or {}, native_args or {})
        given = dict(parameters or {})
        super().__init__(dag_id, params=_params(pipeline, params or {}, given), **dag_args)
        check_given(pipeline, given, self.params)
        with self:
            emit(Binding(pipeline, given=given), self)

    def __hash__(self) -> int:
        # Equal DAGs have equal ids. Airflow asks at every edge, and its own way hashes all tasks.
        return hash(self.dag_id)

    def test(self, *args: Any, **options: Any) -> Any:
        """Run the DAG in this process, without its deadlines: nobody watches over them there, and
        Airflow 3.3.2 fails at the end of a good run, looking for the rows of theirs that only the
        DAG processor writes.
        """
        deadline, self.deadline = self.deadline, None
        try:
            return super().test(*args, **options)
        finally:
            self.deadline = deadline


class PipelineTaskGroup(TaskGroup):
    """A task group that runs a SageMaker pipeline inside of any DAG.

    :param group_id: the group's id
    :param pipeline: what to run
    :param parameters: values of the pipeline's parameters: plain ones, Jinja templates, or outputs
        of other tasks. What is not given here comes from the DAG's params of the same name, else
        it has its default.
    :param group_args: `mode`, `step_args`, `decisions` and `native_args` as for PipelineDag, and
        every argument of a TaskGroup
    """

    def __init__(
        self,
        group_id: str,
        pipeline: Pipeline,
        mode: str = "steps",
        *,
        parameters: Mapping[str, Any] | None = None,
        step_args: StepArguments | None = None,
        decisions: Decisions | None = None,
        native_args: Mapping[str, Any] | None = None,
        **group_args: Any,
    ) -> None:
        emit = _emitter(pipeline, mode, decisions, step_args or {}, native_args or {})
        super().__init__(group_id=group_id, **group_args)
        given = dict(parameters or {})
        check_given(pipeline, given, self.dag.params if self.dag else {})
        with self:
            emit(Binding(pipeline, self.group_id or "", given), self.dag)


def load_pipeline(source: str | Path, name: str | None = None) -> Pipeline:
    """Read a pipeline from a definition: a file, such as an export of `pipeline.definition()`, or
    its JSON text.

    A relative path is relative to the project. The pipeline is named like the file, unless it is
    given a name; text has none of its own. Raises DefinitionError with all the faults; OSError if
    the file cannot be read. What is on the service alone is not fetched while a DAG file is
    parsed: the error says how to bring it here.
    """
    if isinstance(source, str) and source.lstrip().startswith("{"):
        if name is None:
            raise ValueError("a definition's text does not say the pipeline's name: give name=")
        return read_pipeline(source, name)
    file = PROJECT / source
    try:
        return read_pipeline(file.read_text(encoding="utf-8"), name or file.stem)
    except FileNotFoundError:
        raise FileNotFoundError(_not_here(str(source))) from None


def _not_here(source: str) -> str:
    from include.nacre.native.pull import pipeline_name

    name = pipeline_name(source)
    wanted, file = (source, f"{name}.json") if name else (Path(source).stem, source)
    return (
        f"there is no such file: {source}. If it is a pipeline on SageMaker, bring its definition "
        f"here: python -m include.nacre pull {wanted} > {Path(file).with_suffix('.json')}"
    )


def _emitter(
    pipeline: Pipeline,
    mode: str,
    decisions: Decisions | None,
    step_args: StepArguments,
    native_args: Mapping[str, Any],
) -> Callable[[Binding, DAG | None], None]:
    """Return what makes the tasks of a pipeline that can run in the mode; raise with all that is
    wrong.
    """
    if mode not in MODES:
        raise ValueError(f"mode {mode!r} is none of {', '.join(map(repr, MODES))}")
    _check_step_args(pipeline, step_args)
    if mode == "native":
        from include.nacre.native.upsert import check_name

        check_name(pipeline.name)  # the task's id, too
        return partial(_emit_whole, native_args=native_args)
    plan = make_plan(pipeline, decisions)
    if plan.faults:
        raise PlanError(pipeline.name, plan.faults)
    return partial(_emit, plan, step_args=step_args)


def _emit_whole(binding: Binding, _dag: DAG | None, native_args: Mapping[str, Any]) -> None:
    """Make the one task of native mode, named like the pipeline."""
    from include.nacre.dag.pipeline_operator import PipelineOperator

    pipeline = binding.pipeline
    common = {"task_id": pipeline.name, "doc_md": _steps_text(pipeline)}
    PipelineOperator(**{**common, "pipeline": pipeline, "parameters": binding.given, **native_args})


def _steps_text(pipeline: Pipeline) -> str:
    """Return the documentation of a task that is a whole pipeline, Markdown."""
    steps = (f"- *{step.type} step* `{step.name}`" for step in pipeline.all_steps)
    return "\n".join([f"### {pipeline.name}", "", "SageMaker executes:", "", *steps])


def _check_step_args(pipeline: Pipeline, step_args: StepArguments) -> None:
    known = {text for step in pipeline.all_steps for text in (step.name, step.type)}
    if unknown := sorted(step_args.keys() - known):
        raise ValueError(
            f"step_args name {', '.join(unknown)}: pipeline {pipeline.name} has no such step, nor "
            f"steps of such a type; it has {', '.join(sorted(known))}"
        )


def _params(pipeline: Pipeline, more: Mapping[str, Any], given: Collection[str]) -> dict[str, Any]:
    """Return the DAG's params: those parameters of the pipeline that are not given otherwise, and
    what else the author gave.
    """
    asked = (item for item in pipeline.parameters if item.name in more or item.name not in given)
    return {**more, **{item.name: _param(item, more) for item in asked}}


def _param(parameter: Parameter, given: Mapping[str, Any]) -> Param:
    value = given.get(parameter.name, parameter.default)
    if isinstance(value, Param):
        return value
    about: dict[str, Any] = {
        "description": parameter.description,
        "schema": form_schema(parameter),
    }
    return Param(**about) if value is None else Param(parse_parameter(parameter, value), **about)


def _emit(plan: Plan, binding: Binding, dag: DAG | None, step_args: StepArguments) -> None:
    """Make all tasks, in the order of the plan, then the edges that no reference has drawn."""
    with _keeping_its_params(dag):
        for task in plan.tasks:
            arguments = {**step_args.get(task.step.type, {}), **step_args.get(task.step.name, {})}
            binding.tasks[task.step.name] = make_operator(task, binding, arguments)
    for task in plan.tasks:
        operator = binding.tasks[task.step.name]
        for name in task.upstream:
            if binding.tasks[name].task_id not in operator.upstream_task_ids:
                operator.set_upstream(binding.tasks[name])
    if plan.unseen:
        _watch(plan, binding)


@contextmanager
def _keeping_its_params(dag: DAG | None) -> Iterator[None]:
    """Let a DAG keep its params to itself while its tasks are made: they have them in their context
    all the same.

    Else Airflow copies them four times into every task, and checks each task's by their schemas
    when it serializes the DAG: of 500 tasks a second for every param.
    """
    if dag is None:
        yield
        return
    params = dag.params
    object.__setattr__(dag, "params", ParamsDict())  # as Airflow does: without checking them
    try:
        yield
    finally:
        object.__setattr__(dag, "params", params)


def _watch(plan: Plan, binding: Binding) -> None:
    """Make one more task, which fails where a step does. As it is then the last one, no other
    shows that.
    """
    ids = {name: task.task_id for name, task in binding.tasks.items()}
    handled = handlers(plan.needs)
    steps = {ids[name]: [ids[item] for item in handled.get(name, ())] for name in ids}
    watch = UnseenFailuresOperator(
        task_id=_free_id("unseen_failures", {task.task_id for task in plan.tasks}),
        trigger_rule=MIXED_RULE,
        retries=0,
        doc_md="Fails where a step has failed: the tasks after that may all be skipped.",
        steps=steps,
    )
    # Behind all of them: a task can be skipped while another that it waits for still runs.
    watch.set_upstream([*binding.tasks.values()])


def _free_id(wanted: str, taken: Collection[str]) -> str:
    return _free_id(f"{wanted}_", taken) if wanted in taken else wanted


def make_operator(task: Task, binding: Binding, arguments: Mapping[str, Any]) -> BaseOperator:
    """Make the operator of any task. `arguments` are the author's, and win."""
    step = task.step
    common = {
        "task_id": task.task_id,
        "trigger_rule": task.trigger_rule,
        "awaited": _awaited(task, binding),
        "branch": task.branch and (binding.tasks[task.branch.condition].task_id, task.branch.holds),
        "task_display_name": step.display_name,
        "doc_md": task.documentation,
        "first_steps": [binding.tasks[name].task_id for name in task.roots],
        **arguments,
    }
    match task.work:
        case Work.JOB:
            job = JobOperator(**_job_arguments(task, binding), **common)
            return _retried(job, step.retry_policies, given=arguments.keys())
        case Work.CONDITION:
            return ConditionOperator(
                conditions=Judgement(binding, step.conditions), step=step, **common
            )
        case Work.FAIL:
            message = Template(binding, step.arguments["ErrorMessage"])
            return FailOperator(message=message, **common)
        case None:
            raise AssertionError(f"{step.name} is in the plan's faults, so it is never emitted")


def _retried(
    job: JobOperator, policies: Sequence[RetryPolicy], given: Collection[str]
) -> JobOperator:
    """Let a step's RetryPolicies be its task's, unless the author has chosen a retry policy. What
    is `given` for this step stays, even where its `retries` are fewer than the policies allow.
    """
    if policies and "retry_policy" not in given and job.retry_policy is FITTING_RETRIES:
        from include.nacre.dag.policies import PolicyRetries

        by_policies = PolicyRetries(tuple(policies), own=job.retries or 0)
        job.retry_policy = by_policies
        if "retries" not in given:
            job.retries = by_policies.retries
    return job


def _awaited(task: Task, binding: Binding) -> dict[str, str]:
    """Return, by task id, the ends that a step awaits, where they are not all successes."""
    if {*task.awaited.values()} <= {COMPLETED}:
        return {}
    return {binding.tasks[name].task_id: trigger for name, trigger in task.awaited.items()}


def _job_arguments(task: Task, binding: Binding) -> dict[str, Any]:
    pipeline, step = binding.pipeline, task.step
    return {
        "kind": STEP_KINDS[step.type],
        "request": Template(binding, step.arguments),
        "readable": readable_name(pipeline.name, step.name),
        "exports": task.exports,
        "assets": {uri: pipeline.assets[uri] for uri in task.assets},
    }
