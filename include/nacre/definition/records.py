"""The records that a definition is read into, and the JSON that they write.

Records are frozen. Each writes exactly the JSON that it was read from: `keys` holds the keys of
that object in their order, so that what was absent stays absent and what was empty stays empty.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NoReturn, Self

from include.nacre.definition.conditions import Condition
from include.nacre.definition.expressions import (
    Expression,
    Json,
    NotText,
    ParameterRef,
    Scalar,
    Value,
    to_json,
)

VERSION = "2020-12-01"


def _keys() -> tuple[str, ...]:
    return field(default=(), compare=False, repr=False)


# What the absence of a key means, where it means anything.
_IMPLIED: Mapping[str, Json] = {"Type": "String", "Arguments": {}}


def _written(keys: tuple[str, ...], content: Mapping[str, Json]) -> dict[str, Json]:
    """Return `content` in the order of `keys`, then what is set and not among them."""
    kept = {key: content[key] for key in keys}
    return kept | {
        key: item
        for key, item in content.items()
        if key in kept or not (item is None or item == [] or (keys and item == _IMPLIED.get(key)))
    }


@dataclass(frozen=True)
class Parameter(NotText):
    """A pipeline parameter. `default` is None when a value must be given at the start."""

    name: str
    type: str = "String"
    default: Scalar | None = None
    enum_values: tuple[str, ...] = ()
    description: str | None = None
    keys: tuple[str, ...] = _keys()

    @property
    def label(self) -> str:
        return f"the parameter {self.name!r}"

    @property
    def reference(self) -> ParameterRef:
        """The expression for this parameter's value."""
        return ParameterRef(self.name)

    def to_json(self) -> Json:
        content = {
            "Name": self.name,
            "Type": self.type,
            "DefaultValue": self.default,
            "EnumValues": list(self.enum_values),
            "Description": self.description,
        }
        return _written(self.keys, content)


COMPLETED = "Completed"


@dataclass(frozen=True)
class Dependency:
    """An entry of `DependsOn`: the step, and the end of it that starts the dependent step."""

    step: str
    trigger: str = COMPLETED

    def to_json(self) -> Json:
        if self.trigger == COMPLETED:
            return self.step
        return {"Step": self.step, "Trigger": self.trigger}


@dataclass(frozen=True)
class CacheConfig:
    """Reuse of an earlier run's result; `expire_after` is an ISO 8601 duration, loosely written."""

    enabled: bool
    expire_after: str | None = None
    keys: tuple[str, ...] = _keys()

    def to_json(self) -> Json:
        content = {"Enabled": self.enabled, "ExpireAfter": self.expire_after}
        return _written(self.keys, content)


