"""Bringing defaults into requests, without changing anything that a step says itself.

Works on requests as they are sent, and on a definition's, in which references stand: what a
reference stands for counts as said.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from include.nacre.definition.expressions import Json, Value
from include.nacre.definition.jobdefaults import (
    ANY,
    MOST_TAGS,
    SPOT,
    TABLE,
    TAGS,
    WAIT,
    JobDefaults,
)
from include.nacre.definition.records import Pipeline, Step

MADE = frozenset({"NetworkConfig", "AutoMLJobConfig", "SecurityConfig"})
"""The objects that a request gets if it lacks them. All others are there where they make sense: a
processing job without outputs has no ProcessingOutputConfig to encrypt."""

DAY = 86_400
"""Seconds that a training job may run if its request does not say."""

STOPPING = "StoppingCondition"
RUNTIME = "MaxRuntimeInSeconds"

# The service refuses VolumeKmsKeyId for instance types with storage of their own, which the machine
# encrypts by itself: those with a d behind their number, and these families.
_LOCAL_STORAGE = re.compile(r"ml\.([a-z]+\d+[a-z]*d[a-z]*|g5|gr?6e?|g7e?|p5e?n?|p6.*|trn\d.*)\..+")


@dataclass(frozen=True)
class Merged:
    """A request, and what of it was not in the step's own: options by name, tags as `Tags`."""

    request: dict[str, Value]
    given: Mapping[str, Value] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    """The keys of tags for which there was no room."""


def merged(step_type: str, request: Mapping[str, Value], defaults: JobDefaults) -> Merged:
    """Return a step's request with the defaults in it; the one that is passed in stays as it is."""
    options, table = defaults.options(step_type), TABLE.get(step_type, {})
    made: dict[str, Value] = _copied(request)
    given: dict[str, Value] = {}
    for option in options.keys() - {TAGS, SPOT, WAIT}:
        for path in table[option]:
            for parent in _parents(made, path):
                if path[-1] not in parent and not _encrypts_itself(option, parent):
                    parent[path[-1]] = _copied(options[option])
                    given[option] = options[option]
    for path in table.get(SPOT, ()):
        for root in _parents(made, path):
            given |= _put_spot(root, options)
    in_order = {option: given[option] for option in (*table, *given) if option in given}
    tags = options.get(TAGS, {}) if takes_tags(step_type, request) else {}
    tagged = with_tags(made, tags)
    return replace(tagged, given={**in_order, **tagged.given})


def takes_tags(step_type: str, request: Mapping[str, Value]) -> bool:
    """Say whether what a request makes can have tags: a package in a group cannot."""
    in_group = step_type == "RegisterModel" and request.get("ModelPackageGroupName")
    return step_type in TABLE and not in_group


def with_tags(request: Mapping[str, Value], tags: Mapping[str, str]) -> Merged:
    """Return a request with more tags. Its own win, and the service takes 50 in all."""
    own = request.get(TAGS, [])
    if not isinstance(own, list):
        return Merged(dict(request))
    said = [tag.get("Key") for tag in own if isinstance(tag, Mapping)]
    more = [(key, value) for key, value in tags.items() if key not in said]
    room = max(0, MOST_TAGS - len(own))
    left_out = tuple(key for key, _ in more[room:])
    if not more[:room]:
        return Merged(dict(request), {}, left_out)
    listed = [*own, *({"Key": key, "Value": value} for key, value in more[:room])]
    return Merged({**request, TAGS: listed}, {TAGS: dict(more[:room])}, left_out)


def with_job_defaults(pipeline: Pipeline, defaults: JobDefaults) -> Pipeline:
    """Return a pipeline with the defaults in the requests of all its steps."""
    if not defaults.layers:
        return pipeline
    return replace(pipeline, steps=_merged_steps(pipeline.steps, defaults))


def _merged_steps(steps: Sequence[Step], defaults: JobDefaults) -> tuple[Step, ...]:
    return tuple(
        replace(
            step,
            arguments=merged(step.type, step.arguments, defaults).request,
            if_steps=_merged_steps(step.if_steps, defaults),
            else_steps=_merged_steps(step.else_steps, defaults),
            body_steps=_merged_steps(step.body_steps, defaults),
        )
        for step in steps
    )


def _parents(value: Value, path: Sequence[str]) -> Iterator[dict[str, Value]]:
    """Yield the objects that the last member of a path belongs into."""
    head, *rest = path
    if head == ANY:
        for item in value if isinstance(value, list) else ():
            yield from _parents(item, rest)
    elif isinstance(value, dict):
        if not rest:
            yield value
        elif head in value or head in MADE:
            yield from _parents(value.setdefault(head, {}), rest)


def _encrypts_itself(option: str, resources: Mapping[str, Value]) -> bool:
    if option != "VolumeKmsKeyId":
        return False
    lists = [resources.get(key) for key in ("InstanceGroups", "InstanceConfigs")]
    groups = [group for groups in lists if isinstance(groups, list) for group in groups]
    machines = [resources, *groups]
    types = [machine.get("InstanceType") for machine in machines if isinstance(machine, Mapping)]
    return any(isinstance(item, str) and _LOCAL_STORAGE.fullmatch(item) for item in types)


def _put_spot(training: dict[str, Value], options: Mapping[str, Json]) -> dict[str, Value]:
    """Have a training job run on spot instances, if the defaults say so and nothing of its own is
    against it; give one that does a limit to its waiting. Returns what was put in.
    """
    stopping = training.get(STOPPING, {})
    if not isinstance(stopping, dict):
        return {}
    given: dict[str, Value] = {}
    if SPOT not in training and options.get(SPOT) and not _excludes_spot(training):
        training[SPOT] = given[SPOT] = True
    wanted = SPOT in given or WAIT in options
    if training.get(SPOT) is True and WAIT not in stopping and wanted:
        wait = _wait(stopping.get(RUNTIME, DAY), options.get(WAIT))
        training[STOPPING] = {**stopping, WAIT: wait}
        given[WAIT] = wait
    return given


def _excludes_spot(training: Mapping[str, Value]) -> bool:
    """Say whether a request asks for machines that the service does not have as spot instances:
    kept warm, reserved by a plan, or chosen by the service.
    """
    resources = training.get("ResourceConfig")
    kept = isinstance(resources, Mapping) and (
        resources.get("KeepAlivePeriodInSeconds") or "TrainingPlanArn" in resources
    )
    return bool(kept) or "ServerlessJobConfig" in training


def _wait(runtime: Value, wanted: int | None) -> Value:
    """Return a MaxWaitTimeInSeconds that the service takes: waiting counts the run, so it is never
    less than MaxRuntimeInSeconds.
    """
    if wanted is None:
        return runtime
    return max(wanted, runtime) if isinstance(runtime, int) else wanted


def _copied(value: Value) -> Value:
    match value:
        case Mapping():
            return {key: _copied(item) for key, item in value.items()}
        case list() | tuple():
            return [_copied(item) for item in value]
        case _:
            return value
