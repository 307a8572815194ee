"""Resolving a task's templates: the scope of the running task."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from airflow.sdk import Context

from include.nacre.dag.aws import Account, Aws
from include.nacre.dag.binding import Binding, Template
from include.nacre.dag.deployment import installation, run_map_index
from include.nacre.dag.faults import StepFailed, StepRefused
from include.nacre.dag.files import read_json
from include.nacre.dag.generations import generation
from include.nacre.dag.identity import execution_id
from include.nacre.dag.patience import aws_errors
from include.nacre.dag.scope import Run, RunScope
from include.nacre.dag.troubles import Said, Trouble, in_full, understood
from include.nacre.definition.expressions import EvaluationError, Scalar
from include.nacre.definition.parameters import parse_parameter
from include.nacre.definition.records import Parameter, Pipeline
from include.nacre.native.start import StartError, typed_values


@dataclass(frozen=True)
class Unresolved:
    """Stands where a value should be that could not be found out; the task fails with it.

    Raised at once, Airflow would log it as a fault of a Jinja template, with two tracebacks.
    """

    reason: str
    said: Said | None = None
    """What AWS said, if it may have a value in another try."""

    def __str__(self) -> str:
        return f"unresolved: {self.reason}"


def resolved(template: Template, context: Context) -> Any:
    """Return a template's value, or why it has none."""
    task: Any = context["task"]
    try:
        return template.evaluate(scope_of(template.binding, context))
    except EvaluationError as error:
        return Unresolved(str(error))
    except aws_errors() as error:
        said = understood(error)
        stays = said.trouble is Trouble.REFUSED
        return Unresolved(in_full(said, task.aws_conn_id), None if stays else said)


def resolved_values(binding: Binding, context: Context) -> dict[str, Scalar] | Unresolved:
    """Return the value of every parameter, defaults included, or all that is wrong with them."""
    parameters = binding.pipeline.parameters
    given = given_values(binding, context, [item.name for item in parameters])
    defaults = {item.name: item.default for item in parameters if item.default is not None}
    try:
        return {**defaults, **typed_values(binding.pipeline, given)}
    except StartError as error:
        return Unresolved(str(error))


def required(value: Any) -> Any:
    """Return a resolved value. Raises StepRefused if it is unresolved and stays so, StepFailed if
    AWS was in the way.
    """
    if not isinstance(value, Unresolved):
        return value
    if value.said is None:
        raise StepRefused(value.reason)
    raise StepFailed(value.reason, value.said.code, value.said.exception)


def scope_of(binding: Binding, context: Context) -> RunScope:
    """Return the scope of the running task."""
    task: Any = context["task"]
    aws = Aws(Account(task.aws_conn_id, task.region_name))
    return RunScope(
        binding.pipeline,
        read_json=lambda uri: read_json(aws, uri, task.log.warning),
        run=_run(binding, context),
        value_of=partial(_value, binding, context),
        result_of=lambda step: binding.tasks[step].output.resolve(context),
    )


def _run(binding: Binding, context: Context) -> Run:
    dag_run, now = context["dag_run"], datetime.now(UTC)
    scope, index = binding.group_id, run_map_index(context)
    run = (installation(), dag_run.dag_id, dag_run.run_id, scope, index)
    return Run(
        cache(lambda: execution_id(*run, generation(context))),
        started=dag_run.start_date or now,
        now=now,
    )


def _value(binding: Binding, context: Context, name: str) -> Scalar:
    parameter = _declared(binding.pipeline, name)
    value = given_values(binding, context, [name]).get(name, parameter.default)
    if value is None:
        raise EvaluationError(f"parameter {name} has no value")
    return parse_parameter(parameter, value)


def given_values(binding: Binding, context: Context, names: Iterable[str]) -> dict[str, Any]:
    """Return what the author or the DAG run gives for parameters, untyped; not their defaults."""
    task: Any = context["task"]
    values = {name: context["params"][name] for name in names if name in context["params"]}
    given = {name: binding.given[name] for name in names if name in binding.given}
    return {**values, **task.render_template(given, context)}


def _declared(pipeline: Pipeline, name: str) -> Parameter:
    """Return a parameter; the reader has checked that all that are used are declared."""
    (found,) = (item for item in pipeline.parameters if item.name == name)
    return found