@dataclass(frozen=True)
class RetryPolicy:
    """When a failed step starts anew.

    At most one of `max_attempts` and `expire_after_min` (minutes from the start of the step) is
    set; neither means 5 attempts. None means the service's default: 1 second, rate 2.0.
    """

    exception_types: tuple[str, ...]
    interval_seconds: int | None = None
    backoff_rate: float | None = None
    max_attempts: int | None = None
    expire_after_min: int | None = None
    keys: tuple[str, ...] = _keys()

    def to_json(self) -> Json:
        content = {
            "ExceptionType": list(self.exception_types),
            "IntervalSeconds": self.interval_seconds,
            "BackoffRate": self.backoff_rate,
            "MaxAttempts": self.max_attempts,
            "ExpireAfterMin": self.expire_after_min,
        }
        return _written(self.keys, content)


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file in an output of a Processing step whose content later steps can refer to."""

    name: str
    output_name: str
    path: str

    def to_json(self) -> Json:
        return {
            "PropertyFileName": self.name,
            "OutputName": self.output_name,
            "FilePath": self.path,
        }


@dataclass(frozen=True)
class OutputParameter:
    """A value that a Lambda or Callback step gives back; `type` is a parameter type."""

    name: str
    type: str

    def to_json(self) -> Json:
        return {"OutputName": self.name, "OutputType": self.type}


@dataclass(frozen=True)
class Step:
    """One step.

    `arguments` holds the request (boto3's own body, with expressions in it) without what has a
    field of its own: `Conditions`, `IfSteps`, `ElseSteps` and `ForEachBody`.
    `extra` holds the keys that only this step type has, beside `Arguments`; None means absent.
    `place` says where the step stands in its file.
    """

    name: str
    type: str
    arguments: Mapping[str, Value] = field(default_factory=dict)
    depends_on: tuple[Dependency, ...] = ()
    display_name: str | None = None
    description: str | None = None
    cache: CacheConfig | None = None
    retry_policies: tuple[RetryPolicy, ...] = ()
    property_files: tuple[PropertyFile, ...] = ()
    output_parameters: tuple[OutputParameter, ...] = ()
    extra: Mapping[str, Value] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    if_steps: tuple["Step", ...] = ()
    else_steps: tuple["Step", ...] = ()
    body_steps: tuple["Step", ...] = ()
    keys: tuple[str, ...] = _keys()
    argument_keys: tuple[str, ...] = _keys()
    place: str = field(default="", compare=False, repr=False)

    @property
    def inner_steps(self) -> tuple["Step", ...]:
        """The steps in this step's branches or body."""
        return self.if_steps + self.else_steps + self.body_steps

    def to_json(self) -> Json:
        content = {
            "Name": self.name,
            "Type": self.type,
            "Arguments": self._arguments_json(),
            "DependsOn": _json_list(self.depends_on),
            "DisplayName": self.display_name,
            "Description": self.description,
            "RetryPolicies": _json_list(self.retry_policies),
            "CacheConfig": self.cache and self.cache.to_json(),
            "PropertyFiles": _json_list(self.property_files),
            "OutputParameters": _json_list(self.output_parameters),
            **to_json(self.extra),
        }
        return _written(self.keys, content)

    def _arguments_json(self) -> Json:
        content = {
            **to_json(self.arguments),
            "Conditions": _json_list(self.conditions),
            "IfSteps": _json_list(self.if_steps),
            "ElseSteps": _json_list(self.else_steps),
            "ForEachBody": _json_list(self.body_steps),
        }
        return _written(self.argument_keys, content)


def _json_list(records: tuple[Any, ...]) -> list[Json]:
    return [record.to_json() for record in records]


def flatten(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Yield steps in the order of the file, each followed by those in its branches or body."""
    for step in steps:
        yield step
        yield from flatten(step.inner_steps)


@dataclass(frozen=True)
class Asset:
    """A file that must lie in S3 before a job starts, such as the job's script.

    Its address holds its digest, so that equal content is uploaded once and never overwritten.
    """

    name: str
    content: bytes = field(repr=False)

    def uri(self, prefix: str) -> str:
        """Return the S3 address below `prefix` (`s3://bucket/some/folder`)."""
        digest = hashlib.sha256(self.content).hexdigest()
        return f"{prefix.rstrip('/')}/code/{digest}/{self.name}"


@dataclass(frozen=True)
class ExperimentConfig:
    """The experiment and trial that an execution's jobs are recorded under."""

    experiment_name: str | Expression | None = None
    trial_name: str | Expression | None = None
    keys: tuple[str, ...] = _keys()

    def to_json(self) -> Json:
        content = {"ExperimentName": self.experiment_name, "TrialName": self.trial_name}
        return _written(self.keys, to_json(content))


@dataclass(frozen=True, eq=False, repr=False)
class Pipeline(dict[str, Json]):
    """A pipeline: a read-only dict that is its definition, and the records of its parts.

    `json.dumps(pipeline)` is what the service and the SDK take. `name` and `assets` are not part
    of the definition; `assets` are the files that must lie in S3 before the steps start, by
    their address. Equal to any dict with the same definition.
    """

    name: str
    parameters: tuple[Parameter, ...] = ()
    steps: tuple[Step, ...] = ()
    experiment: ExperimentConfig | None = None
    metadata: Mapping[str, str] | None = field(default_factory=dict)
    mlflow: Mapping[str, Value] | None = None
    assets: Mapping[str, Asset] = field(default_factory=dict)
    key_order: tuple[str, ...] = ("Version", "Metadata", "Parameters", "Steps")

    def __post_init__(self) -> None:
        content = {
            "Version": VERSION,
            "Metadata": to_json(self.metadata),
            "Parameters": _json_list(self.parameters),
            "PipelineExperimentConfig": self.experiment and self.experiment.to_json(),
            "MlflowConfig": to_json(self.mlflow),
            "Steps": _json_list(self.steps),
        }
        super().update(_written(self.key_order, content))

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """Every step, those in branches and bodies included, in the order of the file."""
        return tuple(flatten(self.steps))

    def __repr__(self) -> str:
        return f"<Pipeline {self.name}: {len(self.all_steps)} steps>"

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), tuple(getattr(self, item.name) for item in fields(self))

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a Pipeline is read-only; build another one, or change dict(pipeline)")

    __setitem__ = __delitem__ = __ior__ = _refuse
    update = pop = popitem = clear = setdefault = _refuse
