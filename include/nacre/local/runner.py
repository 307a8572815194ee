"""Which jobs run now: at most so many at once, in the order of their creation.

A running job is a process of its own (supervisor.py). This side only starts it, waits for its end
in a thread, and writes down the failure of one that could not do so itself.
"""

import logging
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from signal import SIGKILL, SIGTERM
from typing import NamedTuple

from include.nacre.local import processes
from include.nacre.local.jobrecord import KINDS, after, failed, life_of, stop_left, wait_until
from include.nacre.local.jobs.fate import fate_of
from include.nacre.local.jobs.faults import CAPACITY_ERROR, INTERNAL_ERROR
from include.nacre.local.jobs.spec import Kind
from include.nacre.local.later import Later
from include.nacre.local.place import StateFolder
from include.nacre.local.processes import ProcessId
from include.nacre.local.store import Resource, Store

_LOG = logging.getLogger(__name__)


_LONGEST_GOODBYE = 10.0  # seconds; what a job's process does after its end takes milliseconds


class JobKey(NamedTuple):
    """A job by kind and name."""

    kind: Kind
    name: str


class LaunchError(Exception):
    """No supervisor can be started; the text says where to look."""


Ended = Callable[[Kind, str], None]


def _nobody(_kind: Kind, _name: str) -> None:
    """Nobody wants to know of a job's end."""


# Starts the supervisor of a job; the number of its process, which need not be our child.
Launch = Callable[[Kind, str], int]


