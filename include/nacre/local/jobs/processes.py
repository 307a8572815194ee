"""One host's process tree: started in namespaces of its own, signalled, awaited, never left behind.

Linux only. What the process tree is, launcher.py says.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from include.nacre.local.images import layout
from include.nacre.local.jobs import launcher
from include.nacre.local.jobs.faults import client_error
from include.nacre.local.jobs.places import MACHINE_NAMES, Host
from include.nacre.local.jobs.tools import needed_paths

_NO_OWN_VIEW = (
    "The local SageMaker cannot give the job its own /opt/ml on this machine ({fault}). {remedy}"
)
_NOT_LINUX = (
    "Jobs need Linux's namespaces. Run the local SageMaker on Linux: in a virtual machine, in WSL2,"
    " or in a container started with --privileged."
)
_IN_A_CONTAINER = (
    "It needs mount namespaces. Inside a container start that one with --privileged, or with"
    " --cap-add=SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    " --security-opt systempaths=unconfined."
)
# Kernel setting -> the value that forbids what we need, and how to change it.
_SETTINGS: Mapping[str, tuple[str, str]] = {
    "kernel/apparmor_restrict_unprivileged_userns": (
        "1",
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    "kernel/unprivileged_userns_clone": (
        "0",
        "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    "user/max_user_namespaces": ("0", "sudo sysctl -w user.max_user_namespaces=10000"),
}


@dataclass(frozen=True)
class Command:
    """What a host runs; `sockets` are descriptors that it inherits."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    cwd: str = "/"
    sockets: tuple[int, ...] = ()


class HostProcess:
    """A started host; what it prints goes to the `output` descriptor, which is closed here."""

    def __init__(self, host: Host, command: Command, output: int) -> None:
        self.host = host
        self._code: int | None = None
        self._status, status_write = os.pipe()
        try:
            self._process = _launch(host, command, output, status_write)
        finally:  # whoever waits for the end of either must not wait for us
            os.close(output)
            os.close(status_write)

    def fileno(self) -> int:
        """A descriptor that turns readable when the host has ended."""
        return self._status

    def has_ended(self) -> bool:
        """Whether the host has ended (by now: it does not wait)."""
        return self._process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the host's command."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End the host and everything in it, at once."""
        self._process.send_signal(launcher.KILL)

    def wait(self) -> int:
        """The command's exit status as a container's, once nothing of the host runs any more.

        If the host could not be started: a JobFault that says why and what to do.
        """
        if self._code is None:
            self._code = self._process.wait()
            fault = os.read(self._status, 4096).decode()
            os.close(self._status)
            if fault:
                raise client_error(_NO_OWN_VIEW.format(fault=fault, remedy=remedy()))
        return self._code if self._code >= 0 else 128 - self._code


def _launch(host: Host, command: Command, output: int, status: int) -> subprocess.Popen[bytes]:
    if sys.platform != "linux":
        raise client_error(_NO_OWN_VIEW.format(fault=sys.platform, remedy=_NOT_LINUX))
    plan = host.folder / "plan.json"
    plan.write_text(json.dumps(_plan(host, command, status)), encoding="utf-8")
    with plan.open("rb") as plan_file:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", launcher.__file__],
            stdin=plan_file,
            stdout=output,
            stderr=output,
            pass_fds=(status, *command.sockets),
        )


def remedy(settings: Path = Path("/proc/sys"), mount_point: Path = Path("/opt")) -> str:
    """What makes jobs possible on a Linux machine that does not let us mount."""
    if not mount_point.is_dir():
        return f"Make the folder that it is mounted below: sudo mkdir {mount_point}"
    for name, (forbidding, command) in _SETTINGS.items():
        path = settings / name
        if path.exists() and path.read_text().strip() == forbidding:
            return f"Allow it: {command}"
    return _IN_A_CONTAINER


def _plan(host: Host, command: Command, status_fd: int) -> launcher.Plan:
    binds = {layout.ML: host.ml, layout.TOOLS: host.tools, "/tmp": host.tmp}  # noqa: S108
    if MACHINE_NAMES.exists():
        binds[MACHINE_NAMES] = host.names
    return {
        "parent": os.getpid(),
        "status_fd": status_fd,
        "hostname": host.name,
        "binds": [(str(source), str(target)) for target, source in binds.items()],
        "keep": [path for path in needed_paths() if Path(path).is_relative_to("/tmp")],  # noqa: S108
        "argv": list(command.argv),
        "env": dict(command.environment),
        "cwd": command.cwd,
    }
