"""Writing a pipeline in Python.

Request bodies are boto3's own, less the job's name; references are values that may stand
anywhere in them:

    train = Training("Train", {"InputDataConfig": [... prepare.output("train") ...], ...})
    evaluate = Processing("Evaluate", {... train.ModelArtifacts.S3ModelArtifacts ...},
                          property_files=[PropertyFile("Report", "evaluation", "report.json")])
    good = less_than_or_equal(evaluate.json("Report", "metrics.mse"), threshold)
    check = Condition("GoodEnough", [good], if_steps=[register], else_steps=[stop])
    pipeline("abalone", parameters=[threshold], steps=[prepare, train, evaluate, check])

A property is written as in the definition: `.Member`, `[0]`, `["key"]`. `pipeline` finds the same
faults as reading does, all of them in one DefinitionError.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypedDict, TypeVar, Unpack

from include.nacre.definition import conditions as kinds
from include.nacre.definition.expressions import (
    PLAIN,
    ExecutionVariable,
    Expression,
    Join,
    JsonGet,
    NotText,
    PropertyFileSource,
    S3Source,
    Scalar,
    StepProperty,
    Value,
)
from include.nacre.definition.faults import DefinitionError, Fault
from include.nacre.definition.paths import Member
from include.nacre.definition.reader import survey_pipeline
from include.nacre.definition.records import (
    Asset,
    CacheConfig,
    Dependency,
    ExperimentConfig,
    Parameter,
    Pipeline,
    PropertyFile,
    RetryPolicy,
    Step,
)

__all__ = [
    "CURRENT_TIME",
    "EXECUTION_ARN",
    "EXECUTION_ID",
    "PIPELINE_ARN",
    "PIPELINE_NAME",
    "PROCESSING_JOB_NAME",
    "START_TIME",
    "TRAINING_JOB_NAME",
    "Asset",
    "Boolean",
    "CacheConfig",
    "Condition",
    "Dependency",
    "ExperimentConfig",
    "Fail",
    "Float",
    "Integer",
    "Join",
    "JsonGet",
    "Model",
    "Pipeline",
    "Processing",
    "PropertyFile",
    "RegisterModel",
    "RetryPolicy",
    "S3Source",
    "String",
    "Training",
    "Transform",
    "and_",
    "equals",
    "greater_than",
    "greater_than_or_equal",
    "in_",
    "less_than",
    "less_than_or_equal",
    "not_",
    "or_",
    "pipeline",
]

_T = TypeVar("_T")

START_TIME = ExecutionVariable("StartDateTime")
CURRENT_TIME = ExecutionVariable("CurrentDateTime")
PIPELINE_NAME = ExecutionVariable("PipelineName")
PIPELINE_ARN = ExecutionVariable("PipelineArn")
EXECUTION_ID = ExecutionVariable("PipelineExecutionId")
EXECUTION_ARN = ExecutionVariable("PipelineExecutionArn")
TRAINING_JOB_NAME = ExecutionVariable("TrainingJobName")
PROCESSING_JOB_NAME = ExecutionVariable("ProcessingJobName")


class String(Parameter):
    """A text parameter, perhaps with the only values that it may have."""

    def __init__(
        self,
        name: str,
        default: str | None = None,
        *,
        enum_values: Iterable[str] = (),
        description: str | None = None,
    ) -> None:
        super().__init__(name, "String", default, tuple(enum_values), description)


class _Plain(Parameter):
    """A parameter whose type is its class's name."""

    def __init__(
        self, name: str, default: Scalar | None = None, *, description: str | None = None
    ) -> None:
        super().__init__(name, type(self).__name__, default, (), description)


class Integer(_Plain):
    """A whole number."""


class Float(_Plain):
    """A number."""


class Boolean(_Plain):
    """True or false."""


class StepOptions(TypedDict, total=False):
    """What every step takes."""

    depends_on: Iterable[Step | Dependency | str]
    display_name: str
    description: str


class RetryOptions(StepOptions, total=False):
    """What a step takes that the service can start anew."""

    retry_policies: Iterable[RetryPolicy]


class JobOptions(RetryOptions, total=False):
    """What a step takes that runs a job."""

    cache: CacheConfig


class _AuthoredStep(NotText, Step):
    """A step to which other steps may refer: `step.Member` is its property."""

    @property
    def label(self) -> str:
        return f"the step {self.name!r}"

    def __init__(self, name: str, request: Mapping[str, Value], **fields: Any) -> None:
        fields["depends_on"] = tuple(map(_dependency, fields.get("depends_on", ())))
        fields["retry_policies"] = tuple(fields.get("retry_policies", ()))
        super().__init__(name, type(self).__name__, plain(request), **fields)

    def __getattr__(self, name: str) -> StepProperty:
        if not name[:1].isupper():
            raise AttributeError(f"a {type(self).__name__} step has no attribute {name!r}")
        return StepProperty(self.name, (Member(name),))


def _dependency(item: Step | Dependency | str) -> Dependency:
    if isinstance(item, Dependency):
        return item
    return Dependency(item.name if isinstance(item, Step) else item)


class _RetriedStep(_AuthoredStep):
    def __init__(
        self, name: str, request: Mapping[str, Value], **options: Unpack[RetryOptions]
    ) -> None:
        super().__init__(name, request, **options)


class _JobStep(_AuthoredStep):
    def __init__(
        self, name: str, request: Mapping[str, Value], **options: Unpack[JobOptions]
    ) -> None:
        super().__init__(name, request, **options)


