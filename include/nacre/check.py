"""`python -m include.nacre check`: every fault of a definition, its requests included.

Beside the language's own rules, each step's `Arguments` are held against the request that they
are, in botocore's service model: members, kinds, and what botocore itself leaves to the service
(enums, patterns, upper limits). References stand for values of their kind. Loading that model
takes half a second, so this is never done while a DAG file is parsed.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from include.nacre.definition.conditions import kind_of
from include.nacre.definition.declared import Declared
from include.nacre.definition.expressions import Json, Node, ParameterRef, Value, in_words
from include.nacre.definition.faults import Fault, below, did_you_mean, in_order, kind, shown
from include.nacre.definition.parameters import fits
from include.nacre.definition.properties import SCALAR_KINDS
from include.nacre.definition.reader import Survey, survey_pipeline
from include.nacre.definition.records import Parameter, Step, flatten
from include.nacre.definition.steptypes import STEP_TYPES, Operation


class Checked(NamedTuple):
    """What was read of a definition, and every fault found."""

    survey: Survey
    faults: tuple[Fault, ...]


def check_definition(text: str, name: str) -> Checked:
    """Find every fault of a definition."""
    survey = survey_pipeline(text, name)
    names = {step.place: step.name for step in flatten(survey.steps)}
    # What the language refuses already is not refused twice.
    known = {fault.place for fault in survey.faults}
    found = [fault.in_step(names) for fault in request_faults(survey) if fault.place not in known]
    return Checked(survey, in_order([*survey.faults, *found]))


class _Request(NamedTuple):
    """A part of a step's arguments that is an AWS request, less what the service fills in."""

    value: Value
    place: str
    shape: Shape
    supplied: tuple[str, ...]
    excluded: tuple[str, ...]


def request_faults(survey: Survey) -> Iterator[Fault]:
    """Yield what AWS would refuse of the requests in a pipeline's steps."""
    declared = Declared.by(survey.parameters, survey.steps)
    for step in flatten(survey.steps):
        for request in _requests(step):
            yield from _RequestCheck(declared).check(request)


def _requests(step: Step) -> Iterator[_Request]:
    operation = STEP_TYPES[step.type].operation if step.type else None
    shape = _input(operation) if operation else None
    if operation is not None and shape is not None:
        supplied = (operation.name_key,) if operation.name_key else ()
        place = f"{step.place}.Arguments"
        yield _Request(step.arguments, place, shape, supplied, operation.excluded)
    for part in _PARTS.get(step.type, ()):
        yield from _part_requests(step, part)


class _Part(NamedTuple):
    """An argument that is a request, or part of one, by itself; or a list of such."""

    key: str
    service: str
    shape: str
    supplied: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


_PARTS: Mapping[str, tuple[_Part, ...]] = {
    "EMR": (
        _Part("StepConfig", "emr", "StepConfig", ("Name", "ActionOnFailure")),
        _Part(
            "ClusterConfig",
            "emr",
            "RunJobFlowInput",
            ("Name",),
            ("Name", "Steps", "AutoTerminationPolicy"),
        ),
    ),
    "EMRServerless": (
        _Part(
            "JobConfig",
            "emr-serverless",
            "StartJobRunRequest",
            ("applicationId", "executionRoleArn"),
        ),
        _Part("ApplicationConfig", "emr-serverless", "CreateApplicationRequest"),
    ),
    "Lineage": (
        _Part("Actions", "sagemaker", "CreateActionRequest"),
        _Part("Artifacts", "sagemaker", "CreateArtifactRequest"),
        _Part("Contexts", "sagemaker", "CreateContextRequest"),
    ),
}
# AWS's documentation of EMR steps shows these in small letters, which boto3 refuses.
_ALIASES = {("KeyValue", "key"): "Key", ("KeyValue", "value"): "Value"}


def _part_requests(step: Step, part: _Part) -> Iterator[_Request]:
    value = step.arguments.get(part.key)
    place = f"{step.place}.Arguments.{part.key}"
    shape = _model(part.service).shape_for(part.shape)
    for item, where in _one_or_several(value, place):
        yield _Request(item, where, shape, part.supplied, part.excluded)


def _one_or_several(value: Value, place: str) -> list[tuple[Value, str]]:
    if isinstance(value, list):
        return [(item, below(place, index)) for index, item in enumerate(value)]
    return [] if value is None else [(value, place)]


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def _input(operation: Operation) -> StructureShape | None:
    return _model(operation.service).operation_model(operation.name).input_shape


