"""What a pipeline demands as a whole: names, references, the graph, comparable operands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from include.nacre.definition.conditions import (
    COMPARISONS,
    EQUALITIES,
    ORDERED_KINDS,
    Comparison,
    Membership,
    mixed_types,
)
from include.nacre.definition.declared import Declared
from include.nacre.definition.expressions import (
    ExperimentVariable,
    ForEachItem,
    IterationOutput,
    JsonGet,
    Node,
    ParameterRef,
    PropertyFileSource,
    StepProperty,
    Value,
    in_words,
)
from include.nacre.definition.faults import did_you_mean, kind, shown
from include.nacre.definition.graph import cycles, edges
from include.nacre.definition.items import Reading, Use
from include.nacre.definition.parameters import MOST_VALUES
from include.nacre.definition.paths import Path
from include.nacre.definition.properties import NoSuchProperty, property_shape
from include.nacre.definition.records import Parameter, Step, flatten


@dataclass(frozen=True)
class _Whole:
    """A pipeline as read; `holders` are the ForEach steps by the places of their body's steps."""

    parameters: tuple[Parameter, ...]
    top_steps: tuple[Step, ...]
    steps: tuple[Step, ...]
    declared: Declared
    holders: Mapping[str, Step]
    reading: Reading


def check_pipeline(
    parameters: tuple[Parameter, ...], steps: tuple[Step, ...], reading: Reading
) -> None:
    """Report what is wrong with a pipeline beyond its single parts."""
    every = tuple(flatten(steps))
    holders = {body.place: step for step in every for body in step.body_steps}
    declared = Declared.by(parameters, steps)
    whole = _Whole(parameters, steps, every, declared, holders, reading)
    for rule in (_check_names, _check_dependencies, _check_uses, _check_cycles, _check_tests):
        rule(whole)


def _check_names(whole: _Whole) -> None:
    parameters = ((item.name, f"Parameters[{i}].Name") for i, item in enumerate(whole.parameters))
    _check_unique("parameter", parameters, whole.reading)
    steps = [(step.name, f"{step.place}.Name") for step in whole.steps]
    _check_unique("step", steps, whole.reading)
    _check_iteration_names(whole, steps)
    without_default = [item for item in whole.parameters if item.default is None]
    if len(without_default) > MOST_VALUES:
        whole.reading.report(
            "Parameters",
            f"{len(without_default)} parameters have no default, but a run can be given at most "
            f"{MOST_VALUES} values",
        )


def _check_unique(kind: str, names: Iterable[tuple[str, str]], reading: Reading) -> None:
    first: dict[str, str] = {}
    for name, place in names:
        if name and first.setdefault(name, place) != place:
            reading.report(place, f"a {kind} {shown(name)} exists already, at {first[name]}")


def _check_iteration_names(whole: _Whole, steps: list[tuple[str, str]]) -> None:
    bodies = {body.name for step in whole.steps for body in step.body_steps}
    for name, place in steps:
        body, _, number = name.rpartition("-")
        if body in bodies and number.isdecimal():
            what = f"the name is taken by an iteration of step {shown(body)}"
            whole.reading.report(place, what)


def _check_dependencies(whole: _Whole) -> None:
    for step in whole.steps:
        for index, dependency in enumerate(step.depends_on):
            place = f"{step.place}.DependsOn[{index}]"
            if dependency.step:
                _check_target(whole, place, dependency.step, step)
        if step.type == "Cleanup":
            _check_cleaned(whole, step)


def _check_cleaned(whole: _Whole, step: Step) -> None:
    resources = step.arguments.get("Resources")
    cleaned = resources.get("S3") if isinstance(resources, dict) else None
    for index, resource in enumerate(cleaned if isinstance(cleaned, list) else ()):
        name = resource.get("StepName") if isinstance(resource, dict) else None
        if isinstance(name, str) and name:
            place = f"{step.place}.Arguments.Resources.S3[{index}].StepName"
            _check_target(whole, place, name, step)


def _check_target(whole: _Whole, place: str, name: str, source: Step | None) -> Step | None:
    """Return the step that `source` refers to, if it may."""
    target = whole.declared.steps.get(name)
    if target is None:
        known = whole.declared.steps
        whole.reading.report(place, f"there is no step {shown(name)}", did_you_mean(name, known))
        return None
    holder = whole.holders.get(target.place)
    if holder is not None and (source is None or whole.holders.get(source.place) is not holder):
        whole.reading.report(
            place,
            f"the step {shown(name)} is in the body of {shown(holder.name)}",
            f"Its outputs are Steps.{holder.name}.IterationOutputs[0].{name} and so on.",
        )
        return None
    if target.type == "Fail":
        whole.reading.report(place, f"no step can depend on the Fail step {shown(name)}")
        return None
    return target