class Processing(_AuthoredStep):
    """A processing job; `request` is CreateProcessingJob's less ProcessingJobName."""

    def __init__(
        self,
        name: str,
        request: Mapping[str, Value],
        *,
        property_files: Iterable[PropertyFile] = (),
        **options: Unpack[JobOptions],
    ) -> None:
        super().__init__(name, request, property_files=tuple(property_files), **options)

    def output(self, name: str) -> StepProperty:
        """The S3 address of one of the job's outputs."""
        return self.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri

    def json(self, property_file: str, path: str) -> JsonGet:
        """What one of the step's property files has at a path, such as `metrics.mse.value`."""
        return JsonGet(PropertyFileSource(self.name, property_file), path)


class Training(_JobStep):
    """A training job; `request` is CreateTrainingJob's less TrainingJobName."""


class Transform(_JobStep):
    """A batch transform job; `request` is CreateTransformJob's less TransformJobName."""


class Model(_RetriedStep):
    """A model; `request` is CreateModel's less ModelName."""


class RegisterModel(_RetriedStep):
    """A model package; `request` is CreateModelPackage's."""


class Condition(_AuthoredStep):
    """A fork: `if_steps` run when all conditions hold, `else_steps` otherwise."""

    def __init__(
        self,
        name: str,
        conditions: Iterable[kinds.Condition],
        *,
        if_steps: Iterable[Step] = (),
        else_steps: Iterable[Step] = (),
        **options: Unpack[StepOptions],
    ) -> None:
        super().__init__(
            name,
            {},
            conditions=tuple(_only(kinds.Condition, conditions, f"conditions of {name!r}")),
            if_steps=tuple(_only(Step, if_steps, f"if_steps of {name!r}")),
            else_steps=tuple(_only(Step, else_steps, f"else_steps of {name!r}")),
            argument_keys=("Conditions", "IfSteps", "ElseSteps"),
            **options,
        )


class Fail(_AuthoredStep):
    """The end of the run as a failure, with a message that may hold references."""

    def __init__(
        self, name: str, message: str | Expression, **options: Unpack[StepOptions]
    ) -> None:
        super().__init__(name, {"ErrorMessage": message}, **options)


def equals(left: Value, right: Value) -> kinds.Condition:
    """Both values are the same; they must be of one type."""
    return kinds.Comparison("Equals", plain(left), plain(right))


def greater_than(left: Value, right: Value) -> kinds.Condition:
    """left > right"""
    return kinds.Comparison("GreaterThan", plain(left), plain(right))


def greater_than_or_equal(left: Value, right: Value) -> kinds.Condition:
    """left >= right"""
    return kinds.Comparison("GreaterThanOrEqualTo", plain(left), plain(right))


def less_than(left: Value, right: Value) -> kinds.Condition:
    """left < right"""
    return kinds.Comparison("LessThan", plain(left), plain(right))


def less_than_or_equal(left: Value, right: Value) -> kinds.Condition:
    """left <= right"""
    return kinds.Comparison("LessThanOrEqualTo", plain(left), plain(right))


def in_(query: Value, values: Iterable[Value]) -> kinds.Condition:
    """The value is one of several."""
    return kinds.Membership("In", plain(query), tuple(map(plain, values)))


def not_(condition: kinds.Condition) -> kinds.Condition:
    """The condition does not hold."""
    return kinds.Not(condition)


def or_(*conditions: kinds.Condition) -> kinds.Condition:
    """At least one of the conditions holds."""
    return kinds.Or(conditions)


def and_(*conditions: kinds.Condition) -> kinds.Condition:
    """All conditions hold. The language has no such type, so it is written with Not and Or."""
    return kinds.Not(kinds.Or(tuple(map(not_, conditions))))


def plain(value: Value) -> Value:
    """Copy a value, with every parameter in it replaced by the reference to it."""
    if isinstance(value, PLAIN):
        return value
    match value:
        case Parameter():
            return value.reference
        case Join():
            return Join(value.on, tuple(map(plain, value.values)))
        case JsonGet(source=S3Source(uri), path=path):
            return JsonGet(S3Source(plain(uri)), path)
        case dict() | Mapping():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value


def _only(kind: Any, items: Iterable[_T], where: str) -> Iterator[_T]:
    for item in items:
        if not isinstance(item, kind):
            raise TypeError(f"the {where} may not contain {item!r}")
        yield item


# The API takes 256 characters, but CreatePipeline was seen to refuse more than 82.
_LONGEST_NAME = 82
_PIPELINE_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")


def pipeline(
    name: str,
    *,
    steps: Iterable[Step],
    parameters: Iterable[Parameter] = (),
    experiment: ExperimentConfig | None = None,
    metadata: Mapping[str, str] | None = None,
    assets: Mapping[str, Asset] | None = None,
) -> Pipeline:
    """Return the pipeline, or raise one DefinitionError with all its faults.

    `assets` are the files that must lie in S3 before the steps start, by their S3 address.
    """
    draft = Pipeline(
        name,
        tuple(_only(Parameter, parameters, "parameters")),
        tuple(_only(Step, steps, "steps")),
        experiment and _plain_experiment(experiment),
        metadata or {},
        assets=dict(assets or {}),
    )
    survey = survey_pipeline(draft, name, draft.assets)
    faults = [*name_faults(name), *survey.faults]
    if survey.pipeline is None or faults:
        raise DefinitionError(name, faults)
    return survey.pipeline


def _plain_experiment(config: ExperimentConfig) -> ExperimentConfig:
    return ExperimentConfig(plain(config.experiment_name), plain(config.trial_name))


def name_faults(name: str) -> Iterator[Fault]:
    """Yield what is wrong with the name of a pipeline, for the service."""
    if len(name) > _LONGEST_NAME or not _PIPELINE_NAME.fullmatch(name):
        yield Fault(
            "the pipeline's name",
            f"{name!r} is no pipeline name",
            f"Use 1 to {_LONGEST_NAME} letters, digits and hyphens; no hyphen at either end.",
        )
