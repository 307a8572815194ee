"""Small pipelines for the tests of the API."""

import json
from collections.abc import Callable
from typing import Any

from include.nacre.local.pipelines.execution import Execution, StepRun
from include.nacre.local.pipelines.records import EXECUTION, changing
from tests.unit.local.memory import ROLE, InMemory, processing

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/"
PARAMETERS = [
    {"Name": "Input", "Type": "String", "DefaultValue": "s3://b/in"},
    {"Name": "Count", "Type": "Integer"},
    {"Name": "Rate", "Type": "Float", "DefaultValue": 0.5},
    {"Name": "Fast", "Type": "Boolean", "DefaultValue": False},
    {"Name": "Way", "Type": "String", "DefaultValue": "up", "EnumValues": ["up", "down"]},
]
COUNT = [{"Name": "Count", "Value": "3"}]


def step(name: str, *waits_for: str, **more: Any) -> dict[str, Any]:
    """A processing step that waits for others."""
    arguments = processing()
    del arguments["ProcessingJobName"]
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": arguments,
        **({"DependsOn": list(waits_for)} if waits_for else {}),
        **more,
    }


def definition(
    *steps: dict[str, Any], parameters: list[dict[str, Any]] | None = None, **more: Any
) -> str:
    """A definition's text: of one step A and of the parameters given, if nothing else is said."""
    content = {
        "Version": "2020-12-01",
        "Parameters": parameters or [],
        "Steps": list(steps) or [step("A")],
        **more,
    }
    return json.dumps(content)


def create(sagemaker: InMemory, name: str = "abalone", **changes: Any) -> str:
    """A pipeline; its ARN."""
    request = {"PipelineName": name, "RoleArn": ROLE, "PipelineDefinition": definition()}
    return str(sagemaker.call("CreatePipeline", **{**request, **changes})["PipelineArn"])


def start(sagemaker: InMemory, name: str = "abalone", **request: Any) -> str:
    """An execution; its ARN."""
    answer = sagemaker.call("StartPipelineExecution", PipelineName=name, **request)
    return str(answer["PipelineExecutionArn"])


def become(sagemaker: InMemory, arn: str, *statuses: Any, failure: str | None = None) -> None:
    """Let an execution go through statuses, as the executor would."""
    for status in statuses:
        change(sagemaker, arn, lambda it: it.moved(status, failure))  # noqa: B023


def run(sagemaker: InMemory, arn: str, name: str, **facts: Any) -> None:
    """Let a step of an execution have come this far."""
    found = StepRun(**{"status": "Executing", "started": sagemaker.clock(), **facts})
    change(sagemaker, arn, lambda it: it.with_step(name, found))


def change(sagemaker: InMemory, arn: str, how: Callable[[Execution], Execution]) -> None:
    """Change an execution's row by a pure function of the execution."""
    row = sagemaker.store.by_arn(arn)
    assert row is not None
    sagemaker.store.update(EXECUTION, row.name, changing(how, sagemaker.clock()))
