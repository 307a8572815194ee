"""`/faults` and `/calls` on the service's port: what goes wrong, and how often who was called."""

import json
from collections.abc import Callable, Collection
from typing import Any

from include.nacre.local.faults.force import Faults
from include.nacre.local.faults.reading import ScenarioError, parse_scenario
from include.nacre.local.faults.wire import Tally
from include.nacre.local.protocol.core import Reply

METHODS = {"/faults": "GET, PUT and DELETE", "/calls": "GET"}
"""What the paths of this page take; all else is for others."""


class Control:
    """Answers the requests of whoever tests against the service. All bodies are JSON.

    `let_go` ends the delays that rules have caused which are in force no more.
    """

    def __init__(
        self,
        faults: Faults,
        tally: Tally,
        operations: Collection[str],
        let_go: Callable[[], None],
    ) -> None:
        self._faults = faults
        self._tally = tally
        self._operations = operations
        self._let_go = let_go

    def answer(self, method: str, path: str, body: bytes) -> Reply:
        """Answer a request to one of the two paths."""
        match path, method:
            case "/calls", "GET":
                return _reply(200, self._tally.described())
            case "/faults", "GET":
                return _reply(200, self._faults.described())
            case "/faults", "PUT":
                return self._replace(body)
            case "/faults", "DELETE":
                return self._replace(b"{}")
        return _reply(405, {"faults": [f"{path} takes {METHODS[path]}, not {method}"]})

    def _replace(self, body: bytes) -> Reply:
        try:
            self._faults.replace(parse_scenario(body, self._operations))
        except ScenarioError as error:
            return _reply(400, {"faults": [str(fault) for fault in error.faults]})
        self._let_go()
        return _reply(200, self._faults.described())


def _reply(status: int, content: Any) -> Reply:
    body = json.dumps(content, indent=2) + "\n"
    return Reply(status, body.encode(), {"Content-Type": "application/json"})
