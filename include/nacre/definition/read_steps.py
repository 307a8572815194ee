"""Reading parameters and steps: JSON into records."""

from collections.abc import Callable
from typing import Any

from include.nacre.definition.durations import DurationError, parse_duration
from include.nacre.definition.expressions import Value
from include.nacre.definition.faults import did_you_mean, kind, shown
from include.nacre.definition.items import Item
from include.nacre.definition.parameters import MOST_ENUM_VALUES, PARAMETER_TYPES, fits
from include.nacre.definition.read_conditions import read_conditions
from include.nacre.definition.read_values import NAME, read_value
from include.nacre.definition.records import (
    CacheConfig,
    Dependency,
    OutputParameter,
    Parameter,
    PropertyFile,
    RetryPolicy,
    Step,
)
from include.nacre.definition.step_rules import check_step
from include.nacre.definition.steptypes import (
    COMMON_KEYS,
    RETRY_EXCEPTIONS,
    SDK_CLASSES,
    STEP_TYPES,
    UNPUBLISHED_TYPES,
    Retries,
    StepType,
)

LONGEST_STEP_NAME = 64
LONGEST_PARAMETER_NAME = 256
MOST_OUTPUT_PARAMETERS = 50


def _read_name(item: Item, longest: int) -> str:
    """Return the name of a step or parameter."""
    name = item.text()
    if isinstance(item.value, str) and not (NAME.fullmatch(name) and len(name) <= longest):
        item.fault(
            f"bad name {shown(name)}",
            f"Use 1 to {longest} letters, digits, hyphens and underscores.",
        )
    return name


def read_parameter(item: Item) -> Parameter:
    """Return a pipeline parameter."""
    keys = {"Name": True, "Type": False, "DefaultValue": False, "EnumValues": False}
    fields = item.fields({**keys, "Description": False})
    # AWS's own example leaves the type out, and means a string.
    type_ = fields.read("Type", lambda item: item.choice(PARAMETER_TYPES), "String")
    parameter = Parameter(
        name=fields.read("Name", lambda item: _read_name(item, LONGEST_PARAMETER_NAME), ""),
        type=type_,
        default=fields.read("DefaultValue", lambda item: item.value, None),
        enum_values=fields.read("EnumValues", lambda item: _read_enum(item, type_), ()),
        description=fields.read("Description", Item.text, None),
        keys=tuple(fields),
    )
    if "DefaultValue" in fields:
        _check_default(fields["DefaultValue"], parameter)
    return parameter


def _read_enum(item: Item, type_: str) -> tuple[str, ...]:
    if type_ != "String":
        item.fault(f"only String parameters have EnumValues, not {shown(type_)}")
    values = [element.text() for element in item.elements(at_most=MOST_ENUM_VALUES)]
    if item.value == []:
        item.fault("must not be empty")
    return tuple(values)


def _check_default(item: Item, parameter: Parameter) -> None:
    if parameter.type not in PARAMETER_TYPES:
        return
    if not fits(parameter.type, item.value):
        item.fault(f"the default must have the type {parameter.type}, not be {kind(item.value)}")
    elif parameter.enum_values and item.value not in parameter.enum_values:
        item.fault(
            f"the default {shown(item.value)} is not among the EnumValues",
            did_you_mean(item.value, parameter.enum_values),
        )


def read_steps(item: Item) -> tuple[Step, ...]:
    """Return a list of steps."""
    return tuple(map(read_step, item.elements()))


def read_step(item: Item) -> Step:
    """Return a step, with its branches or its body."""
    item = item.as_step()
    fields = item.members()
    type_ = fields.read("Type", _read_type, None)
    if isinstance(item.value, dict):
        _check_keys(item, type_)
    extra = {key: read_value(member) for key, member in fields.items() if _is_extra(key, member)}
    step = Step(
        name=fields.read("Name", lambda item: _read_name(item, LONGEST_STEP_NAME), ""),
        type=type_.name if type_ else "",
        keys=tuple(fields),
        place=item.place,
        extra=extra,
        **{
            field: read(fields[key])
            for key, (field, read) in _COMMON.items()
            if key in fields and key not in extra
        },
        **fields.read("Arguments", lambda item: _read_arguments(item, type_), {}),
    )
    if type_ is not None:
        check_step(step, item)
    return step


