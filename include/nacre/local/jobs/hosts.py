"""Run a job's hosts side by side until all are done, one fails, or they are to stop."""

import contextlib
import os
import selectors
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from include.nacre.local.jobs.faults import JobFault
from include.nacre.local.jobs.logs import LogPump, LogStream, OnLine, open_stream
from include.nacre.local.jobs.places import Host
from include.nacre.local.jobs.processes import Command, HostProcess
from include.nacre.local.jobs.spec import JobSpec, Kind, StopRequest, Workspace

End = Literal["exited", "stopped", "over time"]

# The first thing that a container hears of a stop.
_STOP_SIGNALS: Mapping[Kind, signal.Signals] = {
    "processing": signal.SIGINT,
    "training": signal.SIGTERM,
    "transform": signal.SIGTERM,
}


@dataclass(frozen=True)
class Ended:
    """Why the hosts are done, and the exit status of the one that failed, if one did.

    An exit status is a container's: 128 + n for signal n.
    """

    end: End
    failed: int | None


@dataclass(frozen=True)
class Limits:
    """How long hosts may run, and how long they have to end when asked to (seconds).

    `over` is what is reported when their time is over.
    """

    runtime: float | None
    grace: float
    over: str = "Stopping"


@dataclass(frozen=True)
class Cut:
    """The hosts are lost after so many seconds, and this is what comes of it."""

    seconds: float
    outcome: Exception


class HostGroup:
    """The started hosts of a job; as a context manager: none of them survives it.

    `started` (seconds since the epoch) stands in the names of log streams. Where a `cut` comes
    before the end, its outcome is raised by `start`, or when the context ends.
    """

    def __init__(
        self, spec: JobSpec, workspace: Workspace, started: int, cut: Cut | None = None
    ) -> None:
        self._spec, self._workspace, self._started = spec, workspace, started
        self._pump = LogPump()
        self._processes: list[HostProcess] = []
        self._cut = cut
        self._is_cut = False
        self._timer = threading.Timer(cut.seconds, self._lose) if cut else None

    def __enter__(self) -> "HostGroup":
        return self

    def __exit__(self, *_fault: object) -> None:
        if self._timer is not None and self._timer.is_alive():
            self._timer.cancel()
            self._timer.join()
        for process in self._processes:
            process.kill()
        for process in self._processes:
            with contextlib.suppress(JobFault):  # that one could not start was told already
                process.wait()
        self._pump.join()
        if self._cut is not None and self._is_cut:
            raise self._cut.outcome

    def start(self, commands: Mapping[Host, Command], on_line: OnLine | None = None) -> None:
        """Start the hosts; what each prints goes to its own log stream."""
        if self._cut is not None and self._cut.seconds <= 0:
            raise self._cut.outcome
        for host, command in commands.items():
            read, write = os.pipe()
            self._pump.add(read, self.stream(host.stream), on_line)
            self._processes.append(HostProcess(host, command, write))
        self._pump.start()
        if self._timer is not None:
            self._timer.start()

    def _lose(self) -> None:
        """Lose the hosts, unless they are done."""
        self._is_cut = any(not process.has_ended() for process in self._processes)
        for process in self._processes:
            process.kill()

    def stream(self, name: str) -> LogStream:
        """A log stream of the job's, by the name that its own time is added to."""
        first, slash, rest = name.partition("/")
        job = self._spec
        stream = f"{first}-{self._started}{slash}{rest}"
        return open_stream(self._workspace.log_dir, job.kind, job.name, stream)

    def wait(self, stop: StopRequest, limits: Limits, on_time_limit: Callable[[], None]) -> Ended:
        """Wait for the end of all hosts; `on_time_limit` is called when their time is over.

        When one fails the others are killed, as when they do not end in time after a stop.
        """
        end = self._wait_for_end(stop, limits.runtime)
        if end == "over time":
            on_time_limit()
        if end != "exited":
            self._ask_to_stop(limits.grace)
        failed = next((code for code in self._ended_codes() if code != 0), None)
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
        self._pump.join()
        return Ended(end, failed)

    def _ended_codes(self) -> Iterator[int]:
        for process in self._processes:
            if process.has_ended():
                yield process.wait()

    def _wait_for_end(self, stop: StopRequest, runtime: float | None) -> End:
        """Until all hosts ended, or one failed, or the stop was asked for, or time is over."""
        deadline = None if runtime is None else time.monotonic() + runtime
        with selectors.DefaultSelector() as selector:
            selector.register(stop, selectors.EVENT_READ)
            for process in self._processes:
                selector.register(process, selectors.EVENT_READ, process)
            while len(selector.get_map()) > 1:
                ready = selector.select(_left(deadline))
                if stop.requested:
                    return "stopped"
                if not ready:
                    return "over time"
                for key, _ in ready:
                    selector.unregister(key.fileobj)
                    if key.data.wait() != 0:
                        return "exited"
        return "exited"

    def _ask_to_stop(self, grace: float) -> None:
        deadline = time.monotonic() + grace
        running = [process for process in self._processes if not process.has_ended()]
        with selectors.DefaultSelector() as selector:
            for process in running:
                process.send(_STOP_SIGNALS[self._spec.kind])
                selector.register(process, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(_left(deadline))
                if not ready:
                    return
                for key, _ in ready:
                    selector.unregister(key.fileobj)


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
