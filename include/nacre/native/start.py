"""Starting an execution: its parameters as text, and everything else that the start call knows."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.nacre.definition.expressions import Scalar
from include.nacre.definition.faults import did_you_mean, shown
from include.nacre.definition.parameters import ParameterError, parse_parameter
from include.nacre.definition.records import Parameter, Pipeline
from include.nacre.native.clients import MISSING, code_of

MOST_SELECTED = 50
"""Steps of a selective execution: a quota of StartPipelineExecution."""

_DISPLAY_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,81}")


class StartError(ValueError):
    """An execution cannot be started as it is asked for; all that is wrong in one message."""

    def __init__(self, pipeline: str, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        heading = f"pipeline {pipeline} cannot be started:"
        super().__init__("\n".join([heading, *(f"  - {fault}" for fault in faults)]))


@dataclass(frozen=True)
class StartOptions:
    """What the start call knows beside the parameters. None: as the pipeline has it."""

    display_name: str | None = None
    description: str | None = None
    parallelism: int | None = None
    """How many steps may run at once in this execution."""
    selected_steps: Sequence[str] = ()
    """The only steps to run; what they need of others comes from the source execution."""
    source_execution_arn: str | None = None
    """None: the pipeline's latest execution, see `latest_execution`."""
    version_id: int | None = None
    version_alias: str | None = None


def typed_values(pipeline: Pipeline, values: Mapping[str, object]) -> dict[str, Scalar]:
    """Return the values that are given, each in its parameter's type.

    Raises StartError with all that are undeclared, wrong, or missing and without a default.
    """
    typed: dict[str, Scalar] = {}
    faults = list(_undeclared(pipeline, values))
    for parameter in pipeline.parameters:
        try:
            if parameter.name in values:
                typed[parameter.name] = parse_parameter(parameter, values[parameter.name])
            elif parameter.default is None:
                faults.append(_missing(parameter))
        except ParameterError as error:
            faults.append(str(error))
    if faults:
        raise StartError(pipeline.name, faults)
    return typed


def parameter_list(pipeline: Pipeline, values: Mapping[str, object]) -> list[dict[str, str]]:
    """Return values as the start call takes them: text, in the order of the definition.

    What is not given is left to its default; so is a default that is given as an empty text,
    which the service refuses though its API's model allows it. Raises StartError as
    `typed_values` does, and for any other empty text.
    """
    typed = typed_values(pipeline, values)
    empty = {name for name, value in typed.items() if value == ""}
    defaults = {parameter.name: parameter.default for parameter in pipeline.parameters}
    faults = [
        f"the parameter {name!r} is empty, and the service takes no empty text at the start"
        for name in typed
        if name in empty and defaults[name] != ""
    ]
    if faults:
        raise StartError(pipeline.name, faults)
    return [
        {"Name": name, "Value": as_text(value)}
        for name, value in typed.items()
        if name not in empty
    ]


def as_text(value: Scalar) -> str:
    """Return a value as text that the service reads in the parameter's type again."""
    return value if isinstance(value, str) else json.dumps(value)


def _undeclared(pipeline: Pipeline, values: Mapping[str, object]) -> Iterator[str]:
    declared = [parameter.name for parameter in pipeline.parameters]
    for name in values:
        if name not in declared:
            hint = did_you_mean(name, declared) or "It has none."
            yield f"it has no parameter {name!r}. {hint}"


def _missing(parameter: Parameter) -> str:
    allowed = f", one of {', '.join(map(shown, parameter.enum_values))}"
    return (
        f"the parameter {parameter.name!r} ({parameter.type}) has no default: give it a value"
        f"{allowed if parameter.enum_values else ''}"
    )


