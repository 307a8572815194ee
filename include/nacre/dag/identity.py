"""Who a job is: names computed before anything is sent, and what to do when one exists already.

A job's name is its idempotency key. It is made from the deployment, the DAG run, the task and
the generation alone, so a retry, a lost worker, a lost triggerer or a lost scheduler computes
the same name again, and the service's own "exists already" answer prevents the second job. A
cleared task and a failed job start the next generation.

Pure: the moves are decided here; `launch.py` looks, stores and creates.
"""

import hashlib
import json
import re
from base64 import b32encode
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, NamedTuple

DIGEST_LENGTH = 16
"""80 bits: two of a billion names are the same with a chance of one in two million."""

EXECUTION_ID_LENGTH = 12
"""As in every execution id of the service that was ever seen."""

CLIENT_TOKEN_LENGTH = 36
"""The longest `ClientToken` that CreateModelPackage takes; letters, digits and hyphens."""


class Generation(NamedTuple):
    """Which job of one task: a clear raises the first number, a dead job the second."""

    cleared: int
    """`ti.max_tries` when the generation began. Across retries it stays as it is; a clear sets
    it to the tries so far plus the task's retries."""
    attempt: int
    """From 1 on; the next one follows a job that failed or was stopped."""


@dataclass(frozen=True)
class TaskKey:
    """One task instance of one deployment."""

    installation: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1


def readable_name(pipeline: str, step: str) -> str:
    """Return the part of a job's name that people read: ("abalone", "AbaloneTrain") gives
    `abalone-train`. Only letters, digits and single hyphens; `job` where nothing is left.
    """
    pipeline, step = _slug(pipeline), _slug(step)
    return step if step == pipeline or step.startswith(f"{pipeline}-") else f"{pipeline}-{step}"


def _slug(text: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "job"


def job_name(key: TaskKey, generation: Generation, readable: str, limit: int = 63) -> str:
    """Return the name of a generation's job: readable first, unique by its digest, at most
    `limit` characters (63 for most kinds, 32 for tuning and AutoML jobs).
    """
    head = _hyphenated(readable)[: limit - DIGEST_LENGTH - 1].rstrip("-")
    return f"{head}-{_digest(key, generation, length=DIGEST_LENGTH)}"


def _hyphenated(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-") or "job"


def client_token(key: TaskKey, generation: Generation) -> str:
    """Return the token that makes a create call idempotent where no name does."""
    return _digest(key, generation, length=CLIENT_TOKEN_LENGTH)


def execution_id(installation: str, dag_id: str, run_id: str, scope: str, map_index: int) -> str:
    """Return the `PipelineExecutionId` of a DAG run: 12 lower-case letters and digits.

    It ends in S3 addresses, so it is the same for every task and every retry of the run.
    `scope` tells apart the pipelines that run as task groups of one DAG.
    """
    parts = (installation, dag_id, run_id, scope, map_index)
    return _digest("execution", parts, length=EXECUTION_ID_LENGTH)


def _digest(*parts: Any, length: int) -> str:
    # JSON tells ("a", "b") from ("ab", ""), and takes any alphabet.
    text = json.dumps([vars(part) if isinstance(part, TaskKey) else part for part in parts])
    return b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:length]


class Do(Enum):
    """What to do about a job's name."""

    LOOK = "describe it: an earlier try of this task may have created it"
    CREATE = "store the generation, then create it"
    ADOPT = "it is this task's job: wait for it"


class Found(Enum):
    """What describing a job's name has shown."""

    NOTHING = "no job has the name"
    USABLE = "it is this task's job, and waits, runs or has succeeded"
    DEAD = "it is this task's job, and failed, was stopped, or is being stopped"
    STRANGER = "it was there before this task first used the name"


@dataclass(frozen=True)
class Move:
    """One move towards having exactly one job of the right generation."""

    do: Do
    generation: Generation
    looked: bool = False
    """Whether the name was seen to be free before."""


def first_move(stored: Generation | None, max_tries: int, *, durable: bool) -> Move:
    """Decide how a try begins.

    `stored` is what the task's state store holds. `durable` is False where Airflow has no such
    store: then nothing tells a first try from a later one, so every try looks first, and goes
    through the attempts of the generation that `max_tries` gives.
    """
    if stored is not None and stored.cleared == max_tries:
        return Move(Do.LOOK, stored)
    return Move(Do.CREATE if durable else Do.LOOK, Generation(max_tries, 1))


def next_move(move: Move, found: Found, *, durable: bool = True) -> Move:
    """Decide what follows a look, or a create call that was answered with "exists already"."""
    match found:
        case Found.NOTHING:
            return replace(move, do=Do.CREATE, looked=True)
        case Found.USABLE:
            return replace(move, do=Do.ADOPT)
        case Found.DEAD | Found.STRANGER:
            cleared, attempt = move.generation
            return Move(Do.CREATE if durable else Do.LOOK, Generation(cleared, attempt + 1))


CLOCK_STEP = 2.0
"""Seconds: the service's Date header is cut to whole seconds, and its answer takes its time."""


def found_on_create(move: Move, *, age: float, since_call: float) -> Found:
    """Say whose job it is that a create call found in its place.

    It is ours if it appeared after a look, or during the call itself: a connection that broke
    after the service had acted makes botocore repeat the call. Anything older comes from a DAG
    run that was deleted and made again under the same id. Seconds, both by the service's clock.
    """
    ours = move.looked or age <= since_call + CLOCK_STEP
    return Found.USABLE if ours else Found.STRANGER
