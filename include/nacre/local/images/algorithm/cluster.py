"""Several hosts train one model: who has data, and XGBoost's collective among those who do.

The first host asks each of the others whether it has data, starts XGBoost's tracker, and only then
tells them where it listens: a worker that finds no tracker would wait for seconds.
"""

import json
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from include.nacre.local.images.announce import announce
from include.nacre.local.images.errors import UserError

_MEETING_PORT = 9099
_RETRY_SECONDS = 0.02

Others = dict[str, tuple[socket.socket, bool]]


@dataclass(frozen=True)
class Members:
    """Who takes part, by name, and the port of the tracker on the first of all hosts."""

    names: list[str]
    port: int


@contextmanager
def joined(hosts: Sequence[str], current: str, has_data: bool) -> Iterator[bool | None]:
    """Join the hosts that have data; yields whether this one saves the model, None if left out."""
    announce(f"Distributed node training with {len(hosts)} hosts: {list(hosts)}")
    first = sorted(hosts)[0]
    tracker = None
    if current == first:
        members, tracker = _gather(first, len(hosts) - 1, has_data)
    else:
        members = _ask(first, current, has_data)
    if not members.names:
        raise UserError("No hosts received training data.")
    if current not in members.names:
        announce(f"Host {current} does not have data: it takes no part in the training.", "WARNING")
        yield None
    else:
        with _collective(first, members.port, members.names.index(current)):
            yield current == members.names[0]
    if tracker is not None:
        tracker.wait_for()


def _gather(first: str, count: int, has_data: bool) -> tuple[Members, Any | None]:
    """Hear every other host, start the tracker for those with data, and tell all of it."""
    with _meeting(first, count) as others:
        names = sorted([host for host in others if others[host][1]] + [first] * has_data)
        tracker = _start_tracker(first, len(names)) if names else None
        members = Members(names, tracker.worker_args()["dmlc_tracker_port"] if tracker else 0)
        for connection, _ in others.values():
            connection.sendall(json.dumps(asdict(members)).encode() + b"\n")
    return members, tracker


@contextmanager
def _meeting(first: str, count: int) -> Iterator[Others]:
    """Every other host's connection and whether it has data."""
    others: Others = {}
    with socket.create_server((first, _MEETING_PORT)) as server:
        while len(others) < count:
            connection, _ = server.accept()
            said = json.loads(connection.makefile().readline())
            others[said["host"]] = (connection, said["has_data"])
        yield others
    for connection, _ in others.values():
        connection.close()


def _ask(first: str, current: str, has_data: bool) -> Members:
    with _connected(first) as connection:
        said = {"host": current, "has_data": has_data}
        connection.sendall(json.dumps(said).encode() + b"\n")
        answer = connection.makefile().readline()
    if not answer:
        raise ConnectionError(f"{first} ended before the training began")
    return Members(**json.loads(answer))


def _connected(first: str) -> socket.socket:
    while True:
        try:
            return socket.create_connection((first, _MEETING_PORT))
        except ConnectionRefusedError:  # it still loads its data; if it fails, so does the job
            time.sleep(_RETRY_SECONDS)


def _start_tracker(first: str, count: int) -> Any:
    from xgboost.tracker import RabitTracker

    # Any free port: one of a cluster that has just ended would be refused for a minute.
    address = socket.gethostbyname(first)
    tracker = RabitTracker(n_workers=count, host_ip=address, port=0, sortby="task")
    tracker.start()
    return tracker


def _collective(first: str, port: int, rank: int) -> Any:
    from xgboost.collective import CommunicatorContext

    return CommunicatorContext(
        dmlc_tracker_uri=socket.gethostbyname(first),
        dmlc_tracker_port=port,
        dmlc_task_id=f"{rank:05d}",  # ranks are dealt by it
    )
