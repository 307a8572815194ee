"""Expressions: what stands in a definition where a value is known only when the pipeline runs.

In JSON an expression is an object with exactly one key: `Get`, `Std:Join` or `Std:JsonGet`.
Here each is a node, with two pure functions: which steps it refers to (`steps_of`), and its
value in a given scope (`evaluate`).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any, ClassVar, NoReturn, Protocol, TypeAlias

from include.nacre.definition.paths import (
    Index,
    Key,
    Member,
    Path,
    PathLookupError,
    format_path,
    parse_json_path,
    resolve_path,
)

Scalar: TypeAlias = str | int | float | bool
Json: TypeAlias = Any
"""Parsed JSON: a scalar, None, a list of Json, or a dict of Json by str."""
Value: TypeAlias = Any
"""Json in which expressions may stand anywhere."""

EXECUTION_VARIABLES = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
)
EXPERIMENT_VARIABLES = ("ExperimentName", "TrialName")


class EvaluationError(ValueError):
    """An expression has no value here; the message says which and why."""


class NotText:
    """Something that has no text before the pipeline runs.

    Its repr in an S3 path would be a wrong path that nobody notices, so all the usual ways to
    make text of it are refused.
    """

    __slots__ = ()

    @property
    def label(self) -> str:
        """How a message to a person calls it."""
        return repr(self)

    def __str__(self) -> NoReturn:
        raise TypeError(
            f"{self.label} has a value only when the pipeline runs, so it cannot be part of a "
            'string. Write Join("/", ["s3:/", bucket, it]) instead of an f-string or "+".'
        )

    def __format__(self, spec: str) -> NoReturn:
        self.__str__()

    def __add__(self, other: object) -> NoReturn:
        self.__str__()

    def __radd__(self, other: object) -> NoReturn:
        self.__str__()


class Scope(Protocol):
    """What an expression's value depends on. Readers of files are passed in: no IO here."""

    def parameter(self, name: str) -> Scalar:
        """The value of a parameter, in the parameter's type."""

    def execution(self, name: str) -> str:
        """The value of an execution variable."""

    def experiment(self, name: str) -> str:
        """The name of the experiment or the trial."""

    def property(self, step: str, path: Path) -> Json:
        """What the Describe response of a step has at a path."""

    def property_file(self, step: str, name: str) -> Json:
        """The parsed content of a property file of a Processing step."""

    def s3_json(self, uri: str) -> Json:
        """The parsed content of a JSON file in S3."""


class Node(NotText, ABC):
    """What all expressions have in common."""

    __slots__ = ()

    @abstractmethod
    def to_json(self) -> Json:
        """Return the JSON object that stands for this expression in a definition."""

    @abstractmethod
    def in_scope(self, scope: Scope) -> Json:
        """Return the value that this expression has in a scope."""

    @property
    def parts(self) -> Sequence[Value]:
        """The values inside this expression."""
        return ()


class Get(Node):
    """An expression whose JSON is `{"Get": target}`."""

    __slots__ = ()

    @property
    @abstractmethod
    def target(self) -> str:
        """The text after `Get`, for example `Parameters.InputData`."""

    @property
    def label(self) -> str:
        return self.target

    def to_json(self) -> Json:
        return {"Get": self.target}


@dataclass(frozen=True, slots=True)
class ParameterRef(Get):
    """The value of a pipeline parameter, typed."""

    name: str

    @property
    def target(self) -> str:
        return f"Parameters.{self.name}"

    def in_scope(self, scope: Scope) -> Json:
        return scope.parameter(self.name)


@dataclass(frozen=True, slots=True)
class ExecutionVariable(Get):
    """One of EXECUTION_VARIABLES; always text."""

    name: str

    @property
    def target(self) -> str:
        return f"Execution.{self.name}"

    def in_scope(self, scope: Scope) -> Json:
        return scope.execution(self.name)


@dataclass(frozen=True, slots=True)
class ExperimentVariable(Get):
    """One of EXPERIMENT_VARIABLES."""

    name: str

    @property
    def target(self) -> str:
        return f"PipelineExperimentConfig.{self.name}"

    def in_scope(self, scope: Scope) -> Json:
        return scope.experiment(self.name)


@dataclass(frozen=True, slots=True)
class StepProperty(Get):
    """A property of another step: what its Describe response has at a path.

    An author extends the path in Python as it is written in the definition:
    `property.ModelArtifacts.S3ModelArtifacts`, `property.Outputs["train"]`, `property[0]`.
    """

    step: str
    path: Path

    # Without this, [] would make it iterable for ever.
    __iter__: ClassVar[None] = None

    @property
    def target(self) -> str:
        return f"Steps.{self.step}{_suffix(self.path)}"

    def in_scope(self, scope: Scope) -> Json:
        return scope.property(self.step, self.path)

    def __getattr__(self, name: str) -> "StepProperty":
        if not name[:1].isupper():
            raise AttributeError(f"{self.target} has no property {name!r}")
        return StepProperty(self.step, (*self.path, Member(name)))

    def __getitem__(self, key: str | int) -> "StepProperty":
        part = Index(key) if isinstance(key, int) else Key(key)
        return StepProperty(self.step, (*self.path, part))


class _InForEach(Get):
    """An expression that only a ForEach step can evaluate."""

    __slots__ = ()

    def in_scope(self, scope: Scope) -> Json:  # noqa: ARG002 - the base class's signature
        raise EvaluationError(f"{self.target} has a value only inside its ForEach step")


