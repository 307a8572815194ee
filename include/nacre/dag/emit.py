"""A pipeline as an Airflow DAG or task group: the plan, turned into operators.

Parsing a DAG file comes through here; neither boto3 nor a provider is imported on the way.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, BaseOperator, Param, TaskGroup

from include.nacre.dag.binding import Binding, Judgement, Template
from include.nacre.dag.identity import readable_name
from include.nacre.dag.kinds import KINDS
from include.nacre.dag.operators import ConditionOperator, FailOperator, JobOperator
from include.nacre.dag.params import form_schema, typed
from include.nacre.dag.plan import Decisions, Plan, PlanError, Task, Work, make_plan
from include.nacre.definition.reader import read_pipeline
from include.nacre.definition.records import Parameter, Pipeline

PROJECT = Path(__file__).parents[3]
MODES = ("steps", "native")

StepArguments = Mapping[str, Mapping[str, Any]]


class PipelineDag(DAG):
    """A DAG that runs a SageMaker pipeline.

        PipelineDag("abalone_training", get_pipeline(), schedule="@daily", ...)

    Every step is a task of the step's name. The pipeline's parameters are the DAG's params, typed.

    :param dag_id: the DAG's id
    :param pipeline: what to run, from `get_pipeline()` or `load_pipeline(path)`
    :param mode: "steps": every step is a task
    :param params: more params; for one of the pipeline's, a Param in its place or another default
    :param step_args: arguments for the operators of single steps, by step name or by step type:
        `{"Training": {"pool": "sagemaker_training"}, "AbaloneEval": {"retries": 3}}`. What all
        steps shall have belongs in `default_args`: `aws_conn_id`, `region_name`, `deferrable`,
        `retries`, ...
    :param decisions: how steps become tasks, if not as usual
    :param dag_args: every other argument of a DAG
    """

    def __init__(
        self,
        dag_id: str,
        pipeline: Pipeline,
        mode: str = "steps",
        *,
        params: Mapping[str, Any] | None = None,
        step_args: StepArguments | None = None,
        decisions: Decisions | None = None,
        **dag_args: Any,
    ) -> None:
        plan = _runnable(pipeline, mode, decisions, step_args or {})
        super().__init__(dag_id, params=_params(pipeline, params or {}), **dag_args)
        with self:
            _emit(plan, Binding(pipeline), step_args or {})


class PipelineTaskGroup(TaskGroup):
    """A task group that runs a SageMaker pipeline inside of any DAG.

    :param group_id: the group's id
    :param pipeline: what to run
    :param parameters: values of the pipeline's parameters: plain ones, Jinja templates, or outputs
        of other tasks. What is not given here comes from the DAG's params of the same name, else
        it has its default.
    :param group_args: `mode`, `step_args` and `decisions` as for PipelineDag, and every argument
        of a TaskGroup
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
        **group_args: Any,
    ) -> None:
        plan = _runnable(pipeline, mode, decisions, step_args or {})
        super().__init__(group_id=group_id, **group_args)
        given = dict(parameters or {})
        _check_given(pipeline, given, self.dag)
        with self:
            _emit(plan, Binding(pipeline, self.group_id or "", given), step_args or {})


def load_pipeline(path: str | Path) -> Pipeline:
    """Read a pipeline from a definition file, such as an export of `pipeline.definition()`.

    A relative path is relative to the project. The pipeline is named like the file. Raises
    DefinitionError with all the file's faults; OSError if it cannot be read.
    """
    file = PROJECT / path
    return read_pipeline(file.read_text(encoding="utf-8"), file.stem)


def _runnable(
    pipeline: Pipeline, mode: str, decisions: Decisions | None, step_args: StepArguments
) -> Plan:
    """Return the plan of a pipeline that can run in the mode; raise with all that is wrong."""
    if mode not in MODES:
        raise ValueError(f"mode {mode!r} is none of {', '.join(map(repr, MODES))}")
    if mode == "native":
        raise NotImplementedError(
            'mode="native" comes with a later version of Nacre; use mode="steps"'
        )
    _check_step_args(pipeline, step_args)
    plan = make_plan(pipeline, decisions)
    if plan.faults:
        raise PlanError(pipeline.name, plan.faults)
    return plan


