"""What the pages of pipelines and of their executions show beside what every page does."""

import json
from collections.abc import Mapping
from typing import Any

from include.nacre.local.api.execution_steps import described_steps, parameter_texts, version_ran
from include.nacre.local.api.executions import execution_description
from include.nacre.local.api.versions import below, chosen_version, version_facts
from include.nacre.local.console.facts import duration, moment, row_of
from include.nacre.local.pipelines.definitions import parsed
from include.nacre.local.pipelines.records import EXECUTION, VERSION, execution_of
from include.nacre.local.store import Query, Resource
from include.nacre.local.world import World

_MOST = {EXECUTION: 50, VERSION: 20}  # rows on a pipeline's page


def execution_facts(row: Resource) -> dict[str, Any]:
    """An execution's description, and when the last of its steps ended if it is over."""
    execution = execution_of(row)
    own = (run for run in execution.steps.values() if run.reused_from is None)
    ends = [run.ended for run in own if run.ended is not None]
    ended = max(ends, default=row.modified) if execution.is_over else None
    about = f"{execution.pipeline}, {row.state['PipelineExecutionDisplayName']}"
    return {**execution_description(row), "EndTime": ended, "About": about}


def about_pipeline(world: World, pipeline: Resource) -> dict[str, Any]:
    """The versions of a pipeline, its latest executions and its definition."""
    executions, versions = (
        world.store.find(Query(kind, [below(pipeline, kind)], descending=True, limit=most))
        for kind, most in _MOST.items()
    )
    latest = chosen_version(world, pipeline, {})
    return {
        "executions": [row_of(row, execution_facts(row)) for row in executions],
        "versions": [version_facts(version) for version in versions],
        "definition": indented(latest.request["PipelineDefinition"]),
    }


def about_execution(world: World, row: Resource) -> dict[str, Any]:
    """The steps of an execution, those that have not begun last, its parameters and definition."""
    execution, version = execution_of(row), version_ran(world, row)
    definition = parsed(version.request["PipelineDefinition"], execution.pipeline)
    types = {step.name: step.type for step in definition.all_steps}
    begun = [_begun(world, step, types) for step in described_steps(definition, execution)]
    waiting = [(name, kind) for name, kind in types.items() if name not in execution.steps]
    return {
        "pipeline": execution.pipeline,
        "steps": begun,
        "waiting": waiting,
        "parameters": parameter_texts(row),
        "definition": indented(version.request["PipelineDefinition"]),
    }


def indented(definition: str) -> str:
    """A definition as a person reads it."""
    return json.dumps(json.loads(definition), indent=2, ensure_ascii=False)


def _begun(world: World, step: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    made, facts = _made(world, step["Metadata"])
    return {
        "name": step["StepName"],
        "display_name": step["StepDisplayName"],
        "type": types[step["StepName"]],
        "status": step["StepStatus"],
        "reason": step["FailureReason"],
        "attempt": step["AttemptCount"],
        "started": moment(step["StartTime"]),
        "took": duration(step["StartTime"], step["EndTime"]),
        "cached": _id_of(step["CacheHitResult"]),
        "reused": _id_of(step["SelectiveExecutionResult"]),
        "made": made,
        "facts": facts,
    }


def _made(world: World, metadata: Mapping[str, Any]) -> tuple[Resource | None, list[str]]:
    """What a step made, and what else its metadata say: `Outcome: True`."""
    members = [item for part in metadata.values() for item in part.items()]
    arns = [value for name, value in members if name == "Arn"]
    facts = [f"{name}: {_text(value)}" for name, value in members if name != "Arn"]
    return (world.store.by_arn(arns[0]) if arns else None), facts


def _text(value: Any) -> str:
    if isinstance(value, list):  # OutputParameters
        return ", ".join(f"{item['Name']} = {item['Value']}" for item in value)
    return str(value)


def _id_of(source: Mapping[str, str] | None) -> str | None:
    return source["SourcePipelineExecutionArn"].rpartition("/")[2] if source else None
