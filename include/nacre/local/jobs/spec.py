"""What a job is, where it runs, how it is stopped and what becomes of it: plain records."""

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from include.nacre.local.jobs.fate import Fate
from include.nacre.local.objects import Objects

Kind = Literal["processing", "training", "transform"]

# Called as events happen, in this order: "Downloading", then "Training" (training jobs) or
# "Running" (the others), then "Stopping" only if the job's own time limit ends it, or for a spot
# job that may not wait longer "MaxWaitTimeExceeded" (a stop that was asked for is known to the
# asker), then "Uploading". Whenever a spot instance is taken away "Interrupted" comes after
# "Training", and "Starting" when there is another one. The mapping holds facts for Describe.
Report = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True)
class JobSpec:
    """One job: `request` is its Create call's body, `model` (transform only) DescribeModel's.

    `wait_until` (spot jobs only) is when it has to have ended, in seconds since the epoch.
    """

    kind: Kind
    name: str
    arn: str
    request: Mapping[str, Any]
    region: str
    account: str
    model: Mapping[str, Any] | None = None
    fate: Fate = field(default_factory=Fate)
    wait_until: float | None = None


@dataclass(frozen=True)
class Workspace:
    """Where a job works.

    `job_dir` is the job's own folder (made if missing; what is in it afterwards is nobody's),
    `log_dir` the root of all logs (see logs.py for what lies below it), `environment` what every
    job of this place finds in its environment besides its own (endpoint URLs, credentials), and
    `grace_seconds` the time between the request to stop and SIGKILL.
    """

    job_dir: Path
    log_dir: Path
    objects: Objects
    environment: Mapping[str, str] = field(default_factory=dict)
    grace_seconds: float = 120.0


@dataclass(frozen=True)
class Outcome:
    """A job's end: `facts` are members of the Describe answer, times as seconds since the epoch."""

    status: Literal["Completed", "Failed", "Stopped"]
    failure_reason: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


class StopRequest:
    """Asks a running job to stop: from a signal handler, another thread, or before it starts."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._requested = False

    def request(self) -> None:
        """Ask for the stop; asking twice is asking once."""
        self._requested = True
        with contextlib.suppress(BlockingIOError):  # a full pipe wakes the job as well
            os.write(self._write, b"x")

    @property
    def requested(self) -> bool:
        """Whether the stop was asked for."""
        return self._requested

    def fileno(self) -> int:
        """A descriptor that turns readable, for good, once the stop was asked for."""
        return self._read

    def close(self) -> None:
        """Give the two descriptors back."""
        os.close(self._read)
        os.close(self._write)
