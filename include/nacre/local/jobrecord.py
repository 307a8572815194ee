"""A job as the store keeps it: pure functions between a Resource, its Life and its description.

Imported by every supervisor: nothing here may import botocore.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from include.nacre.local.jobs.fate import Fate, fate_of
from include.nacre.local.jobs.spec import Kind
from include.nacre.local.lifecycle import Event, Life, born, from_json, moved
from include.nacre.local.place import Place
from include.nacre.local.store import Resource

_REASON_LENGTH = 1024  # what FailureReason's shape allows
# What is billed of a spot instance's time: the service bills fewer seconds, not cheaper ones.
_SPOT_SHARE = 0.3
_DAY = {"MaxRuntimeInSeconds": 86_400}  # the service's default for both kinds that have it


@dataclass(frozen=True)
class JobKind:
    """What differs between the kinds of jobs; all else follows from `word`.

    `missing` and `taken` are the service's own texts: they are not the same for all kinds.
    """

    kind: Kind
    word: str
    missing: str
    taken: str
    defaults: Mapping[str, Any]

    @property
    def noun(self) -> str:
        """As in a sentence: `training job`."""
        return f"{self.word.lower()} job"

    @property
    def name_key(self) -> str:
        """`TrainingJobName`."""
        return f"{self.word}JobName"

    @property
    def arn_key(self) -> str:
        """`TrainingJobArn`."""
        return f"{self.word}JobArn"

    @property
    def status_key(self) -> str:
        """`TrainingJobStatus`."""
        return f"{self.word}JobStatus"


_TAKEN = (
    "Job name must be unique within an AWS account and region,"
    " and a job with this name already exists ({arn})"
)
_MISSING = "Could not find requested job with name: {name}"

KINDS: Mapping[str, JobKind] = MappingProxyType(
    {
        "processing": JobKind(
            "processing", "Processing", _MISSING, _TAKEN, {"StoppingCondition": _DAY}
        ),
        "training": JobKind(
            "training",
            "Training",
            "Requested resource not found.",
            "Training job names must be unique within an AWS account and region,"
            " and a training job with this name already exists ({arn})",
            {
                "StoppingCondition": _DAY,
                "EnableNetworkIsolation": False,
                "EnableInterContainerTrafficEncryption": False,
                "EnableManagedSpotTraining": False,
            },
        ),
        "transform": JobKind("transform", "Transform", _MISSING, _TAKEN, {}),
    }
)


def new_job(
    kind: JobKind, place: Place, name: str, body: Mapping[str, Any], now: float
) -> Resource:
    """The job that a Create call's body asks for, not started yet."""
    arn, life = place.arn(f"{kind.word}-job/{name}"), born(now)
    state = {"life": life.to_json(), "facts": {}}
    request = {**kind.defaults, **body}
    return Resource(kind.kind, name, arn, life.state.status, now, now, request, state)


def fated(job: Resource, fate: Fate) -> Resource:
    """The new job that will meet this."""
    return job if fate == Fate() else replace(job, state={**job.state, "fate": fate.to_json()})


def is_spot(job: Resource) -> bool:
    """Whether it runs on instances that can be taken away."""
    return bool(job.request.get("EnableManagedSpotTraining"))


def wait_until(job: Resource) -> float | None:
    """When a spot job has to have ended, in seconds since the epoch; None for all others."""
    wait = job.request.get("StoppingCondition", {}).get("MaxWaitTimeInSeconds")
    return job.created + wait if is_spot(job) and wait is not None else None


def stop_left(job: Resource, now: float) -> float:
    """How many seconds more a job that is asked to stop has to be Stopping."""
    least, since = fate_of(job.state).stop, life_of(job).since("Stopping")
    return 0.0 if since is None else min(least, since + least - now)


def life_of(job: Resource) -> Life:
    """How far a job has come."""
    return from_json(job.state["life"])


def after(
    job: Resource,
    event: Event,
    now: float,
    facts: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> Resource:
    """The job after an event; facts are members of its description that are known now."""
    life = moved(life_of(job), event, now)
    failure = {"FailureReason": reason[:_REASON_LENGTH]} if reason else {}
    state = {
        **job.state,
        "life": life.to_json(),
        "facts": {**job.state["facts"], **(facts or {}), **failure},
    }
    modified = max(now, job.modified)
    return replace(job, status=life.state.status, modified=modified, state=state)


def failed(job: Resource, reason: str, now: float) -> Resource:
    """The job ended by something that is no fault of its own; one that is over stays as it is."""
    return job if life_of(job).is_over else after(job, "Failed", now, reason=reason)


def description(job: Resource) -> dict[str, Any]:
    """Everything that is known of a job, under the names of its Describe answer."""
    kind, life = KINDS[job.kind], life_of(job)
    return {
        kind.name_key: job.name,
        kind.arn_key: job.arn,
        kind.status_key: life.state.status,
        "SecondaryStatus": life.state.secondary,
        "CreationTime": job.created,
        "LastModifiedTime": job.modified,
        f"{kind.word}StartTime": life.launched,
        f"{kind.word}EndTime": life.ended,
        "SecondaryStatusTransitions": [entry.described() for entry in life.transitions],
        "TrainingTimeInSeconds": life.seconds,
        "BillableTimeInSeconds": _billed(job, life),
        **job.request,
        **job.state["facts"],
    }


def _billed(job: Resource, life: Life) -> int | None:
    if life.seconds is None or not is_spot(job):
        return life.seconds
    return math.ceil(life.seconds * _SPOT_SHARE)
