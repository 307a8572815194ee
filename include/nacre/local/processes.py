"""Processes that may not be our children: which one it is, whether it lives, waiting for its end.

Linux only, as the jobs' namespaces are.
"""

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class ProcessId(NamedTuple):
    """A process for good: its number, and when it started (clock ticks since the machine did)."""

    pid: int
    started: int


def identify(pid: int) -> ProcessId | None:
    """Which process has this number now, if a living one has it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses and may hold anything, spaces too.
    fields = stat.rpartition(")")[2].split()
    is_gone = fields[0] in {"Z", "X"}
    return None if is_gone else ProcessId(pid, int(fields[19]))


def this_process() -> ProcessId:
    """The process that runs this."""
    found = identify(os.getpid())
    if found is None:  # pragma: no cover - we live
        raise ProcessLookupError(os.getpid())
    return found


def is_alive(process: ProcessId) -> bool:
    """Whether that very process still runs."""
    return identify(process.pid) == process


def send(process: ProcessId, number: signal.Signals) -> None:
    """Send a signal to that very process; one that is gone needs none."""
    with contextlib.suppress(ProcessLookupError), _held(process) as descriptor:
        if descriptor is not None:
            signal.pidfd_send_signal(descriptor, number)


def wait(process: ProcessId, seconds: float | None = None) -> bool:
    """Wait until that very process has ended; whether it has."""
    with _held(process) as descriptor:
        if descriptor is None:
            return True
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        return bool(poller.poll(None if seconds is None else max(0, seconds) * 1000))


@contextlib.contextmanager
def _held(process: ProcessId) -> Iterator[int | None]:
    """A descriptor of the process, or None if it is gone (its number may be another's by now)."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield descriptor if is_alive(process) else None
    finally:
        os.close(descriptor)
