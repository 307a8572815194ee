"""What steps create, made through the operations of the service itself.

Every request is checked as one that came over the wire. What a step creates is known by its name
before it is created, so that it is created once, whoever dies in between.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from include.nacre.definition.expressions import Json
from include.nacre.local.pipelines.kinds import Kind
from include.nacre.local.protocol.core import Response
from include.nacre.local.protocol.errors import ApiError, ValidationError
from include.nacre.local.world import World

Call = Callable[[str, bytes], Response]
"""`JsonService.call`: an operation by name, with the body of its request."""

_GROUP, _GROUP_KEY, _TOKEN_KEY = "model-package-group", "ModelPackageGroupName", "ClientToken"


@dataclass(frozen=True)
class Creation:
    """What a step creates: `name` names it, or is the client token of a package in a group."""

    kind: Kind
    name: str
    request: Mapping[str, Json]

    def body(self) -> dict[str, Json]:
        """Return the request with the name in it."""
        key = _TOKEN_KEY if _GROUP_KEY in self.request else self.kind.name_key
        return {**self.request, key: self.name}


class Refused(Exception):  # noqa: N818 - says what the service did
    """The service has refused to create something; `code` is its error code."""

    def __init__(self, operation: str, error: ApiError) -> None:
        super().__init__(
            f"ClientError: Failed to invoke sagemaker:{operation}. Error Details: {error}"
        )
        self.code = error.code


class Service:
    """What the steps of all executions create."""

    def __init__(self, world: World, call: Call) -> None:
        self._world = world
        self._call = call

    def arn(self, kind: Kind, name: str) -> str | None:
        """Return the ARN of what was created under a name or client token, if it was."""
        token = self._world.store.token(f"Create{kind.resource}", name)
        if token is not None:
            return token[1]
        found = self._world.store.get(kind.stored, name)
        return found.arn if found else None

    def create(self, creation: Creation) -> str:
        """Create it, unless that was done before; its ARN. Raises Refused."""
        kind = creation.kind
        existing = self.arn(kind, creation.name)
        if existing is not None:
            return existing
        operation = f"Create{kind.resource}"
        try:
            self._make_group(creation.request.get(_GROUP_KEY))
            answer = self._run(operation, creation.body())
        except ApiError as error:
            raise Refused(operation, error) from error
        return str(answer[kind.arn_key])

    def describe(self, kind: Kind, name: str) -> Mapping[str, Any]:
        """Return the Describe answer; `name` may be the client token of a package."""
        arn = self.arn(kind, name)
        known_as = arn if kind.thing == "model-package" and arn is not None else name
        return self._run(f"Describe{kind.resource}", {kind.name_key: known_as})

    def stop(self, kind: Kind, name: str) -> None:
        """Ask a job to end; one that has ended already need not be asked."""
        try:
            self._run(f"Stop{kind.resource}", {kind.name_key: name})
        except ValidationError:
            if self.describe(kind, name)[f"{kind.resource}Status"] == "InProgress":
                raise

    def _make_group(self, name: str | None) -> None:
        """Open the group of a package, as the service does for a step that registers one."""
        if name is None or name.startswith("arn:"):
            return
        # By its ARN: names of groups that differ in case alone are one.
        if self._world.store.by_arn(self._world.place.arn(f"{_GROUP}/{name}")) is None:
            self._run("CreateModelPackageGroup", {_GROUP_KEY: name})

    def _run(self, operation: str, request: Mapping[str, Any]) -> Response:
        return self._call(operation, json.dumps(request).encode())