def _check_step_args(pipeline: Pipeline, step_args: StepArguments) -> None:
    known = {text for step in pipeline.all_steps for text in (step.name, step.type)}
    if unknown := sorted(step_args.keys() - known):
        raise ValueError(
            f"step_args name {', '.join(unknown)}: pipeline {pipeline.name} has no such step, nor "
            f"steps of such a type; it has {', '.join(sorted(known))}"
        )


def _params(pipeline: Pipeline, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the DAG's params: the pipeline's parameters, and what else the author gave."""
    own = {item.name: _param(item, more) for item in pipeline.parameters}
    return {**more, **own}


def _param(parameter: Parameter, given: Mapping[str, Any]) -> Param:
    value = given.get(parameter.name, parameter.default)
    if isinstance(value, Param):
        return value
    default: dict[str, Any] = {} if value is None else {"default": typed(parameter, value)}
    return Param(**default, description=parameter.description, schema=form_schema(parameter))


def _check_given(pipeline: Pipeline, given: Mapping[str, Any], dag: DAG | None) -> None:
    """Check a task group's parameters: all declared, none missing, plain values of their type."""
    declared = {item.name: item for item in pipeline.parameters}
    if unknown := sorted(given.keys() - declared.keys()):
        raise ValueError(f"pipeline {pipeline.name} has no parameter {', '.join(unknown)}")
    for name, value in given.items():
        if isinstance(value, int | float | bool):
            typed(declared[name], value)
    known = given.keys() | (dag.params.keys() if dag else set())
    required = {item.name for item in pipeline.parameters if item.default is None}
    if missing := sorted(required - known):
        raise ValueError(
            f"pipeline {pipeline.name} needs a value for {', '.join(missing)}: give it in "
            "parameters=, or as a param of the DAG"
        )


def _emit(plan: Plan, binding: Binding, step_args: StepArguments) -> None:
    """Make all tasks, in the order of the plan, then the edges that no reference has drawn."""
    for task in plan.tasks:
        arguments = {**step_args.get(task.step.type, {}), **step_args.get(task.step.name, {})}
        binding.tasks[task.step.name] = make_operator(task, binding, arguments)
    for task in plan.tasks:
        operator = binding.tasks[task.step.name]
        for name in task.upstream:
            if binding.tasks[name].task_id not in operator.upstream_task_ids:
                operator.set_upstream(binding.tasks[name])


def make_operator(task: Task, binding: Binding, arguments: Mapping[str, Any]) -> BaseOperator:
    """Make the operator of any task. `arguments` are the author's, and win."""
    step = task.step
    common = {
        "task_id": task.task_id,
        "trigger_rule": task.trigger_rule,
        "task_display_name": step.display_name,
        "doc_md": task.documentation,
        **arguments,
    }
    match task.work:
        case Work.JOB:
            return JobOperator(**_job_arguments(task, binding), **common)
        case Work.CONDITION:
            return ConditionOperator(
                conditions=Judgement(binding, step.conditions), step=step, **common
            )
        case Work.FAIL:
            message = Template(binding, step.arguments["ErrorMessage"])
            return FailOperator(message=message, **common)
        case None:
            raise AssertionError(f"{step.name} is in the plan's faults, so it is never emitted")


def _job_arguments(task: Task, binding: Binding) -> dict[str, Any]:
    pipeline, step = binding.pipeline, task.step
    return {
        "kind": KINDS[step.type],
        "request": Template(binding, step.arguments),
        "readable": readable_name(pipeline.name, step.name),
        "exports": task.exports,
        "assets": {uri: pipeline.assets[uri] for uri in task.assets},
    }
