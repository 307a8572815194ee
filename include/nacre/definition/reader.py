"""Reading a definition: JSON text to a Pipeline, or one error with all faults of the file."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from types import NoneType
from typing import NamedTuple

from include.nacre.definition.expressions import Json, Value
from include.nacre.definition.faults import WHOLE, DefinitionError, Fault, below, in_order, shown
from include.nacre.definition.items import Item, Reading
from include.nacre.definition.pipeline_rules import check_pipeline
from include.nacre.definition.read_steps import read_parameter, read_steps
from include.nacre.definition.read_values import read_text
from include.nacre.definition.records import (
    VERSION,
    Asset,
    ExperimentConfig,
    Parameter,
    Pipeline,
    Step,
    flatten,
)

LONGEST_DEFINITION = 1_048_576
# Far beyond any real definition; keeps what walks over the JSON within Python's own stack.
DEEPEST = 100

_TOP_LEVEL = {
    "Version": True,
    "Metadata": False,
    "Parameters": False,
    "PipelineExperimentConfig": False,
    "MlflowConfig": False,
    "Steps": True,
}


class Survey(NamedTuple):
    """What can be read of a definition, faults and all; `pipeline` only if there are none."""

    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]
    pipeline: Pipeline | None


def read_pipeline(source: str | Mapping[str, Json], name: str) -> Pipeline:
    """Read a definition, as JSON text or parsed.

    `name` is the pipeline's name, which a definition does not hold. Raises DefinitionError.
    """
    survey = survey_pipeline(source, name)
    if survey.pipeline is None:
        raise DefinitionError(name, survey.faults)
    return survey.pipeline


def survey_pipeline(
    source: str | Mapping[str, Json], name: str, assets: Mapping[str, Asset] | None = None
) -> Survey:
    """Read as much of a definition as can be read, for those who look for yet more faults.

    `assets` are the pipeline's; a definition does not hold them.
    """
    reading = Reading()
    document = _parse(source, reading) if isinstance(source, str) else source
    if reading.faults or not _is_readable(document, reading):
        return Survey((), (), in_order(reading.faults), None)
    return _survey(Item(document, "", reading), name, assets or {})


def is_same_definition(one: str, other: str) -> bool:
    """Say whether two definitions, as JSON text, say the same, however they are written."""
    return _canonical(one) == _canonical(other)


def _canonical(text: str) -> str:
    # Compared as text again: in Python 1, 1.0 and True are equal.
    return json.dumps(json.loads(text), sort_keys=True)


class _RepeatedKeys(dict[str, Json]):
    """A JSON object in which keys stand more than once; `repeated` are those."""

    repeated: tuple[str, ...]


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    marked = _RepeatedKeys(members)
    counts = Counter(key for key, _ in pairs)
    marked.repeated = tuple(key for key, count in counts.items() if count > 1)
    return marked


def _parse(text: str, reading: Reading) -> Json:
    try:
        return json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        reading.report(f"line {error.lineno}, column {error.colno}", f"not JSON: {error.msg}")
    except RecursionError:
        reading.report(WHOLE, f"nested more than {DEEPEST} levels deep")
    except ValueError as error:  # a number of more digits than Python converts
        reading.report(WHOLE, f"not JSON: {error}")
    return None


def _is_readable(document: Json, reading: Reading) -> bool:
    """Report what JSON or the service does not have; say whether reading can go on."""
    readable = True
    rest = [(document, "", 0)]
    while rest:
        value, place, depth = rest.pop()
        what = _unreadable(value, depth)
        if what:
            readable = False
            reading.report(place or WHOLE, what)
        else:
            _report_oddities(value, place, reading)
            rest.extend((inner, below(place, key), depth + 1) for key, inner in _inside(value))
    if not reading.faults and len(json.dumps(document)) > LONGEST_DEFINITION:
        reading.report(WHOLE, f"longer than {LONGEST_DEFINITION:,} characters")
    return readable


def _inside(value: Json) -> Iterable[tuple[str | int, Json]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _unreadable(value: Json, depth: int) -> str | None:
    if depth > DEEPEST:
        return f"nested more than {DEEPEST} levels deep"
    if isinstance(value, dict):
        foreign = [key for key in value if not isinstance(key, str)]
        return f"has the key {foreign[0]!r}, which is no text" if foreign else None
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "is a whole number of more than 64 bits"
    return None


def _report_oddities(value: Json, place: str, reading: Reading) -> None:
    if isinstance(value, _RepeatedKeys):
        for key in value.repeated:
            reading.report(below(place, key), "the key stands in its object more than once")
    elif isinstance(value, float) and not math.isfinite(value):
        reading.report(place or WHOLE, f"{value} is no JSON number")
    elif not isinstance(value, (str, int, float, dict, list, NoneType)):
        reading.report(place or WHOLE, f"{type(value).__name__} is no kind of JSON value")


def _survey(item: Item, name: str, assets: Mapping[str, Asset]) -> Survey:
    fields = item.fields(_TOP_LEVEL)
    _check_version(fields)
    parameters = fields.read("Parameters", _read_parameters, ())
    steps = fields.read("Steps", read_steps, ())
    experiment = fields.read("PipelineExperimentConfig", _read_experiment, None)
    metadata = fields.read("Metadata", _read_metadata, None)
    mlflow = fields.read("MlflowConfig", _read_mlflow, None)
    check_pipeline(parameters, steps, item.reading)
    if item.reading.faults:
        names = {step.place: step.name for step in flatten(steps)}
        faults = in_order(fault.in_step(names) for fault in item.reading.faults)
        return Survey(parameters, steps, faults, None)
    whole = (parameters, steps, experiment, metadata, mlflow, assets, tuple(fields))
    return Survey(parameters, steps, (), Pipeline(name, *whole))


def _check_version(fields: Mapping[str, Item]) -> None:
    version = fields.get("Version")
    if version is not None and version.value != VERSION:
        version.fault(f"unknown version {shown(version.value)}", f"Write {shown(VERSION)}.")


def _read_parameters(item: Item) -> tuple[Parameter, ...]:
    return tuple(map(read_parameter, item.elements()))


def _read_experiment(item: Item) -> ExperimentConfig | None:
    # The SDK writes null when an author wants no experiment.
    if item.value is None:
        return None
    fields = item.fields({"ExperimentName": False, "TrialName": False})
    experiment = fields.read("ExperimentName", read_text, None)
    return ExperimentConfig(experiment, fields.read("TrialName", read_text, None), tuple(fields))


_METADATA_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
_LONGEST_METADATA = 1024


def _read_metadata(item: Item) -> dict[str, str] | None:
    members = item.members()
    for key, member in members.items():
        if not _METADATA_KEY.fullmatch(key):
            member.fault("a key has 1 to 128 letters, digits, hyphens and underscores")
    return {key: member.text(at_most=_LONGEST_METADATA) for key, member in members.items()}


def _read_mlflow(item: Item) -> dict[str, Value] | None:
    # Version 3 of the SDK always writes the key, null when unset.
    if item.value is None:
        return None
    fields = item.fields({"MlflowResourceArn": False, "MlflowExperimentName": False})
    return {key: read_text(field) for key, field in fields.items()}
