"""What references mean in an execution of the local SageMaker."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from include.nacre.definition.expressions import EvaluationError, Json, Scalar
from include.nacre.definition.faults import shown
from include.nacre.definition.parameters import ParameterError, parse_parameter
from include.nacre.definition.paths import Path, PathLookupError, format_path, resolve_path
from include.nacre.definition.properties import shape_at
from include.nacre.definition.records import OutputParameter, Parameter, Step
from include.nacre.definition.scopes import JOB_NAME_VARIABLES, PipelineScope, as_text
from include.nacre.local.pipelines.execution import Execution, StepRun
from include.nacre.local.pipelines.kinds import KINDS


@dataclass(frozen=True)
class ExecutionScope(PipelineScope):
    """The `Scope` of an execution, now."""

    present: Execution
    pipeline_arn: str
    now: float
    describe: Callable[[Step, StepRun], Mapping[str, Json]]
    """The Describe answer for what a step has created."""
    job_name: str | None = None
    """The name of the job that the step which is evaluated creates."""

    def parameter(self, name: str) -> Scalar:
        if name not in self.present.parameters:
            raise EvaluationError(f"parameter {name} has no value")
        return self.present.parameters[name]

    def execution(self, name: str) -> str:
        known = {
            "PipelineName": self.present.pipeline,
            "PipelineArn": self.pipeline_arn,
            "PipelineExecutionId": self.present.id,
            "PipelineExecutionArn": self.present.arn,
            "StartDateTime": as_text(_moment(self.present.started)),
            "CurrentDateTime": as_text(_moment(self.now)),
            **(dict.fromkeys(JOB_NAME_VARIABLES, self.job_name) if self.job_name else {}),
        }
        value = known.get(name)
        if value is None:
            raise EvaluationError(f"Execution.{name} has no value here: this step has no job")
        return value

    def property(self, step: str, path: Path) -> Json:
        (owner,) = (item for item in self.pipeline.all_steps if item.name == step)
        run = self.present.steps.get(step)
        if run is None:
            raise EvaluationError(f"step {step!r} has no result: it did not run in this execution")
        try:
            found = resolve_path(self._properties(owner, run), path)
        except PathLookupError:
            where = format_path(path)
            raise EvaluationError(
                f"Steps.{step}.{where} has no value: what it made has no such member"
            ) from None
        is_time = isinstance(found, (int, float)) and shape_at(owner.type, path) == "timestamp"
        return _moment(found).isoformat() if is_time else found

    def _properties(self, step: Step, run: StepRun) -> Mapping[str, Json]:
        if step.type in KINDS:
            if run.job is None:
                raise EvaluationError(f"step {step.name!r} has no result: it created nothing")
            return self.describe(step, run)
        if step.type == "Condition":
            return dict(run.metadata.get("Condition", {}))
        return {"OutputParameters": dict(_outputs(step, run))}


def _outputs(step: Step, run: StepRun) -> Mapping[str, Scalar]:
    """Return what a Callback step was answered, in the types that the step declares."""
    declared = {item.name: item for item in step.output_parameters}
    given = run.metadata.get("Callback", {}).get("OutputParameters", [])
    return {
        item["Name"]: _typed(step, declared[item["Name"]], item["Value"])
        for item in given
        if item["Name"] in declared
    }


def _typed(step: Step, output: OutputParameter, value: str) -> Scalar:
    try:
        return parse_parameter(Parameter(output.name, output.type), value)
    except ParameterError:
        raise EvaluationError(
            f"Steps.{step.name}.OutputParameters['{output.name}'] is declared as {output.type}, but"
            f" the answer was {shown(value)}"
        ) from None


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