def start_request(
    pipeline: Pipeline,
    values: Mapping[str, object],
    options: StartOptions | None = None,
    source: str | None = None,
) -> dict[str, Any]:
    """Return StartPipelineExecution's request, but for the ClientRequestToken.

    `source` is where selected steps get what others made, if the options name no execution:
    what `latest_execution` returns. Raises StartError with all that is wrong.
    """
    options = options or StartOptions()
    faults = list(_option_faults(pipeline, options))
    try:
        parameters = parameter_list(pipeline, values)
    except StartError as error:
        faults += error.faults
    if faults:
        raise StartError(pipeline.name, faults)
    request = {
        "PipelineName": pipeline.name,
        "PipelineParameters": parameters,
        "PipelineExecutionDisplayName": options.display_name,
        "PipelineExecutionDescription": options.description,
        "ParallelismConfiguration": _parallel(options.parallelism),
        "SelectiveExecutionConfig": _selection(options, source),
        "PipelineVersionId": options.version_id,
        "PipelineVersionAlias": options.version_alias,
    }
    return {key: value for key, value in request.items() if value is not None}


def latest_execution(sagemaker: Any, pipeline: str) -> str | None:
    """Return the ARN of a pipeline's latest execution, or None if it was never started."""
    found = sagemaker.list_pipeline_executions(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )
    arns = (str(item["PipelineExecutionArn"]) for item in found["PipelineExecutionSummaries"])
    return next(arns, None)


def is_running(sagemaker: Any, pipeline: str, display_name: str) -> bool:
    """Say whether one of a pipeline's latest hundred executions has the name and still runs."""
    from botocore.exceptions import ClientError

    try:
        found = sagemaker.list_pipeline_executions(
            PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=100
        )
    except ClientError as error:
        if code_of(error) != MISSING:
            raise
        return False
    return any(
        item.get("PipelineExecutionDisplayName") == display_name
        and item["PipelineExecutionStatus"] == "Executing"
        for item in found["PipelineExecutionSummaries"]
    )


def start(
    sagemaker: Any,
    pipeline: Pipeline,
    values: Mapping[str, object],
    options: StartOptions | None = None,
) -> str:
    """Start an execution; return its ARN. A retry of the call by boto3 starts no second one.

    Raises StartError before any call, and what botocore raises.
    """
    options, source = options or StartOptions(), None
    request = start_request(pipeline, values, options)
    if options.selected_steps and not options.source_execution_arn:
        source = latest_execution(sagemaker, pipeline.name)
        request = start_request(pipeline, values, options, source)
    return str(sagemaker.start_pipeline_execution(**request)["PipelineExecutionArn"])


def _option_faults(pipeline: Pipeline, options: StartOptions) -> Iterator[str]:
    names = [step.name for step in pipeline.all_steps]
    for name in options.selected_steps:
        if name not in names:
            yield f"it has no step {name!r} to select. {did_you_mean(name, names)}".rstrip()
    if len(options.selected_steps) > MOST_SELECTED:
        yield f"{len(options.selected_steps)} steps are selected, at most {MOST_SELECTED} can be"
    if options.source_execution_arn and not options.selected_steps:
        yield "a source execution is given, but no selected steps"
    if options.version_id is not None and options.version_alias is not None:
        yield "both a version's id and an alias are given: give one of them"
    shown_as = options.display_name
    if shown_as is not None and not _DISPLAY_NAME.fullmatch(shown_as):
        yield f"the display name {shown_as!r} takes up to 82 letters and digits, hyphens in between"
    if options.parallelism is not None and not is_count(options.parallelism):
        yield f"parallelism is a whole number of at least 1, not {options.parallelism!r}"


def is_count(value: object) -> bool:
    """Say whether what an author gives is a whole number of at least 1."""
    return isinstance(value, int) and value >= 1


def _parallel(steps: int | None) -> dict[str, int] | None:
    return None if steps is None else {"MaxParallelExecutionSteps": steps}


def _selection(options: StartOptions, source: str | None) -> dict[str, Any] | None:
    if not options.selected_steps:
        return None
    selection: dict[str, Any] = {
        "SelectedSteps": [{"StepName": name} for name in options.selected_steps]
    }
    # Without a source the service refuses steps that need what others made, and says so.
    if arn := options.source_execution_arn or source:
        selection["SourcePipelineExecutionArn"] = arn
    return selection
