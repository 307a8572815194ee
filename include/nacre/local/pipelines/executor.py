"""The thread that makes executions go on: woken by what happens, never by a clock that ticks.

What wakes it: an execution was submitted, stopped or retried; a Callback step was answered; a job
has ended; a step is due to be tried again. Each names an execution, which is then looked at once.
"""

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable

from include.nacre.local.jobs.faults import INTERNAL_ERROR
from include.nacre.local.jobs.spec import Kind
from include.nacre.local.pipelines.driver import Driver
from include.nacre.local.pipelines.execution import RUNNING, Execution
from include.nacre.local.pipelines.ground import Means, Send
from include.nacre.local.pipelines.records import EXECUTION
from include.nacre.local.pipelines.service import Call, Service
from include.nacre.local.runner import JobKey
from include.nacre.local.world import World

_LOG = logging.getLogger(__name__)
_PAUSE = 60.0  # seconds
_LONGEST_WAIT = 3600.0  # seconds; then the clock is asked again, which may have been set


class Awaited:
    """The jobs that executions wait for; for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executions: dict[JobKey, str] = {}
        self._jobs: dict[str, set[JobKey]] = {}

    def add(self, job: JobKey, execution_id: str) -> None:
        """An execution waits for this job."""
        with self._lock:
            self._executions[job] = execution_id
            self._jobs.setdefault(execution_id, set()).add(job)

    def by(self, job: JobKey) -> str | None:
        """The execution that waits for a job, if one does."""
        with self._lock:
            return self._executions.get(job)

    def forget(self, execution_id: str) -> None:
        """An execution waits for nothing any more."""
        with self._lock:
            for job in self._jobs.pop(execution_id, ()):
                del self._executions[job]


class Executor:
    """Makes the executions of the store go on, from `start` to `close`, in a thread of its own.

    `pause` is the time until a store that could not be used is tried again.
    """

    def __init__(self, pause: float = _PAUSE) -> None:
        self._pause = pause
        self._events: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._due: dict[str, float] = {}  # when to look at an execution, if nothing wakes it
        self._thread: threading.Thread | None = None
        self._awaited = Awaited()

    def start(self, world: World, call: Call, send: Send) -> None:
        """Take over what an earlier server left, and go on from there."""
        driver = Driver(Means(world, Service(world, call), send, self._awaited.add))
        for row in world.store.unfinished([EXECUTION], [*RUNNING]):
            self.submitted(row.name)
        self._thread = threading.Thread(
            target=self._run,
            args=(driver, world.clock),
            name="executions of pipelines",
            daemon=True,
        )
        self._thread.start()

    def submitted(self, execution_id: str) -> None:
        """There is a new execution in the store, or one that goes on."""
        self._events.put(execution_id)

    def stop(self, execution_id: str) -> None:
        """That execution, which is Stopping in the store, has to end."""
        self._events.put(execution_id)

    def job_ended(self, kind: Kind, name: str) -> None:
        """A job has ended; perhaps a step's."""
        execution_id = self._awaited.by(JobKey(kind, name))
        if execution_id is not None:
            self._events.put(execution_id)

    def close(self) -> None:
        """Begin nothing any more; the next server goes on."""
        self._events.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self, driver: Driver, clock: Callable[[], float]) -> None:
        while True:
            now = clock()
            try:
                timeout = self._seconds_left(now)
                execution_id = self._overdue(now) or self._events.get(timeout=timeout)
            except queue.Empty:
                continue
            if execution_id is None:
                return
            self._advance(driver, execution_id, now)

    def _seconds_left(self, now: float) -> float:
        first = min(self._due.values(), default=now + _LONGEST_WAIT)
        return min(max(0.0, first - now), _LONGEST_WAIT)

    def _overdue(self, now: float) -> str | None:
        """Return an execution whose time has come; it is given out once."""
        found = next((name for name, when in self._due.items() if when <= now), None)
        if found is not None:
            del self._due[found]
        return found

    def _advance(self, driver: Driver, execution_id: str, now: float) -> None:
        try:
            self._go_on(driver, execution_id)
        except sqlite3.Error:  # a full disk, for one: what is written down is still true
            _LOG.exception("The execution %s is looked at again later.", execution_id)
            self._due[execution_id] = now + self._pause
        except Exception:  # noqa: BLE001 - one that cannot even be read must not end them all
            _LOG.exception("The execution %s can neither go on nor be ended.", execution_id)

    def _go_on(self, driver: Driver, execution_id: str) -> None:
        try:
            self._remember(driver.advance(execution_id))
        except sqlite3.Error:
            raise
        except Exception:  # noqa: BLE001 - a fault of ours must end this execution alone
            _LOG.exception("The execution %s cannot go on.", execution_id)
            driver.give_up(execution_id, INTERNAL_ERROR)
            self._forget(execution_id)

    def _remember(self, execution: Execution | None) -> None:
        """Come back when the first of its steps is due to be tried again, or its time is over."""
        if execution is None:
            return
        if execution.is_over:
            self._forget(execution.id)
            return
        retries = (run.retry_at for run in execution.live.values() if run.retry_at is not None)
        self._due[execution.id] = min((execution.deadline, *retries))

    def _forget(self, execution_id: str) -> None:
        self._awaited.forget(execution_id)
        self._due.pop(execution_id, None)
