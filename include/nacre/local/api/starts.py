"""What a start asks for: values of the parameters, and perhaps which steps alone shall run.

Each reader gives what it could read and all that is wrong, so that one refusal has everything.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

from include.nacre.definition.expressions import (
    EvaluationError,
    Scalar,
    evaluate,
)
from include.nacre.definition.faults import did_you_mean
from include.nacre.definition.parameters import (
    ParameterError,
    parse_parameter,
    typed_default,
)
from include.nacre.definition.records import Parameter, Pipeline
from include.nacre.local.pipelines.course import Course
from include.nacre.local.pipelines.execution import Execution, StepRun
from include.nacre.local.pipelines.scope import ExecutionScope
from include.nacre.local.pipelines.selection import SelectionError, reused
from include.nacre.local.protocol.core import Request
from include.nacre.local.protocol.errors import ValidationError

# SelectiveExecutionConfig's documentation: "either Failed or Success".
_SOURCES = frozenset({"Succeeded", "Failed", "CompletedWithFailures"})


def read_parameters(
    pipeline: Pipeline, given: Sequence[Request]
) -> tuple[Mapping[str, Scalar], list[str]]:
    """The value of every parameter in the definition's order, defaults included; and faults."""
    texts = {item["Name"]: item["Value"] for item in given}
    faults = list(_faults_of_names(pipeline, [item["Name"] for item in given]))
    values: dict[str, Scalar] = {}
    for parameter in pipeline.parameters:
        try:
            if parameter.name in texts:
                values[parameter.name] = _parsed(parameter, texts[parameter.name])
            elif (default := typed_default(parameter)) is not None:
                values[parameter.name] = default
        except ParameterError as fault:
            faults.append(f"Invalid value: {fault}.")
    return values, faults


def read_selection(
    pipeline: Pipeline, selected: Sequence[str], source: Execution | None
) -> tuple[Mapping[str, StepRun], list[str]]:
    """What a selective execution takes from its source, if that is a good one; and faults."""
    faults = [
        f"The step {name!r} is selected {count} times."
        for name, count in Counter(selected).items()
        if count > 1
    ]
    faults.extend(_faults_of_source(pipeline, source) if source else ())
    try:
        return reused(Course.of(pipeline), selected, source), faults
    except SelectionError as fault:
        return {}, [*faults, *fault.faults]


def experiment_of(pipeline: Pipeline, execution: Execution) -> dict[str, str] | None:
    """The names of the experiment and the trial in an execution that has not begun.

    Raises a ValidationError if they hang on what only jobs have.
    """
    config = pipeline.experiment
    if config is None:
        return None
    names = {"ExperimentName": config.experiment_name, "TrialName": config.trial_name}
    arn = execution.arn.rpartition("/execution/")[0]
    scope = ExecutionScope(pipeline, _nothing, execution, arn, execution.started, _nothing)
    try:
        return {name: str(evaluate(text, scope)) for name, text in names.items() if text}
    except EvaluationError as fault:
        raise ValidationError(f"PipelineExperimentConfig: {fault}.") from fault


def _nothing(*what: object) -> NoReturn:
    raise EvaluationError(f"no step has made {what[0]} yet")


def _parsed(parameter: Parameter, text: str) -> Scalar:
    # The model of the API allows it, the service does not.
    if not text:
        raise ParameterError(
            f'the parameter {parameter.name!r}: [string "" is too short (length: 0, required'
            " minimum: 1)]"
        )
    return parse_parameter(parameter, text)


def _faults_of_names(pipeline: Pipeline, given: Sequence[str]) -> Iterator[str]:
    declared = [parameter.name for parameter in pipeline.parameters]
    for name, count in Counter(given).items():
        if name not in declared:
            yield f"The pipeline has no parameter {name!r}. {did_you_mean(name, declared)}".strip()
        elif count > 1:
            yield f"The parameter {name!r} is given {count} times."
    for parameter in pipeline.parameters:
        if parameter.default is None and parameter.name not in given:
            yield f"The parameter {parameter.name!r} has no default, so it needs a value."


def _faults_of_source(pipeline: Pipeline, source: Execution) -> Iterator[str]:
    if source.pipeline != pipeline.name:
        yield (
            f"Invalid SourcePipelineExecutionArn: {source.arn} is an execution of another pipeline."
        )
    elif source.status not in _SOURCES:
        yield (
            f"Invalid SourcePipelineExecutionArn: {source.arn} is {source.status}. It has to have"
            " succeeded or failed."
        )
