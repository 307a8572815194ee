"""How the platform of a batch transform talks with the server inside its container.

The service uses HTTP; here it is a pair of connected sockets with the same requests and replies
(status codes are HTTP's), since nobody else may ask and a record should not cost a connection.
A message is two lengths, a JSON header and a body; the server speaks first, when it is ready.
"""

import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LENGTHS = struct.Struct("!IQ")

# The variable that tells the server its sockets' descriptors, comma-separated.
SOCKETS_VARIABLE = "NACRE_SERVE_FDS"


@dataclass(frozen=True)
class Invocation:
    """A request to predict: the body, its type, and the type wanted back (None: not said)."""

    body: bytes
    content_type: str | None = None
    accept: str | None = None


@dataclass(frozen=True)
class Reply:
    """The answer; from 400 on the body says what is wrong."""

    status: int
    body: bytes
    content_type: str = "text/plain"


def send(connection: socket.socket, header: Mapping[str, Any], body: bytes = b"") -> None:
    """Send one message."""
    text = json.dumps(header).encode()
    connection.sendall(_LENGTHS.pack(len(text), len(body)) + text)
    connection.sendall(body)


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """Receive one message; EOFError if the other side is gone."""
    header_size, body_size = _LENGTHS.unpack(_exactly(connection, _LENGTHS.size))
    header: dict[str, Any] = json.loads(_exactly(connection, header_size))
    return header, bytes(_exactly(connection, body_size))


def _exactly(connection: socket.socket, size: int) -> bytearray:
    received = bytearray(size)
    view = memoryview(received)
    while view:
        count = connection.recv_into(view)
        if count == 0:
            raise EOFError("the other side is gone")
        view = view[count:]
    return received