def _read_type(item: Item) -> StepType | None:
    text = item.text()
    if text in STEP_TYPES or not isinstance(item.value, str):
        return STEP_TYPES.get(text)
    if text in UNPUBLISHED_TYPES:
        hint = "Its form is not published. Run the pipeline natively, on SageMaker itself."
    elif text.removesuffix("Step") in SDK_CLASSES:
        hint = f"In a definition it is written as {SDK_CLASSES[text.removesuffix('Step')]}."
    else:
        hint = did_you_mean(text, STEP_TYPES)
    item.fault(f"unknown step type {shown(text)}", hint)
    return None


def _check_keys(item: Item, type_: StepType | None) -> None:
    required = {"Name": True, "Type": True}
    known = {**dict.fromkeys(COMMON_KEYS, False), **required}
    if type_ is None:
        known |= dict.fromkeys(item.value, False)
    else:
        known |= {**type_.keys, "Arguments": type_.arguments_required}
        known |= {"CacheConfig": False, "RetryPolicies": False}
        _check_abilities(item, type_)
    item.fields({**known, **required})
    for key, needed in type_.keys.items() if type_ else ():
        if needed and key in item.value and item.value[key] is None:
            item.at(key).fault("is required, and must not be null")


def _check_abilities(item: Item, type_: StepType) -> None:
    if "CacheConfig" in item.value and not type_.cacheable:
        item.at("CacheConfig").fault(f"the result of a {type_.name} step cannot be cached")
    if "RetryPolicies" in item.value and type_.retries is Retries.NONE:
        item.at("RetryPolicies").fault(f"a {type_.name} step cannot be retried")


def _is_extra(key: str, item: Item) -> bool:
    # A key that only some types have may be null, which means absent.
    if key in ("OutputParameters", "PropertyFiles"):
        return item.value is None
    return key not in COMMON_KEYS and key not in _COMMON


def _read_arguments(item: Item, type_: StepType | None) -> dict[str, Any]:
    """Return the fields of a Step that its `Arguments` fill."""
    members = item.members()
    if type_ is not None and type_.argument_keys is not None and isinstance(item.value, dict):
        members = item.fields(type_.argument_keys)
    typed = {key: _TYPED_ARGUMENTS[key] for key in members if _is_typed(key, type_)}
    plain: dict[str, Value] = {
        key: read_value(member) for key, member in members.items() if key not in typed
    }
    return {
        "arguments": plain,
        "argument_keys": tuple(members),
        **{field: read(members[key]) for key, (field, read) in typed.items()},
    }


def _is_typed(key: str, type_: StepType | None) -> bool:
    # A Lambda's event may well have a key `Conditions` of its own; a type that is misspelt has
    # had its fault, and its branches must not look like unknown steps as well.
    return key in _TYPED_ARGUMENTS and (type_ is None or key in (type_.argument_keys or ()))


TRIGGERS = ("Failed", "Stopped", "Any")


def _read_dependencies(item: Item) -> tuple[Dependency, ...]:
    triggers: dict[str, str] = {}
    found = []
    for element in item.elements():
        dependency = _read_dependency(element)
        step, trigger = dependency.step, dependency.trigger
        if trigger and triggers.setdefault(step, trigger) != trigger:
            element.fault(f"waits for another end of {shown(step)} than before")
        found.append(dependency)
    return tuple(found)


def _read_dependency(item: Item) -> Dependency:
    if isinstance(item.value, str):
        return Dependency(item.value)
    if not isinstance(item.value, dict):
        item.fault(f"must be the name of a step, not {kind(item.value)}")
        return Dependency("")
    fields = item.fields({"Step": True, "Trigger": True})
    trigger = fields.read("Trigger", lambda item: item.choice(TRIGGERS), "")
    return Dependency(fields.read("Step", Item.text, ""), trigger)


