"""Pipeline parameters as typed Airflow params, and the values that an author gives them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from include.nacre.dag.faults import StepRefused
from include.nacre.definition.faults import did_you_mean
from include.nacre.definition.parameters import ParameterError, parse_parameter
from include.nacre.definition.records import Parameter, Pipeline

JSON_TYPES = {"String": "string", "Integer": "integer", "Float": "number", "Boolean": "boolean"}
"""The JSON schema types by which Airflow checks a param and chooses its form field."""


def form_schema(parameter: Parameter) -> dict[str, Any]:
    """Return the JSON schema of a parameter: the trigger form's field, and what it refuses."""
    schema: dict[str, Any] = {"type": JSON_TYPES[parameter.type]}
    if parameter.enum_values:
        schema["enum"] = list(parameter.enum_values)
    return schema


class GivenError(StepRefused, ValueError):
    """What an author gives a pipeline cannot be right; all faults in one message. Of a mapped task
    it shows only when that runs, and then no retry mends it.
    """


def check_given(pipeline: Pipeline, given: Mapping[str, Any], params: Iterable[str]) -> None:
    """Check what an author gives a pipeline: all declared, none missing, plain values of their
    type. `params` are the names of the DAG's. Raises GivenError.
    """
    if faults := list(_given_faults(pipeline, given, params)):
        raise GivenError("\n".join(f"pipeline {pipeline.name} {fault}" for fault in faults))


def _given_faults(
    pipeline: Pipeline, given: Mapping[str, Any], params: Iterable[str]
) -> Iterator[str]:
    declared = {item.name: item for item in pipeline.parameters}
    if unknown := sorted(given.keys() - declared.keys()):
        hint = did_you_mean(unknown[0], declared) or "It has none."
        yield f"has no parameter {', '.join(unknown)}. {hint}"
    for name in sorted(given.keys() & declared.keys()):
        try:
            if isinstance(given[name], int | float | bool):
                parse_parameter(declared[name], given[name])
        except ParameterError as error:
            yield f"is given wrong values: {error}"
    required = {item.name for item in pipeline.parameters if item.default is None}
    if missing := sorted(required - given.keys() - set(params)):
        yield (
            f"needs a value for {', '.join(missing)}: give it in parameters=, or as a param of "
            "the DAG"
        )
