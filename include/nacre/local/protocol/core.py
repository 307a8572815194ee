"""One AWS JSON service: bytes of a call in, bytes of the answer out.

Operations are a table from name to function. Requests are checked against botocore's service
model before the function sees them, answers shaped by it after; an ApiError becomes its wire
form here and nowhere else.
"""

import json
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from botocore.model import OperationModel, ServiceModel

from include.nacre.local.protocol.errors import (
    ApiError,
    SerializationError,
    UnknownOperationError,
    ValidationError,
)
from include.nacre.local.protocol.shapes import Fault, faults, kept

Request = Mapping[str, Any]
Response = Mapping[str, Any]
Operation = Callable[[Request], Response]

CONTENT_TYPE = "application/x-amz-json-1.1"


@dataclass(frozen=True)
class Reply:
    """An answer as it goes over the wire."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class JsonService:
    """The operations of one service, callable by the wire's `X-Amz-Target`."""

    def __init__(self, model: ServiceModel, operations: Mapping[str, Operation]) -> None:
        self._model = model
        self._operations = operations

    @property
    def name(self) -> str:
        """What botocore calls this service: `sagemaker`."""
        return str(self._model.service_name)

    @property
    def operation_names(self) -> Set[str]:
        """The operations that run."""
        return self._operations.keys()

    @property
    def target_prefix(self) -> str:
        """What stands before the dot in the `X-Amz-Target` of this service's calls."""
        return str(self._model.metadata["targetPrefix"])

    def handle(self, target: str, body: bytes, request_id: str) -> Reply:
        """Answer one call; `target` is the header's text, `SageMaker.DescribeModel`."""
        try:
            result = self.call(target.partition(".")[2], body)
        except ApiError as error:
            return refusal(error, request_id)
        return _reply(200, result, request_id)

    def call(self, name: str, body: bytes) -> Response:
        """One operation's answer, or the ApiError that the client shall see."""
        operation = self._operations.get(name)
        if operation is None:
            raise UnknownOperationError(self._unknown(name))
        model = self._model.operation_model(name)
        result = operation(_read(model, body))
        output = model.output_shape
        shaped: Response = kept(output, result) if output else {}
        return shaped

    def _unknown(self, name: str) -> str:
        service = self._model.metadata.get("serviceAbbreviation", self._model.service_id)
        what = f"the operation {name!r}" if name else "a call without an operation"
        known = "does not run" if name in self._model.operation_names else "has no such thing as"
        return (
            f"The local {service} {known} {what}. It runs: {', '.join(sorted(self._operations))}."
        )


def refusal(error: ApiError, request_id: str) -> Reply:
    """An error on the wire."""
    return _reply(error.status, {"__type": error.code, "message": str(error)}, request_id)


def _reply(status: int, content: Response, request_id: str) -> Reply:
    headers = {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": request_id}
    return Reply(status, _dumped(content), headers)


def _read(model: OperationModel, body: bytes) -> Request:
    try:
        return _checked(model, json.loads(body or b"{}", parse_constant=_refuse_constant))
    except (ValueError, RecursionError) as fault:
        raise SerializationError(f"The request body is no JSON: {fault}") from fault


def _checked(model: OperationModel, content: Any) -> Request:
    shape = model.input_shape
    if shape is None:
        return {}
    found = list(faults(shape, content))
    unreadable = [fault.text for fault in found if fault.kind == "type"]
    if unreadable:
        raise SerializationError("; ".join(unreadable))
    if found:
        raise ValidationError(_detected(found))
    request: Request = kept(shape, content)
    return request


def _detected(found: list[Fault]) -> str:
    errors = "error" if len(found) == 1 else "errors"
    texts = "; ".join(fault.text for fault in found)
    return f"{len(found)} validation {errors} detected: {texts}"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _dumped(result: Response) -> bytes:
    return json.dumps(result, separators=(",", ":"), allow_nan=False).encode()