def _read_cache(item: Item) -> CacheConfig | None:
    fields = item.fields({"Enabled": True, "ExpireAfter": False})
    enabled = fields.read("Enabled", Item.flag, default=False)
    expire_after = fields.read("ExpireAfter", _read_duration, None)
    return CacheConfig(enabled, expire_after, tuple(fields))


def _read_duration(item: Item) -> str:
    text = item.text()
    if isinstance(item.value, str):
        try:
            parse_duration(text)
        except DurationError:
            item.fault(f"{shown(text)} is no duration", "Write P30D for 30 days, PT4H for 4 hours.")
    return text


_LIMITS = {
    "IntervalSeconds": ("interval_seconds", 0, 43_200),
    "MaxAttempts": ("max_attempts", 0, 20),
    "ExpireAfterMin": ("expire_after_min", 0, 14_400),
}


def _read_retry_policies(item: Item) -> tuple[RetryPolicy, ...]:
    return tuple(map(_read_retry_policy, item.elements()))


def _read_retry_policy(item: Item) -> RetryPolicy:
    keys = {"ExceptionType": True, "BackoffRate": False, **dict.fromkeys(_LIMITS, False)}
    fields = item.fields(keys)
    if "MaxAttempts" in fields and "ExpireAfterMin" in fields:
        item.fault("has both MaxAttempts and ExpireAfterMin", "The service takes only one of them.")
    return RetryPolicy(
        fields.read("ExceptionType", _read_exceptions, ()),
        backoff_rate=fields.read("BackoffRate", _read_rate, None),
        keys=tuple(fields),
        **{
            name: fields[key].whole_number(least, most)
            for key, (name, least, most) in _LIMITS.items()
            if key in fields
        },
    )


def _read_exceptions(item: Item) -> tuple[str, ...]:
    if item.value == []:
        item.fault("must not be empty", f"Known: {', '.join(RETRY_EXCEPTIONS)}.")
    return tuple(element.choice(RETRY_EXCEPTIONS) for element in item.elements())


def _read_rate(item: Item) -> float | None:
    if not fits("Float", item.value):
        item.fault(f"must be a number, not {kind(item.value)}")
        return None
    if item.value < 0:
        item.fault(f"{shown(item.value)} is negative")
    rate: float = item.value
    return rate


def _read_property_files(item: Item) -> tuple[PropertyFile, ...]:
    return tuple(map(_read_property_file, item.elements()))


def _read_property_file(item: Item) -> PropertyFile:
    fields = item.fields({"PropertyFileName": True, "OutputName": True, "FilePath": True})
    return PropertyFile(
        fields.read("PropertyFileName", _read_full_text, ""),
        fields.read("OutputName", _read_full_text, ""),
        fields.read("FilePath", _read_full_text, ""),
    )


def _read_full_text(item: Item) -> str:
    return item.text(empty=False)


def _read_outputs(item: Item) -> tuple[OutputParameter, ...]:
    return tuple(map(_read_output, item.elements(at_most=MOST_OUTPUT_PARAMETERS)))


def _read_output(item: Item) -> OutputParameter:
    fields = item.fields({"OutputName": True, "OutputType": True})
    return OutputParameter(
        fields.read("OutputName", _read_full_text, ""),
        fields.read("OutputType", lambda item: item.choice(PARAMETER_TYPES), ""),
    )


_COMMON: dict[str, tuple[str, Callable[[Item], Any]]] = {
    "DependsOn": ("depends_on", _read_dependencies),
    "DisplayName": ("display_name", lambda item: item.text(at_most=256)),
    "Description": ("description", lambda item: item.text(at_most=3072)),
    "CacheConfig": ("cache", _read_cache),
    "RetryPolicies": ("retry_policies", _read_retry_policies),
    "PropertyFiles": ("property_files", _read_property_files),
    "OutputParameters": ("output_parameters", _read_outputs),
}
_TYPED_ARGUMENTS: dict[str, tuple[str, Callable[[Item], Any]]] = {
    "Conditions": ("conditions", read_conditions),
    "IfSteps": ("if_steps", read_steps),
    "ElseSteps": ("else_steps", read_steps),
    "ForEachBody": ("body_steps", read_steps),
}
