"""A pipeline's references in Airflow: template values that are resolved when a task runs.

A `Template` is an XComArg, so Airflow draws the edges to the tasks that it refers to, and asks
it for its value before the task executes. Its strings never pass through Jinja: a literal `{{`
in a request stays what it is. Only values that a PipelineTaskGroup is given as parameters are
rendered, as any operator's arguments are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow.sdk import BaseOperator, XComArg

from include.nacre.definition.conditions import Condition, operands
from include.nacre.definition.expressions import (
    Json,
    ParameterRef,
    Scope,
    Value,
    evaluate,
    expressions_in,
    steps_of,
    to_json,
)
from include.nacre.definition.records import Pipeline


@dataclass(eq=False)
class Binding:
    """One pipeline in one DAG: its tasks, and where the values of its parameters come from."""

    pipeline: Pipeline
    group_id: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    """The parameters that the author gave: values, Jinja templates or XComArgs."""
    tasks: dict[str, BaseOperator] = field(default_factory=dict)
    """By the name of the step; filled while the DAG is made, in the order of dependencies."""

    def references(self, value: Value) -> Iterator[tuple[Any, str]]:
        """Yield (task, XCom key) of everything upstream that a value refers to."""
        for step in sorted(steps_of(value) & self.tasks.keys()):
            yield from self.tasks[step].output.iter_references()
        for name in sorted(_parameters_in(value) & self.given.keys()):
            yield from XComArg.iter_xcom_references(self.given[name])


def _parameters_in(value: Value) -> set[str]:
    return {item.name for item in expressions_in(value) if isinstance(item, ParameterRef)}


class Template(XComArg):
    """A value of a definition in a template field of a task."""

    def __init__(self, binding: Binding, value: Value) -> None:
        self.binding = binding
        self.value = value

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        return self.binding.references(self.value)

    def serialize(self) -> Json:
        """Return what the UI shows of the task: the value as the definition writes it."""
        return to_json(self.value)

    def evaluate(self, scope: Scope) -> Any:
        """Return the value in a scope."""
        return evaluate(self.value, scope)

    def resolve(self, context: Any) -> Any:
        """Return the value in this DAG run, types kept; or an `Unresolved` that says why not."""
        from include.nacre.dag.resolve import resolved

        return resolved(self, context)


class Values(Template):
    """The values of all parameters, as one template field: plain JSON by name."""

    def __init__(self, binding: Binding) -> None:
        parameters = binding.pipeline.parameters
        super().__init__(binding, {item.name: item.reference for item in parameters})

    def resolve(self, context: Any) -> Any:
        """Return all values, types kept; or an `Unresolved` with all that is wrong with them."""
        from include.nacre.dag.resolve import resolved_values

        return resolved_values(self.binding, context)


class Judgement(Template):
    """The conditions of a step; their value is a `Verdict`."""

    def __init__(self, binding: Binding, conditions: Sequence[Condition]) -> None:
        super().__init__(binding, [list(operands(condition)) for condition in conditions])
        self.conditions = tuple(conditions)

    def serialize(self) -> Json:
        return [condition.to_json() for condition in self.conditions]

    def evaluate(self, scope: Scope) -> Any:
        from include.nacre.dag.verdict import judge

        return judge(self.conditions, scope)
