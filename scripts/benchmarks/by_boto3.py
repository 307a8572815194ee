"""Run a pipeline's jobs with boto3 alone, one after another, as a user's own loop would."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from include.nacre.definition.expressions import Json, Scalar, evaluate
from include.nacre.definition.paths import Path, resolve_path
from include.nacre.definition.records import Pipeline

POLL_SECONDS = 0.02

# By step type: the kind in boto3's operation names, and the members that name it and its status.
JOBS = {
    "Processing": ("processing_job", "ProcessingJobName", "ProcessingJobStatus"),
    "Training": ("training_job", "TrainingJobName", "TrainingJobStatus"),
    "Transform": ("transform_job", "TransformJobName", "TransformJobStatus"),
    "Model": ("model", "ModelName", None),
}


class JobFailedError(Exception):
    """A job ended in another way than Completed."""


@dataclass
class Execution:
    """One execution: parameters at their defaults, and what each step that ran has become."""

    pipeline: Pipeline
    name: str
    done: dict[str, Json] = field(default_factory=dict)

    def parameter(self, name: str) -> Scalar:
        defaults = {item.name: item.default for item in self.pipeline.parameters}
        value = defaults[name]
        if value is None:
            raise KeyError(f"parameter {name} has no default")
        return value

    def execution(self, name: str) -> str:
        return {"PipelineExecutionId": self.name}[name]

    def experiment(self, name: str) -> str:
        raise KeyError(name)

    def property(self, step: str, path: Path) -> Json:
        return resolve_path(self.done[step], path)

    def property_file(self, step: str, name: str) -> Json:
        raise KeyError(f"{step}.{name}")

    def s3_json(self, uri: str) -> Json:
        raise KeyError(uri)


def run_steps(sagemaker: Any, execution: Execution, names: Iterable[str]) -> Mapping[str, Json]:
    """Run these steps in this order, each to its end; the last Describe answer of each."""
    steps = {step.name: step for step in execution.pipeline.all_steps}
    for name in names:
        kind, name_key, status_key = JOBS[steps[name].type]
        request = evaluate(steps[name].arguments, execution)
        identity = {name_key: f"{execution.name}-{name}"}
        getattr(sagemaker, f"create_{kind}")(**identity, **request)
        describe = getattr(sagemaker, f"describe_{kind}")
        execution.done[name] = _ended(describe, identity, status_key)
    return execution.done


def _ended(describe: Any, identity: Mapping[str, str], status_key: str | None) -> Json:
    while True:
        answer = describe(**identity)
        status = answer[status_key] if status_key else "Completed"
        if status == "Completed":
            return answer
        if status in ("Failed", "Stopped"):
            raise JobFailedError(f"{identity}: {status}, {answer.get('FailureReason')}")
        time.sleep(POLL_SECONDS)
