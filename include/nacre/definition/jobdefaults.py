"""Defaults for the requests of all steps, given once: network, keys, encryption, spot, tags.

    {"VpcConfig": {"Subnets": ["subnet-0a1"], "SecurityGroupIds": ["sg-0a1"]},
     "VolumeKmsKeyId": "alias/ml", "OutputKmsKeyId": "alias/ml",
     "Tags": {"team": "ml"},
     "Training": {"EnableManagedSpotTraining": true, "MaxWaitTimeInSeconds": 7200}}

What stands at the top is for all steps, what stands under a step type for those steps alone. null
takes back what was said less specifically. `merging.py` brings them into requests.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from include.nacre.definition.expressions import Json
from include.nacre.definition.faults import WHOLE, Fault, in_order, shown
from include.nacre.definition.items import Item, Reading

TAGS = "Tags"
SPOT = "EnableManagedSpotTraining"
WAIT = "MaxWaitTimeInSeconds"
ANY = "*"
"""In a path: each element of a list."""

Path = tuple[str, ...]
Paths = tuple[Path, ...]


def _everywhere(path: Path, option: str) -> Paths:
    return ((*path, option),)


def _processing() -> dict[str, Paths]:
    network = ("NetworkConfig",)
    return {
        "VpcConfig": _everywhere(network, "VpcConfig"),
        "VolumeKmsKeyId": (("ProcessingResources", "ClusterConfig", "VolumeKmsKeyId"),),
        "OutputKmsKeyId": (("ProcessingOutputConfig", "KmsKeyId"),),
        "EnableNetworkIsolation": _everywhere(network, "EnableNetworkIsolation"),
        "EnableInterContainerTrafficEncryption": _everywhere(
            network, "EnableInterContainerTrafficEncryption"
        ),
    }


def _training(*roots: Path) -> dict[str, Paths]:
    paths = {
        "VpcConfig": ("VpcConfig",),
        "VolumeKmsKeyId": ("ResourceConfig", "VolumeKmsKeyId"),
        "OutputKmsKeyId": ("OutputDataConfig", "KmsKeyId"),
        "EnableNetworkIsolation": ("EnableNetworkIsolation",),
        "EnableInterContainerTrafficEncryption": ("EnableInterContainerTrafficEncryption",),
        SPOT: (SPOT,),
        WAIT: ("StoppingCondition", WAIT),
    }
    return {option: tuple((*root, *path) for root in roots) for option, path in paths.items()}


def _tuning() -> dict[str, Paths]:
    definitions: Paths = (("TrainingJobDefinition",), ("TrainingJobDefinitions", ANY))
    paths = _training(*definitions)
    # A tuning job names its machines in either of two members.
    either = ("HyperParameterTuningResourceConfig", "VolumeKmsKeyId")
    volumes = (*paths["VolumeKmsKeyId"], *((*root, *either) for root in definitions))
    return {**paths, "VolumeKmsKeyId": volumes}


_SECURITY = ("AutoMLJobConfig", "SecurityConfig")

TABLE: Mapping[str, Mapping[str, Paths]] = {
    "Processing": _processing(),
    "ClarifyCheck": _processing(),
    "QualityCheck": _processing(),
    "Training": _training(()),
    "Tuning": _tuning(),
    "Transform": {
        # Its network is its model's.
        "VolumeKmsKeyId": (("TransformResources", "VolumeKmsKeyId"),),
        "OutputKmsKeyId": (("TransformOutput", "KmsKeyId"),),
    },
    "AutoML": {
        "VpcConfig": _everywhere(_SECURITY, "VpcConfig"),
        "VolumeKmsKeyId": _everywhere(_SECURITY, "VolumeKmsKeyId"),
        "OutputKmsKeyId": (("OutputDataConfig", "KmsKeyId"),),
        "EnableInterContainerTrafficEncryption": _everywhere(
            _SECURITY, "EnableInterContainerTrafficEncryption"
        ),
    },
    "Model": {
        "VpcConfig": (("VpcConfig",),),
        "EnableNetworkIsolation": (("EnableNetworkIsolation",),),
    },
    # Tags alone. A version in a group has none: they go to the group.
    "RegisterModel": {},
    "EndpointConfig": {},
    "Endpoint": {},
    "InferenceComponent": {},
    "Pipeline": {},
}
"""By step type, where in its request each option belongs; all of them take `Tags`. `Pipeline` is
the pipeline itself, which the service keeps."""


class JobDefaultsError(ValueError):
    """Defaults have faults; all of them in one message."""

    def __init__(self, where: str, faults: Sequence[Fault]) -> None:
        named = (
            replace(item, place="at the top") if item.place == WHOLE else item for item in faults
        )
        self.faults = in_order(named)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__("\n".join([f"{where} has {count}:", *(f"  - {it}" for it in self.faults)]))


@dataclass(frozen=True)
class JobDefaults:
    """Checked defaults, in layers: what a later layer says wins over those before it."""

    layers: tuple[Mapping[str, Json], ...] = ()

    def over(self, other: "JobDefaults") -> "JobDefaults":
        """Return these defaults on top of less specific ones."""
        return JobDefaults((*other.layers, *self.layers))

    def options(self, step_type: str) -> dict[str, Json]:
        """Return what holds for the steps of a type, of what their requests can say."""
        known = TABLE.get(step_type)
        if known is None:
            return {}
        found: dict[str, Json] = {}
        for part in self._parts(step_type):
            for option, value in part.items():
                if option == TAGS:
                    found[TAGS] = _tags(found.get(TAGS, {}), value)
                elif option in known:
                    found[option] = value
        return {option: value for option, value in found.items() if value not in (None, {})}

    def tags(self, step_type: str) -> dict[str, str]:
        """Return the tags for the steps of a type."""
        found: dict[str, str] = self.options(step_type).get(TAGS, {})
        return found

    def _parts(self, step_type: str) -> Iterator[Mapping[str, Json]]:
        for layer in self.layers:
            yield {option: value for option, value in layer.items() if option not in TABLE}
            yield layer.get(step_type) or {}


def _tags(before: Mapping[str, str], more: Mapping[str, str | None] | None) -> dict[str, str]:
    if more is None:
        return {}
    return {key: value for key, value in {**before, **more}.items() if value is not None}


def read_job_defaults(document: Json, where: str) -> JobDefaults:
    """Read defaults from parsed JSON. Raises JobDefaultsError with everything that is wrong with
    them; `where` is what a person calls the place that they stand in.
    """
    reading = Reading()
    _check(Item(document, "", reading))
    if reading.faults:
        raise JobDefaultsError(where, reading.faults)
    return JobDefaults((document,) if document else ())


def _check(item: Item) -> None:
    for key, member in item.fields({**_OPTIONS_KEYS, **dict.fromkeys(TABLE, False)}).items():
        if key not in TABLE:
            _check_option(key, member)
        elif member.value is not None:
            _check_section(key, member)


def _check_section(step_type: str, item: Item) -> None:
    known = {**dict.fromkeys(TABLE[step_type], False), TAGS: False}
    members = item.members()
    for key, member in members.items():
        if key in known:
            _check_option(key, member)
        elif key in _OPTIONS:
            steps = ", ".join(name for name in TABLE if key in TABLE[name])
            member.fault(f"{step_type} steps have no {key}", f"{steps} steps have it.")
    if isinstance(item.value, dict):
        item.reading.faults.extend(_unknown(item, known))


def _unknown(item: Item, known: Mapping[str, bool]) -> list[Fault]:
    """Return the faults of keys that are no option of any step."""
    apart = Reading()
    strange = {key: value for key, value in item.value.items() if key not in _OPTIONS}
    Item(strange, item.place, apart).fields(known)
    return apart.faults


def _check_option(option: str, item: Item) -> None:
    if item.value is not None:
        _OPTIONS[option](item)


_ID = re.compile(r"[-0-9a-zA-Z]{1,32}")
_KMS_KEY = re.compile(r"[a-zA-Z0-9:/_-]{1,2048}")
_TAG_TEXT = re.compile(r"[\w .:/=+\-@]*")
_LONGEST_TIME = 2**31 - 1
MOST_TAGS = 50
OURS = "nacre:"
"""What the keys of the tags begin with that every job has from us."""


def _vpc(item: Item) -> None:
    fields = item.fields({"Subnets": True, "SecurityGroupIds": True})
    for key, most in (("Subnets", 16), ("SecurityGroupIds", 5)):
        if key in fields:
            elements = fields[key].elements(at_most=most)
            if elements == [] and isinstance(fields[key].value, list):
                fields[key].fault("must not be empty")
            for element in elements:
                _matching(element, _ID, "an id of up to 32 letters, digits and hyphens")


def _kms_key(item: Item) -> None:
    _matching(item, _KMS_KEY, "a key's id, its ARN, or alias/<name>")


def _tag_members(item: Item) -> None:
    members = item.members()
    if len(members) > MOST_TAGS:
        item.fault(f"{len(members)} tags, but a job has at most {MOST_TAGS}")
    for key, member in members.items():
        if key.lower().startswith(("aws:", OURS)):
            member.fault(f"keys that begin with {shown(key.partition(':')[0] + ':')} are reserved")
        if not 1 <= len(key) <= 128 or not _TAG_TEXT.fullmatch(key):
            member.fault(f"a key has 1 to 128 {_TAG_LETTERS}")
        if member.value is not None:
            _matching(member, _TAG_TEXT, f"up to 256 {_TAG_LETTERS}", at_most=256)


_TAG_LETTERS = "letters, digits, spaces and _.:/=+-@"


def _matching(item: Item, pattern: re.Pattern[str], what: str, at_most: int | None = None) -> None:
    text = item.text(at_most=at_most)
    if isinstance(item.value, str) and not pattern.fullmatch(text):
        item.fault(f"{shown(text)} is not {what}")


def _flag(item: Item) -> None:
    item.flag()


def _seconds(item: Item) -> None:
    item.whole_number(1, _LONGEST_TIME)


_OPTIONS: Mapping[str, Callable[[Item], Any]] = {
    "VpcConfig": _vpc,
    "VolumeKmsKeyId": _kms_key,
    "OutputKmsKeyId": _kms_key,
    "EnableNetworkIsolation": _flag,
    "EnableInterContainerTrafficEncryption": _flag,
    SPOT: _flag,
    WAIT: _seconds,
    TAGS: _tag_members,
}
_OPTIONS_KEYS = dict.fromkeys(_OPTIONS, False)