class Runner:
    """Starts the waiting jobs of a store while there is room, and sees each to its end."""

    def __init__(
        self,
        store: Store,
        folder: StateFolder,
        launch: Launch,
        most: int,
        clock: Callable[[], float],
        told: Ended = _nobody,
    ) -> None:
        self._store = store
        self._folder = folder
        self._launch = launch
        self._most = most
        self._clock = clock
        self._told = told  # of each job's end, when the store has it; by any thread, at once
        self._lock = threading.Lock()
        self._seen_off = threading.Condition(self._lock)
        self._waiting: deque[JobKey] = deque()
        self._running: dict[JobKey, ProcessId] = {}
        self._later = Later()
        self._closed = False

    def start(self) -> None:
        """Take over what an earlier server left: running jobs, waiting ones, and lost ones."""
        for job in self._store.unfinished(list(KINDS), ["InProgress", "Stopping"]):
            self._take_over(job)
        self._fill()

    def submitted(self, kind: Kind, name: str) -> None:
        """There is a new job in the store; it starts now if there is room."""
        job = self._store.get(kind, name)
        if job is not None:
            self._receive(job)
            self._fill()

    def stop(self, kind: Kind, name: str) -> None:
        """End a job that is Stopping in the store; one that has not begun is Stopped at once,
        or as late as its fate wants.
        """
        left = 0.0
        with self._store.transaction():
            claimed, job = self._claimed(JobKey(kind, name)), self._store.get(kind, name)
            if claimed is None and job is not None:
                left = stop_left(job, self._clock())
                if left <= 0:
                    self._store.update(kind, name, lambda job: _stopped(job, self._clock()))
        if claimed is not None:
            processes.send(claimed, SIGTERM)
        elif job is not None and left > 0:
            self._after(left, job, lambda late: self.stop(*_key(late)))
        else:
            self._told(kind, name)

    def let_go(self, kind: Kind, name: str) -> bool:
        """Wait until a job that has ended has no process any more, nor anything of it in a folder.

        False if that takes too long. Only then can its name be another job's.
        """
        with self._seen_off:
            return self._seen_off.wait_for(
                lambda: JobKey(kind, name) not in self._running, _LONGEST_GOODBYE
            )

    def close(self, grace: float) -> None:
        """End all jobs: ask, wait so many seconds, kill. What did not end by itself is Failed."""
        self._later.close()
        with self._lock:
            self._closed = True
            running = dict(self._running)
        for job in self._store.unfinished(list(KINDS), ["InProgress"]):
            if _key(job) not in running:
                self._lose(_key(job))
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
        process = self._claimed(key)
        if process is not None and processes.is_alive(process):
            self._watch(key, process)
            if job.status == "Stopping":  # the signal may not have been sent before
                processes.send(process, SIGTERM)
        elif process is not None:
            self._lose(key)
        elif job.status == "Stopping":
            self.stop(*key)
        else:
            self._receive(job)

    def _receive(self, job: Resource) -> None:
        """Have a job that nobody runs wait for room; or for its time, if it is to start slowly."""
        now, until = self._clock(), wait_until(job)
        if until is not None:
            self._after(until - now, job, self._wait_over)
        starting = fate_of(job.state).starting
        left = min(starting, job.created + starting - now)
        if left > 0:
            self._after(left, job, self._come)
        else:
            self._admit(job)

    def _after(self, seconds: float, job: Resource, act: Callable[[Resource], None]) -> None:
        """Do something with a job as it is by then, unless it was deleted: then its name may be
        another one's.
        """

        def act_on_it() -> None:
            found = self._store.get(*_key(job))
            if found is not None and found.created == job.created:
                act(found)

        self._later.after(seconds, act_on_it)

    def _come(self, job: Resource) -> None:
        """Go on with a job whose time has come, unless it was stopped before."""
        if job.status == "InProgress":
            self._admit(job)
            self._fill()

    def _admit(self, job: Resource) -> None:
        if fate_of(job.state).end == "capacity":
            self._lose(_key(job), CAPACITY_ERROR)
            return
        with self._lock:
            self._waiting.append(_key(job))

    def _wait_over(self, job: Resource) -> None:
        """A spot job for which there was no room in all the time that it may wait is Stopped; one
        that has begun looks to that itself.
        """
        key = _key(job)
        with self._store.transaction():
            found = self._store.get(*key)
            if found is None or found.status != "InProgress" or self._claimed(key) is not None:
                return
            self._store.update(*key, lambda found: _waited(found, self._clock()))
        self._told(*key)

    def _watch(self, key: JobKey, process: ProcessId) -> None:
        self._running[key] = process
        threading.Thread(
            target=self._see_off, args=(key, process), name=f"watch {key.name}", daemon=True
        ).start()

    def _fill(self) -> None:
        """Start waiting jobs until there is none, or no room."""
        while True:
            with self._lock:
                if self._closed or not self._waiting or len(self._running) >= self._most:
                    return
                key = self._waiting.popleft()
                job = self._store.get(*key)
                if job is None or job.status != "InProgress":  # stopped while it waited
                    continue
                if key in self._running:  # it waits twice: as one that was deleted, and as itself
                    continue
                self._begin(key)

    def _begin(self, key: JobKey) -> None:
        try:
            pid = self._launch(*key)
        except LaunchError:
            _LOG.exception("The %s job %s cannot be started.", *key)
            self._lose(key)
            return
        # One that is gone already has written down what became of the job, or failed to.
        self._watch(key, processes.identify(pid) or ProcessId(pid, 0))

    def _see_off(self, key: JobKey, process: ProcessId) -> None:
        processes.wait(process)
        with self._lock:
            if self._closed:
                return
            claimed = self._claimed(key)
            # Two servers, one killed at the wrong moment, can each start a supervisor for a job:
            # the one that came too late ends at once, and the job is the other's.
            if claimed is not None and claimed != process and processes.is_alive(claimed):
                self._watch(key, claimed)
                return
        self._lose(key)
        with self._seen_off:
            self._running.pop(key)
            self._seen_off.notify_all()
        self._fill()

    def _claimed(self, key: JobKey) -> ProcessId | None:
        found = self._store.supervisor(*key)
        return ProcessId(*found) if found else None

    def _lose(self, key: JobKey, reason: str = INTERNAL_ERROR) -> None:
        """Nobody runs this job (any more): if it is not over, that was the platform's fault."""
        with self._store.transaction():
            if self._store.get(*key) is not None:  # somebody may have deleted it
                self._store.update(*key, lambda job: failed(job, reason, self._clock()))
            self._store.release(*key)
        self._told(*key)
        shutil.rmtree(self._folder.job(*key), ignore_errors=True)


def _stopped(job: Resource, now: float) -> Resource:
    return job if life_of(job).is_over else after(job, "Stopped", now)


def _waited(job: Resource, now: float) -> Resource:
    return after(after(job, "TimeLimit", now), "WaitOver", now)


def _key(job: Resource) -> JobKey:
    return JobKey(KINDS[job.kind].kind, job.name)
