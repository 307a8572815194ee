"""Child processes that are ours: started in a session of their own, ended with all they started."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass
class Child:
    """A running child process, and how it likes to be stopped."""

    name: str
    process: "subprocess.Popen[bytes]"
    stop_signal: signal.Signals
    grace_seconds: float

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """Ask the child to end, wait for its grace, then kill what is left of its tree."""
        descendants = _descendants(self.process.pid)
        if self.alive:
            self.process.send_signal(self.stop_signal)
        deadline = time.monotonic() + self.grace_seconds
        try:
            self.process.wait(self.grace_seconds)
        except subprocess.TimeoutExpired:
            print(f"{self.name}: did not end by itself, killed", file=sys.stderr)
            self.process.kill()
            self.process.wait()
        _, left = psutil.wait_procs(descendants, timeout=max(0, deadline - time.monotonic()))
        for process in left:
            _kill(self.name, process)
        psutil.wait_procs(left, timeout=5)


def start(
    name: str,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    log: Path,
    cwd: Path,
    stop_signal: signal.Signals = signal.SIGINT,
    grace_seconds: float = 15,
) -> Child:
    """Start `argv` with its output in `log`.

    The session of its own keeps the terminal's Ctrl-C from reaching the child before us:
    who stops first would then be chance.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(name, process, stop_signal, grace_seconds)


class NotReadyError(Exception):
    """A child ended, or took too long, before it was ready."""


def wait_until(ready: Callable[[], bool], child: Child, *, seconds: float, log: Path) -> None:
    """Wait until `ready()`; raises NotReadyError with the tail of the log when it never is."""
    deadline = time.monotonic() + seconds
    while not ready():
        if not child.alive:
            raise NotReadyError(f"{child.name} ended at once. {log} ends with:\n{tail(log)}")
        if time.monotonic() > deadline:
            raise NotReadyError(
                f"{child.name} was not ready after {seconds:.0f} s. {log} ends with:\n{tail(log)}"
            )
        time.sleep(0.05)


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log file, indented."""
    if not log.exists():
        return "  (no output)"
    text = log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    return "\n".join(f"  {line}" for line in text) or "  (no output)"


def turn_signals_into_exit() -> None:
    """Let SIGTERM and SIGHUP unwind the stack as Ctrl-C does, so that `finally` stops the children.

    SIGINT is set too: a shell starts background jobs with SIGINT ignored.
    """

    def leave(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(name: str, process: psutil.Process) -> None:
    try:
        title = " ".join(process.cmdline())[:80]
        process.kill()
    except psutil.NoSuchProcess:
        return
    print(f"{name}: process {process.pid} did not end by itself, killed: {title}", file=sys.stderr)
