"""What references mean in one DAG run: the scope in which a step's request is evaluated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from include.nacre.definition.expressions import EvaluationError, Json, Scalar, evaluate
from include.nacre.definition.paths import Key, Member, Path, format_path
from include.nacre.definition.records import Pipeline, PropertyFile

JOB_NAME = "⟨the name of the job⟩"
"""Stands in a request for `Execution.TrainingJobName` and `.ProcessingJobName` until the step
knows which generation it starts; the brackets occur in no name, path or number."""

JOB_NAME_VARIABLES = frozenset({"TrainingJobName", "ProcessingJobName"})
ONLY_NATIVE = frozenset({"PipelineArn", "PipelineExecutionArn"})
"""Execution variables that exist only for a pipeline that the service executes."""


@dataclass(frozen=True)
class Run:
    """What invents the execution variables of a DAG run."""

    execution_id: str
    started: datetime
    now: datetime


@dataclass(frozen=True)
class RunScope:
    """The `Scope` of a DAG run; reads through the functions that it is given, each file once."""

    pipeline: Pipeline
    run: Run
    value_of: Callable[[str], Scalar]
    """The value of a parameter."""
    result_of: Callable[[str], Mapping[str, Json] | None]
    """What a step's task left for later steps, see `results.py`; None if it did not succeed."""
    read_json: Callable[[str], Json]
    """The parsed JSON file at an S3 address; raises EvaluationError if there is none."""
    _files: dict[str, Json] = field(default_factory=dict, init=False, repr=False)

    def parameter(self, name: str) -> Scalar:
        return self.value_of(name)

    def execution(self, name: str) -> str:
        match name:
            case "PipelineName":
                return self.pipeline.name
            case "PipelineExecutionId":
                return self.run.execution_id
            case "StartDateTime":
                return as_text(self.run.started)
            case "CurrentDateTime":
                return as_text(self.run.now)
            case _ if name in JOB_NAME_VARIABLES:
                return JOB_NAME
        raise EvaluationError(f"Execution.{name} does not exist in a DAG run")

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

    def property(self, step: str, path: Path) -> Json:
        properties = self._result(step)["properties"]
        where = format_path(path)
        if where not in properties:
            raise EvaluationError(
                f"Steps.{step}.{where} has no value: what it made has no such member"
            )
        return properties[where]

    def _result(self, step: str) -> Mapping[str, Json]:
        result = self.result_of(step)
        if result is None:
            raise EvaluationError(
                f"step {step!r} left no result: its task did not succeed in this run, or it "
                "pushes no XCom"
            )
        return result

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


def with_job_name(request: Json, name: str) -> Json:
    """Return an evaluated request with the job's name where the request refers to it."""
    match request:
        case str():
            return request.replace(JOB_NAME, name)
        case dict():
            return {key: with_job_name(item, name) for key, item in request.items()}
        case list():
            return [with_job_name(item, name) for item in request]
        case _:
            return request
