"""One write at a time through an API server whose database is SQLite.

Airflow 3.3.2 can lock itself out there. A request that writes has its rows flushed by a thread and
committed when the event loop comes back to it; between the two it holds SQLite's only write lock.
A person's request (clear, trigger, backfill, ...) is first noted in the audit log, and that commit
runs in the event loop itself. When it falls between the two, the loop waits for a lock that only
the loop could release: the whole server stands still for the driver's five seconds, then the
person is told "500 Internal Server Error". Tasks write all the time, so a click beside a running
task is enough. SQLite would let the writers wait for each other anyway: here they wait before they
begin, and no time is lost.
"""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

READS = ("GET", "HEAD", "OPTIONS")
# Airflow's own. Another plugin's pages may call these, and would wait for themselves.
WRITTEN = ("/api/v2/", "/execution/")


class OneWriter:
    """ASGI middleware: a request that may write waits for the one before it; reads never wait."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app
        self._turn = asyncio.Lock()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if not writes(scope):
            await self._app(scope, receive, send)
            return
        # First: a client that never ends its request must not keep the turn from the others.
        whole = _again(await _body(receive), receive)
        async with self._turn:
            await self._app(scope, whole, send)


async def _body(receive: "Receive") -> "list[Message]":
    """Return what a client sends, to its end or until it has gone."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


def _again(messages: "list[Message]", receive: "Receive") -> "Receive":
    """Return what receives these messages, then what comes after them."""
    rest = iter(messages)

    async def next_message() -> "Message":
        return next(rest, None) or await receive()

    return next_message


def writes(scope: "Scope") -> bool:
    """Whether the request may write into Airflow's database."""
    return (
        scope["type"] == "http"
        and scope["method"] not in READS
        and any(prefix in scope["path"] for prefix in WRITTEN)
    )
