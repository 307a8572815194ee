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
    """Return the part of a job's name that people read: ("churn", "Train") gives `churn-train`.

    A step whose name begins like the pipeline's says enough by itself: ("AbalonePipeline",
    "AbaloneTrain") gives `abalone-train`. Empty where no letter or digit is left.
    """
    of_pipeline, of_step = _words(pipeline), _words(step)
    repeated = of_pipeline[:1] == of_step[:1] and len(of_step) > 1
    return "-".join(of_step if repeated else [*of_pipeline, *of_step])


def _words(text: str) -> list[str]:
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text)
    return re.findall(r"[a-z0-9]+", split.lower())


def job_name(key: TaskKey, generation: Generation, readable: str, limit: int = 63) -> str:
    """Return the name of a generation's job: readable first, unique by its digest, at most
    `limit` characters (63 for most kinds, 32 for tuning and AutoML jobs).
    """
    head = _hyphenated(readable)[: limit - DIGEST_LENGTH - 1].rstrip("-")
    return f"{head}-{_digest(key, generation, length=DIGEST_LENGTH)}"


def _hyphenated(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-") or "job"


def client_token(key: TaskKey, generation: Generation, nonce: str = "") -> str:
    """Return the token that makes a create call idempotent where no name does.

    `nonce` is stored with the generation: a DAG run that was deleted and made again under the
    same id must not be given what the one before has created.
    """
    return _digest(key, generation, nonce, length=CLIENT_TOKEN_LENGTH)


class Beginning(NamedTuple):
    """When a root step of a run began for the last time, and how often the run had begun before."""

    max_tries: int
    """The task's `ti.max_tries` of that generation, see `Generation.cleared`."""
    generation: int
    """0 at first; greater after each clear."""


def beginning(stored: Beginning | None, max_tries: int, retries: int) -> Beginning:
    """Return the beginning that a try of a root step belongs to.

    Where nothing is stored (any more), what a clear has added to the task's `retries` tells of
    it: the tries before, and they are at least the clears. Not otherwise: of two roots that are
    cleared together one may have needed more tries, and both begin the same generation.
    """
    if stored is None:
        return Beginning(max_tries, max(0, max_tries - retries))
    if stored.max_tries == max_tries:
        return stored
    return Beginning(max_tries, stored.generation + 1)


def execution_id(
    installation: str, dag_id: str, run_id: str, scope: str, map_index: int, generation: int = 0
) -> str:
    """Return the `PipelineExecutionId` of a DAG run: 12 lower-case letters and digits.

    It ends in S3 addresses, so it is the same for every task and every retry of the run.
    `scope` tells apart the pipelines that run as task groups of one DAG, `generation` what a run
    writes when it is begun again.
    """
    parts: tuple[Any, ...] = (installation, dag_id, run_id, scope, map_index)
    if generation:
        parts = (*parts, generation)
    return _digest("execution", parts, length=EXECUTION_ID_LENGTH)


def _digest(*parts: Any, length: int) -> str:
    # JSON tells ("a", "b") from ("ab", ""), and takes any alphabet.
    text = json.dumps([vars(part) if isinstance(part, TaskKey) else part for part in parts])
    return b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:length]


class Do(Enum):
    """What to do about a job's name."""

    LOOK = "describe it"
    CREATE = "store the generation, then create it"
    ADOPT = "wait for it: it is this task's job"


class Found(Enum):
    """What describing a job's name has shown."""

    NOTHING = "no job has the name"
    USABLE = "a job that waits, runs or has succeeded"
    FAILED = "a job whose failure no try of its task has told yet"
    DEAD = "a job that failed, was stopped, or is being stopped"


@dataclass(frozen=True)
class Move:
    """One move towards having exactly one job of the right generation."""

    do: Do
    generation: Generation
    owned: bool
    """Whether a job of this name can only be this task's. A generation is stored only after its
    name was seen to be free, so what is found under a stored one is ours. What is found under
    another comes from a DAG run that was deleted and made again under the same id."""


def first_move(stored: Generation | None, max_tries: int, *, durable: bool) -> Move:
    """Decide how a try begins.

    `stored` is what the task's state store holds. `durable` is False where Airflow has no such
    store: then nothing tells a first try from a later one, so whatever has the name is ours.
    """
    if stored is not None and stored.cleared == max_tries:
        return Move(Do.LOOK, stored, owned=True)
    return Move(Do.LOOK, Generation(max_tries, 1), owned=not durable)


def next_move(move: Move, found: Found, *, durable: bool) -> Move:
    """Decide what follows a look, or a create call that was answered with "exists already"."""
    if found is Found.NOTHING:
        return Move(Do.CREATE, move.generation, owned=True)
    if found in (Found.USABLE, Found.FAILED) and move.owned:
        return replace(move, do=Do.ADOPT)
    cleared, attempt = move.generation
    return Move(Do.LOOK, Generation(cleared, attempt + 1), owned=not durable)
