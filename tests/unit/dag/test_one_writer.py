"""Requests that write pass one at a time; requests that read pass as they come."""

import asyncio
from typing import Any

import pytest

from include.nacre.dag.one_writer import OneWriter, writes


def request(method: str, path: str, kind: str = "http") -> dict[str, Any]:
    return {"type": kind, "method": method, "path": path}


async def no_body() -> Any:
    """What a server receives of a request without a body."""
    return {"type": "http.request", "body": b""}


async def nobody(_: Any) -> None:
    """Who listens to the answers."""


class App:
    """Keeps each request until it is let go, and notes who came and who went."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.may_end = asyncio.Event()

    async def __call__(self, scope: Any, _receive: Any, _send: Any) -> None:
        self.seen.append(f"begin {scope['path']}")
        if scope["method"] != "GET":
            await self.may_end.wait()
        self.seen.append(f"end {scope['path']}")
        if scope["path"].endswith("broken"):
            raise ConnectionError("the client is gone")


async def outcome(*requests: dict[str, Any]) -> list[str]:
    """What becomes of requests that come at once, in the order of what happens."""
    app = App()
    one_writer = OneWriter(app)
    sent = [asyncio.create_task(one_writer(scope, no_body, nobody)) for scope in requests]
    for _ in range(10):  # as far as they go by themselves
        await asyncio.sleep(0)
    app.may_end.set()
    await asyncio.gather(*sent, return_exceptions=True)
    return app.seen


def test_a_writer_begins_when_the_one_before_it_has_ended() -> None:
    requests = [request("PATCH", "/execution/a"), request("POST", "/api/v2/b")]
    assert asyncio.run(outcome(*requests)) == [
        "begin /execution/a",
        "end /execution/a",
        "begin /api/v2/b",
        "end /api/v2/b",
    ]


def test_a_reader_passes_a_writer() -> None:
    requests = [request("PATCH", "/execution/a"), request("GET", "/api/v2/b")]
    assert asyncio.run(outcome(*requests)) == [
        "begin /execution/a",
        "begin /api/v2/b",
        "end /api/v2/b",
        "end /execution/a",
    ]


def test_a_writer_that_breaks_lets_the_next_one_pass() -> None:
    requests = [request("PUT", "/execution/broken"), request("DELETE", "/api/v2/b")]
    assert asyncio.run(outcome(*requests))[-1] == "end /api/v2/b"


def part(body: bytes, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize(
    "sent",
    [
        [part(b"{", True), part(b"}", False), {"type": "http.disconnect"}],
        [part(b"{", True), {"type": "http.disconnect"}],
    ],
)
def test_a_writer_hears_what_its_client_sent(sent: list[dict[str, Any]]) -> None:
    client, heard = iter(sent), list[Any]()

    async def receive() -> Any:
        return next(client)

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        heard.extend([await receive() for _ in sent])

    asyncio.run(OneWriter(app)(request("POST", "/api/v2/a"), receive, nobody))
    assert heard == sent


def test_a_client_that_never_ends_its_request_keeps_nobody_waiting() -> None:
    app = App()
    one_writer = OneWriter(app)

    async def never() -> Any:
        await asyncio.Event().wait()

    async def both() -> None:
        silent = asyncio.create_task(one_writer(request("POST", "/api/v2/silent"), never, nobody))
        await asyncio.sleep(0)
        app.may_end.set()
        await asyncio.wait_for(one_writer(request("POST", "/api/v2/b"), no_body, nobody), 10)
        silent.cancel()

    asyncio.run(both())
    assert app.seen[-1] == "end /api/v2/b"


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (request("POST", "/api/v2/dags/a/dagRuns"), True),
        (request("PATCH", "/behind/a/proxy/execution/task-instances/1/run"), True),
        (request("HEAD", "/api/v2/pools"), False),
        (request("POST", "/somebodys/plugin"), False),
        ({"type": "lifespan"}, False),
    ],
)
def test_only_what_writes_into_airflows_database_waits(
    scope: dict[str, Any], expected: bool
) -> None:
    assert writes(scope) == expected
