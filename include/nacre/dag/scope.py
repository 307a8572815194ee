"""What references mean in one DAG run: the scope in which a step's request is evaluated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from include.nacre.definition.expressions import EvaluationError, Json, Scalar
from include.nacre.definition.paths import Path, format_path
from include.nacre.definition.scopes import JOB_NAME_VARIABLES, PipelineScope, as_text

JOB_NAME = "⟨the name of the job⟩"
"""Stands in a request for `Execution.TrainingJobName` and `.ProcessingJobName` until the step
knows which generation it starts; the brackets occur in no name, path or number."""

ONLY_NATIVE = frozenset({"PipelineArn", "PipelineExecutionArn"})
"""Execution variables that exist only for a pipeline that the service executes."""


@dataclass(frozen=True)
class Run:
    """What invents the execution variables of a DAG run."""

    execution_id: Callable[[], str]
    """Asked for only where a step refers to it: it may have to look at other tasks."""
    started: datetime
    now: datetime


@dataclass(frozen=True)
class RunScope(PipelineScope):
    """The `Scope` of a DAG run; reads through the functions that it is given."""

    run: Run
    value_of: Callable[[str], Scalar]
    """The value of a parameter."""
    result_of: Callable[[str], Mapping[str, Json] | None]
    """What a step's task left for later steps, see `results.py`; None if it did not succeed."""

    def parameter(self, name: str) -> Scalar:
        return self.value_of(name)

    def execution(self, name: str) -> str:
        match name:
            case "PipelineName":
                return self.pipeline.name
            case "PipelineExecutionId":
                return self.run.execution_id()
            case "StartDateTime":
                return as_text(self.run.started)
            case "CurrentDateTime":
                return as_text(self.run.now)
            case _ if name in JOB_NAME_VARIABLES:
                return JOB_NAME
        raise EvaluationError(f"Execution.{name} does not exist in a DAG run")

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
