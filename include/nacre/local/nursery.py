"""Starts supervisors fast: a process that has imported what they need, and forks one a job.

It reads a job a line (`KIND NAME`) and answers with the new process's number; it ends when its
input does, which is also when the server dies. The supervisors go on without it. Forking takes
milliseconds where starting Python and importing takes a tenth of a second, four times a pipeline.
"""

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from include.nacre.local.jobs.spec import Kind
from include.nacre.local.place import Place, StateFolder
from include.nacre.local.runner import LaunchError

_PROJECT = Path(__file__).resolve().parents[3]


class Nursery:
    """The server's side: starts the process when it is first needed, or needed again."""

    def __init__(self, folder: StateFolder, place: Place, environment: Mapping[str, str]) -> None:
        self._log = folder.supervisors_log
        self._arguments = (
            *("--state", str(folder.root)),
            *("--region", place.region, "--account", place.account),
        )
        self._environment = {**os.environ, **environment}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process already, so that the first job need not wait for it."""
        with self._lock:
            self._started()

    def launch(self, kind: Kind, name: str) -> int:
        """Start a job's supervisor; its process number."""
        with self._lock:
            for _ in range(2):  # a nursery that has died is replaced once
                answer = self._ask(f"{kind} {name}\n")
                if answer:
                    return int(answer)
                self._end()
        raise LaunchError(f"The process that starts jobs does not: its words are in {self._log}.")

    def close(self) -> None:
        """End the process; supervisors are not its concern any more."""
        with self._lock:
            self._end()

    def _ask(self, line: str) -> str:
        process = self._started()
        if process.stdin is None or process.stdout is None:
            return ""
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(line)
            process.stdin.flush()
            return process.stdout.readline()
        return ""

    def _started(self) -> "subprocess.Popen[str]":
        if self._process is None:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "include.nacre.local.nursery", *self._arguments],
                    cwd=_PROJECT,
                    env=self._environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    start_new_session=True,
                )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.communicate()
            self._process = None


def serve(arguments: Sequence[str]) -> None:
    """Fork a supervisor for each line that is read."""
    # Imported before the first fork, and never by the server.
    from include.nacre.local import supervisor

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them; nobody here waits
    gc.freeze()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _be_supervisor(supervisor.main, [*arguments, *line.split()])
        print(pid, flush=True)


def _be_supervisor(main: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> NoReturn:
    """In the child: let go of the nursery, run one job, end whatever happens."""
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        status = main(arguments)
    except BaseException:  # noqa: BLE001 - the child must never return into the parent's loop
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve(sys.argv[1:])
