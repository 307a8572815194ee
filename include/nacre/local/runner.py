"""Which jobs run now: at most so many at once, in the order of their creation.

A running job is a process of its own (supervisor.py). This side only starts it, waits for its end
in a thread, and writes down the failure of one that could not do so itself.
"""

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import NamedTuple

from include.nacre.local import processes
from include.nacre.local.jobrecord import INTERNAL_ERROR, KINDS, after, failed, kind_of, life_of
from include.nacre.local.jobs.spec import Kind
from include.nacre.local.place import Place, StateFolder
from include.nacre.local.processes import ProcessId
from include.nacre.local.store import Resource, Store

_PROJECT = Path(__file__).resolve().parents[3]


class JobKey(NamedTuple):
    """A job by kind and name."""

    kind: Kind
    name: str


Launch = Callable[[JobKey], "subprocess.Popen[bytes]"]


class Runner:
    """Starts the waiting jobs of a store while there is room, and sees each to its end."""

    def __init__(self, store: Store, launch: Launch, most: int, clock: Callable[[], float]) -> None:
        self._store = store
        self._launch = launch
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[JobKey] = deque()
        self._running: dict[JobKey, ProcessId] = {}
        self._closed = False

    def start(self) -> None:
        """Take over what an earlier server left: running jobs, waiting ones, and lost ones."""
        for job in self._store.unfinished(list(KINDS), ["InProgress", "Stopping"]):
            self._take_over(job)
        self._fill()

    def submitted(self, kind: Kind, name: str) -> None:
        """There is a new job in the store; it starts now if there is room."""
        with self._lock:
            self._waiting.append(JobKey(kind, name))
        self._fill()

    def stop(self, kind: Kind, name: str) -> None:
        """End a job that is Stopping in the store; one that has not begun is Stopped at once."""
        with self._store.transaction():
            claimed = self._store.supervisor(kind, name)
            if claimed is None:
                self._store.update(kind, name, lambda job: _stopped(job, self._clock()))
                return
        processes.send(ProcessId(*claimed), SIGTERM)

    def close(self, grace: float) -> None:
        """End all jobs: ask, wait so many seconds, kill. What did not end by itself is Failed."""
        with self._lock:
            self._closed = True
            running, waiting = dict(self._running), list(self._waiting)
        for key in waiting:
            self._lose(key)
        for process in running.values():
            processes.send(process, SIGTERM)
        deadline = time.monotonic() + grace
        for key, process in running.items():
            if not processes.wait(process, deadline - time.monotonic()):
                processes.send(process, SIGKILL)
                processes.wait(process)
            self._lose(key)

    def _take_over(self, job: Resource) -> None:
        key = _key(job)
        claimed = self._store.supervisor(*key)
        process = ProcessId(*claimed) if claimed else None
        if process is not None and processes.is_alive(process):
            self._adopt(key, process)
            if job.status == "Stopping":  # the signal may not have been sent before
                processes.send(process, SIGTERM)
        elif process is not None:
            self._lose(key)
        elif job.status == "Stopping":
            self._store.update(*key, lambda found: _stopped(found, self._clock()))
        else:
            self._waiting.append(key)

    def _adopt(self, key: JobKey, process: ProcessId) -> None:
        self._running[key] = process
        threading.Thread(
            target=self._watch_adopted, args=(key, process), name=f"watch {key.name}", daemon=True
        ).start()

    def _fill(self) -> None:
        """Start waiting jobs until there is none, or no room."""
        while True:
            with self._lock:
                if self._closed or not self._waiting or len(self._running) >= self._most:
                    return
                key = self._waiting.popleft()
                job = self._store.get(*key)
                if job is None or life_of(job).is_over:  # stopped while it waited
                    continue
                child = self._launch(key)
                # Our own child that was not waited for: it is there, if only as a zombie.
                process = processes.identify(child.pid) or ProcessId(child.pid, 0)
                self._running[key] = process
            threading.Thread(
                target=self._watch, args=(key, child), name=f"watch {key.name}", daemon=True
            ).start()

    def _watch(self, key: JobKey, child: "subprocess.Popen[bytes]") -> None:
        child.wait()
        self._ended(key)

    def _watch_adopted(self, key: JobKey, process: ProcessId) -> None:
        processes.wait(process)
        self._ended(key)

    def _ended(self, key: JobKey) -> None:
        if not self._closed:
            self._lose(key)
        with self._lock:
            self._running.pop(key, None)
        self._fill()

    def _lose(self, key: JobKey) -> None:
        """Nobody runs this job (any more): if it is not over, that was the platform's fault."""
        with self._store.transaction():
            self._store.update(*key, lambda job: failed(job, INTERNAL_ERROR, self._clock()))
            self._store.release(*key)


def supervisor_launcher(
    folder: StateFolder, place: Place, environment: Mapping[str, str]
) -> Launch:
    """Start a supervisor in a session of its own, deaf to this terminal and this server's end."""

    def launch(key: JobKey) -> "subprocess.Popen[bytes]":
        with folder.supervisors_log.open("ab") as log:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", "include.nacre.local.supervisor"),
                    *("--state", str(folder.root)),
                    *("--region", place.region, "--account", place.account),
                    *(key.kind, key.name),
                ],
                cwd=_PROJECT,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    return launch


def _stopped(job: Resource, now: float) -> Resource:
    return job if life_of(job).is_over else after(job, "Stopped", now)


def _key(job: Resource) -> JobKey:
    return JobKey(kind_of(job), job.name)
