"""The platform's side of a model server: wait until it is ready, ask, keep the answers' order."""

import selectors
import socket
from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from include.nacre.local.images import wire
from include.nacre.local.images.wire import Reply
from include.nacre.local.jobs.faults import Stopped, algorithm_error
from include.nacre.local.jobs.spec import StopRequest

_T = TypeVar("_T")


@dataclass(frozen=True)
class Patience:
    """How long to wait for one answer (seconds), and how often to ask again after a 5xx."""

    timeout: float = 600.0
    retries: int = 3


class ModelServer:
    """One host's server, reached through as many connections as it may be asked at once."""

    def __init__(
        self, connections: Sequence[socket.socket], stop: StopRequest, patience: Patience
    ) -> None:
        self._connections, self._stop, self._patience = connections, stop, patience
        for connection in connections:
            connection.settimeout(patience.timeout)

    def ready(self) -> Mapping[str, Any]:
        """Wait until the model is loaded; what the server says of batches."""
        said: Mapping[str, Any] = {}
        for connection in self._connections:
            header, _ = self._receive(connection, None)
            said = header["execution_parameters"]
        return said

    def answers(
        self, payloads: Iterable[tuple[bytes, _T]], header: Mapping[str, Any], concurrency: int
    ) -> Generator[tuple[_T, Reply], None, None]:
        """The reply to each payload, in the payloads' order; so many are asked at once.

        What stands beside a payload comes back beside its reply. Closing the generator early waits
        for the replies that are still owed.
        """
        free = deque(self._connections[:concurrency])
        asked: deque[tuple[socket.socket, bytes, _T]] = deque()
        try:
            for payload, companion in payloads:
                if not free:
                    connection, oldest, its = asked.popleft()
                    reply = self._reply(connection, oldest, header)
                    free.append(connection)
                    yield its, reply
                self._ask(free[0], payload, header)
                asked.append((free.popleft(), payload, companion))
            while asked:
                connection, oldest, its = asked.popleft()
                yield its, self._reply(connection, oldest, header)
        finally:
            with suppress(OSError, EOFError):
                for connection, _, _ in asked:
                    wire.receive(connection)

    def _ask(self, connection: socket.socket, payload: bytes, header: Mapping[str, Any]) -> None:
        try:
            wire.send(connection, header, payload)
        except OSError as fault:
            raise _gone() from fault

    def _reply(self, connection: socket.socket, payload: bytes, header: Mapping[str, Any]) -> Reply:
        for attempts_left in range(self._patience.retries, -1, -1):
            said, body = self._receive(connection, self._patience.timeout)
            if said["status"] < 500 or not attempts_left:
                break
            self._ask(connection, payload, header)
        return Reply(said["status"], body, said["content_type"])

    def _receive(
        self, connection: socket.socket, timeout: float | None
    ) -> tuple[dict[str, Any], bytes]:
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            selector.register(self._stop, selectors.EVENT_READ)
            ready = selector.select(timeout)
        if self._stop.requested:
            raise Stopped
        if not ready:
            raise algorithm_error(
                f"Model server did not respond to /invocations request within {timeout:g} seconds"
            )
        try:
            return wire.receive(connection)
        except (OSError, EOFError) as fault:
            raise _gone() from fault


def _gone() -> Exception:
    return algorithm_error(
        "Model server did not respond successfully to /ping or ended. See job logs for more"
        " information"
    )
