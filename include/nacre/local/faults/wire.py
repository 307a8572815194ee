"""A service as clients reach it: its calls are counted, and go wrong as the faults in force say."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from include.nacre.local.faults.force import Faults
from include.nacre.local.faults.rules import CallDeed
from include.nacre.local.protocol.core import JsonService, Reply, refusal
from include.nacre.local.protocol.errors import (
    ApiError,
    InternalFailureError,
    ServiceUnavailableError,
    ThrottlingError,
)

Wait = Callable[[float], None]

# The words are the service's.
_ERRORS: Mapping[CallDeed, ApiError] = {
    "throttle": ThrottlingError("Rate exceeded"),
    "internal": InternalFailureError(
        "The request processing has failed because of an unknown error, exception or failure."
    ),
    "unavailable": ServiceUnavailableError(
        "The request has failed due to a temporary failure of the server."
    ),
}
_NAMES = ("Name", "Prefix", "Contains", "Arn")  # how members end that say what a call is about
_NO_NAMES = ("RoleArn",)  # nearly every request has one


class Dropped(Exception):  # noqa: N818 - what happens to the connection
    """The client gets no answer: its connection is to be closed."""


class Tally:
    """How often each operation was called, by service; for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, dict[str, dict[str, int]]] = {}

    def count(self, service: str, operation: str, *, answered: bool) -> None:
        """One more call, which got what it asked for, or did not."""
        with self._lock:
            calls = self._calls.setdefault(service, {})
            counts = calls.setdefault(operation, {"answered": 0, "failed": 0})
            counts["answered" if answered else "failed"] += 1

    def described(self) -> dict[str, dict[str, dict[str, int]]]:
        """All counts: by service, then by operation."""
        with self._lock:
            return {
                service: {name: dict(counts) for name, counts in sorted(calls.items())}
                for service, calls in sorted(self._calls.items())
            }


class Wire:
    """One service on the wire. `wait` holds a call up without holding up others."""

    def __init__(self, service: JsonService, faults: Faults, tally: Tally, wait: Wait) -> None:
        self._service = service
        self._faults = faults
        self._tally = tally
        self._wait = wait

    @property
    def target_prefix(self) -> str:
        """What stands before the dot in the `X-Amz-Target` of this service's calls."""
        return self._service.target_prefix

    def handle(self, target: str, body: bytes, request_id: str) -> Reply:
        """Answer one call, or raise Dropped."""
        operation = target.partition(".")[2]
        if operation not in self._service.operation_names:
            return self._service.handle(target, body, request_id)
        reply = None
        try:
            reply = self._answer(operation, target, body, request_id)
        finally:
            is_answered = reply is not None and reply.status == 200
            self._tally.count(self._service.name, operation, answered=is_answered)
        return reply

    def _answer(self, operation: str, target: str, body: bytes, request_id: str) -> Reply:
        fate = self._faults.of_call(operation, lambda: names_in(body))
        if fate.seconds:
            self._wait(fate.seconds)
        error = _ERRORS.get(fate.deed) if fate.deed else None
        if error is not None:
            return refusal(error, request_id)
        if fate.deed == "drop":
            raise Dropped(operation)
        reply = self._service.handle(target, body, request_id)
        if fate.deed == "drop_after":
            raise Dropped(operation)
        return reply


def names_in(body: bytes) -> Iterator[str]:
    """The names and ARNs that say what a request is about; none in what cannot be read."""
    try:
        content: Any = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return
    for member, value in content.items() if isinstance(content, dict) else ():
        if isinstance(value, str) and member.endswith(_NAMES) and not member.endswith(_NO_NAMES):
            yield value
