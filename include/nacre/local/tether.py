"""Become another program that dies with its parent and serves a socket that the parent holds.

`python -m include.nacre.local.tether PARENT_PID SOCKET_FD PROGRAM ARGUMENT...`. The socket is
handed over as systemd does it (LISTEN_FDS): connections wait in it while the program restarts.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_FIRST_HANDED_OVER = 3  # where systemd's protocol wants the socket


def main(parent: int, descriptor: int, program: list[str]) -> None:
    """Never returns."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked to be told
        sys.exit(1)
    os.dup2(descriptor, _FIRST_HANDED_OVER, inheritable=True)
    environment = {**os.environ, "LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
    os.execve(program[0], program, environment)  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
