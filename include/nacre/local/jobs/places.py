"""Where a host of a job finds its things: the container's paths, as folders of the job's own."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from include.nacre.local.images import layout
from include.nacre.local.jobs.faults import client_error

MACHINE_NAMES = Path("/etc/hosts")


@dataclass(frozen=True)
class Host:
    """One host: its name (`algo-1`, ...), the folder that holds what is its own, its log stream."""

    name: str
    folder: Path
    stream: str

    @property
    def ml(self) -> Path:
        """What the job sees as /opt/ml."""
        return self.folder / "ml"

    @property
    def tools(self) -> Path:
        """The job's Python and the image's commands."""
        return self.folder / "tools"

    @property
    def tmp(self) -> Path:
        """What the job sees as /tmp."""
        return self.folder / "tmp"

    @property
    def names(self) -> Path:
        """What the job sees as /etc/hosts."""
        return self.folder / "hosts"

    def at(self, path: str | PurePosixPath) -> Path:
        """The folder or file behind a path of the container, which must lie below /opt/ml."""
        wanted = PurePosixPath(path)
        if ".." in wanted.parts or not wanted.is_relative_to(layout.ML):
            raise client_error(f"{path} is not below {layout.ML}: nothing is read or kept there")
        return self.ml / wanted.relative_to(layout.ML)

    def make(self, path: str | PurePosixPath) -> Path:
        """The folder behind a path of the container, made if it is missing."""
        folder = self.at(path)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def make_hosts(job_dir: Path, streams: Mapping[str, str]) -> list[Host]:
    """The hosts of a job, their folders made; the mapping is from their names to log streams."""
    hosts = [Host(name, job_dir / name, stream) for name, stream in streams.items()]
    for host in hosts:
        for folder in (host.ml, host.tmp):
            folder.mkdir(parents=True, exist_ok=True)
        host.tmp.chmod(0o1777)
    return hosts


def write_names(hosts: Sequence[Host], job: str) -> None:
    """Let the hosts of a job find each other by name, beside the names that the machine knows.

    Each has an address of its own on the loopback device, so that two hosts, or two jobs, that
    listen on the same port of their own name do not meet.
    """
    digest = hashlib.sha256(job.encode()).digest()
    network = f"127.{digest[0] % 254 + 1}.{digest[1]}"
    lines = [f"{network}.{number % 254 + 1} {host.name}" for number, host in enumerate(hosts)]
    known = MACHINE_NAMES.read_bytes() if MACHINE_NAMES.exists() else b"127.0.0.1 localhost\n"
    for host in hosts:
        host.names.write_bytes("\n".join([*lines, ""]).encode() + known)