class _RequestCheck(NamedTuple):
    """Walks over a request and its shape together."""

    declared: Declared

    def check(self, request: _Request) -> Iterator[Fault]:
        for key in request.excluded:
            if isinstance(request.value, Mapping) and key in request.value:
                yield Fault(below(request.place, key), "cannot be set in a pipeline")
        yield from self._value(request.value, request.shape, request.place, request.supplied)

    def _value(
        self, value: Value, shape: Shape, place: str, supplied: tuple[str, ...] = ()
    ) -> Iterator[Fault]:
        if isinstance(value, Node):
            yield from self._reference(value, shape, place)
        elif not _has_kind(value, shape):
            yield Fault(place, f"must be {_WANTED[shape.type_name]}, not {kind(value)}")
        else:
            yield from _limits(value, shape, place)
            yield from self._inside(value, shape, place, supplied)

    def _inside(
        self, value: Value, shape: Shape, place: str, supplied: tuple[str, ...]
    ) -> Iterator[Fault]:
        match shape:
            case StructureShape():
                yield from self._structure(value, shape, place, supplied)
            case ListShape():
                for index, item in enumerate(value):
                    yield from self._value(item, shape.member, below(place, index))
            case MapShape():
                for key, item in value.items():
                    yield from _limits(key, shape.key, below(place, key))
                    yield from self._value(item, shape.value, below(place, key))

    def _structure(
        self,
        value: Mapping[str, Value],
        shape: StructureShape,
        place: str,
        supplied: tuple[str, ...],
    ) -> Iterator[Fault]:
        given = {_ALIASES.get((shape.name, key), key): item for key, item in value.items()}
        for key in shape.required_members:
            token = shape.members[key].metadata.get("idempotencyToken")  # botocore makes it
            if key not in given and key not in supplied and not token:
                yield Fault(place, f"the required member {shown(key)} is missing")
        for key, item in given.items():
            if key in shape.members:
                yield from self._value(item, shape.members[key], below(place, key))
            else:
                hint = did_you_mean(key, shape.members)
                yield Fault(below(place, key), f"unknown member {shown(key)}", hint)

    def _reference(self, node: Node, shape: Shape, place: str) -> Iterator[Fault]:
        known = self.declared.shape(node)
        found = SCALAR_KINDS.get(known)
        if found is not None and (
            found not in _KINDS[shape.type_name]
            or (known in ("float", "double") and shape.type_name in _WHOLE)
        ):
            hint = _AS_TEXT if _KINDS[shape.type_name] == ("text",) else ""
            what = f"must be {_WANTED[shape.type_name]}, but {in_words(node)} has the type {known}"
            yield Fault(place, what, hint)
        elif isinstance(node, ParameterRef) and node.name in self.declared.parameters:
            yield from _known_values(self.declared.parameters[node.name], shape, place)


def _known_values(parameter: Parameter, shape: Shape, place: str) -> Iterator[Fault]:
    """Yield what is wrong with the values that a parameter is known to take."""
    values = [parameter.default, *parameter.enum_values]
    for value in dict.fromkeys(value for value in values if fits(parameter.type, value)):
        for fault in _limits(value, shape, place):
            what = f"with the value {shown(value)} of {in_words(parameter)}: {fault.what}"
            yield Fault(place, what, fault.hint)


_AS_TEXT = 'Make text of it: {"Std:Join": {"On": "", "Values": [it]}}.'
_WHOLE = ("integer", "long")
# Which kinds of JSON a shape takes, and how a message calls them.
_KINDS: Mapping[str, tuple[str, ...]] = {
    "structure": ("object",),
    "map": ("object",),
    "list": ("list",),
    "string": ("text",),
    "blob": ("text",),
    "timestamp": ("text", "number"),
    "integer": ("number",),
    "long": ("number",),
    "float": ("number",),
    "double": ("number",),
    "boolean": ("boolean",),
}
_WANTED = {
    "structure": "an object",
    "map": "an object",
    "list": "a list",
    "string": "text",
    "blob": "text",
    "timestamp": "a time",
    "integer": "a whole number",
    "long": "a whole number",
    "float": "a number",
    "double": "a number",
    "boolean": "true or false",
}


def _has_kind(value: Json, shape: Shape) -> bool:
    if shape.type_name in _WHOLE and isinstance(value, float):
        return False
    return kind_of(value) in _KINDS[shape.type_name]


def _limits(value: Json, shape: Shape, place: str) -> Iterator[Fault]:
    """Yield what is wrong with a value of the right kind."""
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield Fault(place, f"unknown value {shown(value)}", did_you_mean(value, enum))
        return
    size, unit = _size(value)
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if most is not None and size > most:
        yield Fault(place, f"{size}{unit}, but at most {most:,} allowed")
    elif isinstance(value, str) and not _matches(value, shape.metadata.get("pattern")):
        what = f"{shown(value)} is no {shape.name}"
        yield Fault(place, what, f"It must match {shape.metadata['pattern']}.")
    elif least is not None and size < least:
        yield Fault(place, f"{size}{unit}, but at least {least:,} needed")


def _size(value: Json) -> tuple[float, str]:
    if isinstance(value, str):
        return len(value), " characters"
    return (value, "") if isinstance(value, (int, float)) else (len(value), " entries")


def _matches(value: str, pattern: str | None) -> bool:
    expression = _compiled(pattern) if pattern else None
    return expression is None or expression.fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:  # a pattern in Java's dialect, such as \p{L}: the service's affair
        return None
