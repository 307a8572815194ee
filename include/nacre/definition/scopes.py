"""What the scopes of all executors have in common: everything that the pipeline itself says.

A scope of an executor says what a parameter's value is, and what a step has left; see `Scope` in
`expressions.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from include.nacre.definition.expressions import EvaluationError, Json, Scalar, evaluate
from include.nacre.definition.paths import Key, Member, Path
from include.nacre.definition.records import Pipeline, PropertyFile

JOB_NAME_VARIABLES = frozenset({"TrainingJobName", "ProcessingJobName"})


@dataclass(frozen=True)
class PipelineScope(ABC):
    """The `Scope` of one execution of a pipeline, by whomever; each file is read once."""

    pipeline: Pipeline
    read_json: Callable[[str], Json]
    """The parsed JSON file at an S3 address; raises EvaluationError if there is none."""
    _files: dict[str, Json] = field(default_factory=dict, init=False, repr=False)

    @abstractmethod
    def parameter(self, name: str) -> Scalar: ...

    @abstractmethod
    def execution(self, name: str) -> str: ...

    @abstractmethod
    def property(self, step: str, path: Path) -> Json: ...

    def experiment(self, name: str) -> str:
        config = self.pipeline.experiment
        values = (
            {"ExperimentName": config.experiment_name, "TrialName": config.trial_name}
            if config
            else {}
        )
        if (value := values.get(name)) is None:
            raise EvaluationError(f"the pipeline has no PipelineExperimentConfig.{name}")
        return str(evaluate(value, self))

    def property_file(self, step: str, name: str) -> Json:
        file = self._declared(step, name)
        folder = str(self.property(step, output_address(file.output_name)))
        return self.s3_json(f"{folder.rstrip('/')}/{file.path}")

    def _declared(self, step: str, name: str) -> PropertyFile:
        # The reader has checked that both exist.
        (owner,) = (item for item in self.pipeline.all_steps if item.name == step)
        (file,) = (item for item in owner.property_files if item.name == name)
        return file

    def s3_json(self, uri: str) -> Json:
        if uri not in self._files:
            self._files[uri] = self.read_json(uri)
        return self._files[uri]


def output_address(output: str) -> Path:
    """Return the property that holds the S3 address of a Processing step's output."""
    outputs = Member("ProcessingOutputConfig"), Member("Outputs"), Key(output)
    return (*outputs, Member("S3Output"), Member("S3Uri"))


def as_text(moment: datetime) -> str:
    """Return a time as execution variables show it: `2026-11-20T08:30:00Z`."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