@dataclass(frozen=True, slots=True)
class ForEachItem(_InForEach):
    """The item of the present iteration, in a ForEach body."""

    path: Path = ()

    @property
    def target(self) -> str:
        return f"ForEach.CurrentItem{_suffix(self.path)}"


@dataclass(frozen=True, slots=True)
class IterationOutput(_InForEach):
    """A property of a body step, in the selector of a ForEach step."""

    step: str
    path: Path

    @property
    def target(self) -> str:
        return f"IterationOutput.{self.step}{_suffix(self.path)}"


def _suffix(path: Path) -> str:
    dot = "." if path and isinstance(path[0], Member) else ""
    return dot + format_path(path)


@dataclass(frozen=True, slots=True)
class Join(Node):
    """Text made of the texts of `values`, with `on` between them."""

    on: str
    values: Sequence[Value]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))

    @property
    def label(self) -> str:
        return "a Std:Join"

    def to_json(self) -> Json:
        return {"Std:Join": {"On": self.on, "Values": to_json(self.values)}}

    def in_scope(self, scope: Scope) -> Json:
        return self.on.join(_text(value, scope) for value in self.values)

    @property
    def parts(self) -> Sequence[Value]:
        return self.values


@dataclass(frozen=True, slots=True)
class PropertyFileSource:
    """The JSON file that a Processing step declares as a property file."""

    step: str
    property_file: str

    @property
    def label(self) -> str:
        """How a message to a person calls it."""
        return f"the property file {self.property_file!r} of step {self.step!r}"

    def to_json(self) -> Json:
        target = f"Steps.{self.step}.PropertyFiles.{self.property_file}"
        return {"PropertyFile": {"Get": target}}

    def document(self, scope: Scope) -> Json:
        """Return the parsed file."""
        return scope.property_file(self.step, self.property_file)

    @property
    def parts(self) -> Sequence[Value]:
        """A property file's address is the declaring step's affair."""
        return ()


@dataclass(frozen=True, slots=True)
class S3Source:
    """Any JSON file in S3."""

    uri: Join

    @property
    def label(self) -> str:
        """How a message to a person calls it."""
        return "a JSON file in S3"

    def to_json(self) -> Json:
        return {"S3Uri": self.uri.to_json()}

    def document(self, scope: Scope) -> Json:
        """Return the parsed file."""
        return scope.s3_json(self.uri.in_scope(scope))

    @property
    def parts(self) -> Sequence[Value]:
        """The expressions in the file's address."""
        return (self.uri,)


@dataclass(frozen=True, slots=True)
class JsonGet(Node):
    """What a JSON file has at `path`."""

    source: PropertyFileSource | S3Source
    path: str

    @property
    def label(self) -> str:
        return f"{self.path!r} of {self.source.label}"

    def to_json(self) -> Json:
        return {"Std:JsonGet": {**self.source.to_json(), "Path": self.path}}

    def in_scope(self, scope: Scope) -> Json:
        document = self.source.document(scope)
        try:
            return resolve_path(document, parse_json_path(self.path))
        except PathLookupError as error:
            raise EvaluationError(f"{in_words(self)}: {error}") from None

    @property
    def parts(self) -> Sequence[Value]:
        return self.source.parts


Expression: TypeAlias = (
    ParameterRef
    | ExecutionVariable
    | ExperimentVariable
    | StepProperty
    | ForEachItem
    | IterationOutput
    | Join
    | JsonGet
)


PLAIN = (str, int, float, NoneType)
MAPPINGS = (dict, Mapping)
LISTS = (list, tuple)
"""What a value may be, for `isinstance`. Plain ones first, and dict before Mapping: a pipeline of
500 steps has some 40,000 values, and asking an abstract class takes ten times as long."""


def to_json(value: Value) -> Json:
    """Return the JSON of a value: every expression becomes its object again."""
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, MAPPINGS):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, LISTS):
        return [to_json(item) for item in value]
    return value.to_json() if isinstance(value, Node) else value


def expressions_in(value: Value) -> Iterator[Expression]:
    """Yield every expression in a value, those inside other expressions too."""
    if isinstance(value, PLAIN):
        return
    if isinstance(value, MAPPINGS):
        parts: Iterable[Value] = value.values()
    elif isinstance(value, LISTS):
        parts = value
    else:
        if isinstance(value, Expression):
            yield value
        parts = value.parts if isinstance(value, Node) else ()
    for part in parts:
        yield from expressions_in(part)


def steps_of(value: Value) -> frozenset[str]:
    """Return the names of all steps that a value refers to."""
    return frozenset(step for item in expressions_in(value) if (step := _step_of(item)))


def _step_of(expression: Expression) -> str | None:
    match expression:
        case StepProperty(step=step) | JsonGet(source=PropertyFileSource(step=step)):
            return step
        case _:
            return None


def evaluate(value: Value, scope: Scope) -> Json:
    """Return the plain JSON of a value in a scope. Types are kept; a Join gives text."""
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, MAPPINGS):
        return {key: evaluate(item, scope) for key, item in value.items()}
    if isinstance(value, LISTS):
        return [evaluate(item, scope) for item in value]
    return value.in_scope(scope) if isinstance(value, Node) else value


def _text(value: Value, scope: Scope) -> str:
    # The service does not document how it writes floats and booleans; the SDK's local executor
    # applies str(), and so do we.
    result = evaluate(value, scope)
    if not isinstance(result, Scalar):
        kind = "null" if result is None else type(result).__name__
        raise EvaluationError(f"{in_words(value)} is {kind}, which has no text to join")
    return str(result)


def in_words(value: Value) -> str:
    """Name a value in a message to a person."""
    return value.label if isinstance(value, NotText) else repr(value)
