"""One job's own process: `python -m include.nacre.local.supervisor --state DIR KIND NAME`.

It claims the job, runs it, and writes what becomes of it straight into the store, so that a job
neither waits for the server nor dies with it. SIGTERM asks the job to stop. It must start fast:
nothing here imports botocore, and what a job needs only later is imported then.
"""

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from include.nacre.local.clock import now
from include.nacre.local.jobrecord import KINDS, after, life_of, stop_left, wait_until
from include.nacre.local.jobs import JobSpec, Outcome, Report, StopRequest, Workspace, run_job
from include.nacre.local.jobs.fate import fate_of
from include.nacre.local.jobs.spec import Kind
from include.nacre.local.lifecycle import Event
from include.nacre.local.objects import Objects
from include.nacre.local.place import Place, StateFolder
from include.nacre.local.processes import ProcessId, this_process
from include.nacre.local.store import Resource, Store

Run = Callable[[JobSpec, Workspace, Report, StopRequest], Outcome]

# What a job finds in its environment besides its own; the server sets it for us.
ENVIRONMENT = (
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_RESPONSE_CHECKSUM_VALIDATION",
)
# The events that run_job reports, as the lifecycle calls them.
_EVENTS: Mapping[str, Event] = {
    "Downloading": "Downloading",
    "Training": "Running",
    "Running": "Running",
    "Stopping": "TimeLimit",
    "MaxWaitTimeExceeded": "TimeLimit",
    "Interrupted": "Interrupted",
    "Starting": "Restarted",
    "Uploading": "Uploading",
}
# How a job is stopped in the end that reported this; all others were asked to.
_STOPPED: Mapping[str, Event] = {"Stopping": "OverTime", "MaxWaitTimeExceeded": "WaitOver"}


class Supervision:
    """The one job that this process runs, and its record in the store."""

    def __init__(
        self, store: Store, folder: StateFolder, kind: Kind, name: str, run: Run = run_job
    ) -> None:
        self._run = run
        self._store = store
        self._folder = folder
        self._kind: Kind = kind
        self._name = name
        self._stopped: Event = "Stopped"

    def claim(self, process: ProcessId) -> Resource | None:
        """The job, if it is ours to run: nobody else's, and not over before it began."""
        with self._store.transaction():
            job = self._store.get(self._kind, self._name)
            if job is None or life_of(job).is_over:
                return None
            if not self._store.claim(self._kind, self._name, process.pid, process.started):
                return None
            return self._move("Launched")

    def run(self, job: Resource, place: Place, stop: StopRequest) -> None:
        """Run the job to its end."""
        if job.status == "Stopping":  # whoever asked for it saw nobody to signal
            stop.request()
        model = None
        if self._kind == "transform":
            found = self._store.get("model", job.request["ModelName"])
            if found is None:
                arn = place.arn(f"model/{job.request['ModelName']}")
                self._move("Failed", reason=f'ClientError: Could not find model "{arn}".')
                return
            model = {**found.request, "ModelArn": found.arn, "CreationTime": found.created}
        spec = JobSpec(
            *(self._kind, job.name, job.arn, job.request, place.region, place.account, model),
            fate=fate_of(job.state),
            wait_until=wait_until(job),
        )
        self._finish(self._run(spec, self._workspace(), self._report, stop))

    def clean_up(self) -> None:
        """Remove what the job left in its folder, and give up the claim."""
        shutil.rmtree(self._folder.job(self._kind, self._name), ignore_errors=True)
        self._store.release(self._kind, self._name)

    def _workspace(self) -> Workspace:
        environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        return Workspace(
            self._folder.job(self._kind, self._name),
            self._folder.logs,
            Objects(self._folder.buckets),
            environment,
        )

    def _report(self, event: str, facts: Mapping[str, Any]) -> None:
        moved = _EVENTS[event]
        self._stopped = _STOPPED.get(event, self._stopped)
        self._move(moved, facts)

    def _finish(self, outcome: Outcome) -> None:
        job = self._store.get(self._kind, self._name)
        if job is not None and outcome.status == "Stopped":
            time.sleep(max(0.0, stop_left(job, now())))
        with self._store.transaction():
            event: Event = outcome.status
            if event == "Stopped":
                self._ask_if_nobody_did()
                event = self._stopped
            self._move(event, outcome.facts, outcome.failure_reason)

    def _ask_if_nobody_did(self) -> None:
        """A job can be stopped by whoever signals us, the end of the server for one."""
        job = self._store.get(self._kind, self._name)
        if job is not None and job.status == "InProgress":
            self._move("StopAsked")

    def _move(
        self, event: Event, facts: Mapping[str, Any] | None = None, reason: str | None = None
    ) -> Resource:
        return self._store.update(
            self._kind, self._name, lambda job: after(job, event, now(), facts, reason)
        )


def main(arguments: Sequence[str]) -> int:
    """Run one job; 0 whatever becomes of it, as long as it is written down."""
    options = _options(arguments)
    stop = StopRequest()
    # Before the claim: from then on others know whom to ask.
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.request())
    # A terminal's Ctrl-C is for the server. Not ignored: what we start would inherit that, and
    # never hear of a stop that comes before it asks for signals. Held back it finds them waiting.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    folder = StateFolder(options.state)
    store = Store(folder.database)
    supervision = Supervision(store, folder, options.kind, options.name)
    job = supervision.claim(this_process())
    if job is not None:
        supervision.run(job, Place(options.region, options.account), stop)
        supervision.clean_up()
    store.close()
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m include.nacre.local.supervisor")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--region", default=Place.region)
    parser.add_argument("--account", default=Place.account)
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("name")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
