"""Telling a service to misbehave, and asking it how often it was called."""

import json
import urllib.error
import urllib.request
from typing import Any

from tests.support.local_sagemaker import LocalSageMaker


def asked(service: LocalSageMaker, method: str, path: str, body: bytes | None = None) -> Any:
    """The (status, JSON) of a request to the service's own pages."""
    request = urllib.request.Request(service.endpoint + path, body, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request) as reply:  # noqa: S310 - our own server
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def put(service: LocalSageMaker, *rules: dict[str, Any], seed: int = 0) -> None:
    """Have these rules in force, and no others."""
    body = json.dumps({"seed": seed, "rules": rules}).encode()
    status, answer = asked(service, "PUT", "/faults", body)
    assert status == 200, answer