def _check_uses(whole: _Whole) -> None:
    by_place = {step.place: step for step in whole.steps}
    for use in whole.reading.uses:
        source = by_place.get(use.step)
        match use.expression:
            case ParameterRef(name):
                _check_parameter(whole, use, name)
            case StepProperty() | JsonGet() if source is None:
                whole.reading.report(use.place, "no step has run when this value is needed")
            case ExperimentVariable() if use.place.startswith("PipelineExperimentConfig."):
                whole.reading.report(use.place, "an experiment cannot be named after itself")
            case StepProperty(name, path):
                _check_property(whole, use, source, name, path)
            case JsonGet(source=PropertyFileSource(name, file)):
                _check_property_file(whole, use, source, name, file)
            case ForEachItem() | IterationOutput():
                _check_in_for_each(whole, use, source)
            case _:
                pass


def _check_parameter(whole: _Whole, use: Use, name: str) -> None:
    known = whole.declared.parameters
    if name not in known:
        whole.reading.report(
            use.place, f"there is no parameter {shown(name)}", did_you_mean(name, known)
        )


def _check_property(whole: _Whole, use: Use, source: Step | None, name: str, path: Path) -> None:
    target = _check_target(whole, use.place, name, source)
    if target is not None and target.type:
        _check_path(whole, use, target, path)


def _check_path(whole: _Whole, use: Use, target: Step, path: Path) -> None:
    try:
        property_shape(target, path)
    except NoSuchProperty as error:
        whole.reading.report(use.place, f"{in_words(use.expression)}: {error.what}", error.hint)


def _check_property_file(
    whole: _Whole, use: Use, source: Step | None, name: str, file: str
) -> None:
    target = _check_target(whole, use.place, name, source)
    if target is None or not target.type:
        return
    known = [item.name for item in target.property_files]
    if target.type != "Processing":
        whole.reading.report(
            use.place,
            f"the {target.type} step {shown(name)} has no property files; only Processing steps do",
        )
    elif file not in known:
        what = f"the step {shown(name)} declares no property file {shown(file)}"
        whole.reading.report(use.place, what, did_you_mean(file, known))


def _check_in_for_each(whole: _Whole, use: Use, source: Step | None) -> None:
    if isinstance(use.expression, IterationOutput):
        _check_iteration_output(whole, use, use.expression, source)
    elif source is None or source.place not in whole.holders:
        whole.reading.report(use.place, "ForEach.CurrentItem exists only in a ForEachBody")


def _check_iteration_output(
    whole: _Whole, use: Use, expression: IterationOutput, source: Step | None
) -> None:
    if source is None or not use.place.startswith(f"{source.place}.Arguments.Selector"):
        whole.reading.report(use.place, "IterationOutput exists only in a ForEach step's Selector")
        return
    bodies = {body.name: body for body in source.body_steps}
    if expression.step in bodies:
        _check_path(whole, use, bodies[expression.step], expression.path)
    else:
        what = f"the body has no step {shown(expression.step)}"
        whole.reading.report(use.place, what, did_you_mean(expression.step, bodies))


def _check_cycles(whole: _Whole) -> None:
    if len(whole.declared.steps) < len(whole.steps):
        return  # of two steps with one name nobody can say which is waited for
    order = {step.name: number for number, step in enumerate(whole.steps)}
    for cycle in cycles(edges(whole.top_steps)):
        first = cycle.index(min(cycle, key=lambda name: order.get(name, len(order))))
        names = [*cycle[first:], *cycle[:first]]
        if names[0] in whole.declared.steps:
            way = " waits for ".join([*names, names[0]])
            place = whole.declared.steps[names[0]].place
            whole.reading.report(place, f"steps wait for each other in a cycle: {way}")


def _check_tests(whole: _Whole) -> None:
    for place, test in whole.reading.tests:
        match test:
            case Comparison(type_, left, right):
                _check_comparable(whole, f"{place}.RightValue", type_, left, right)
            case Membership(type_, query, values, keys):
                for index, value in enumerate(values):
                    _check_comparable(whole, f"{place}.{keys[1]}[{index}]", type_, query, value)


def _check_comparable(whole: _Whole, place: str, type_: str, left: Value, right: Value) -> None:
    kinds = whole.declared.kind(left), whole.declared.kind(right)
    if None in kinds or "null" in kinds:
        return
    if kinds[0] != kinds[1]:
        found = (
            f"{in_words(value)} (a {name})" if isinstance(value, Node) else kind(value)
            for value, name in zip((left, right), kinds, strict=True)
        )
        whole.reading.report(place, mixed_types(type_, *found))
    elif type_ in COMPARISONS and type_ not in EQUALITIES and kinds[0] not in ORDERED_KINDS:
        whole.reading.report(place, f"{type_} needs numbers or text, not a {kinds[0]}")
