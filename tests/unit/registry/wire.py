"""boto3's own client, answered by a SageMaker in memory: no sockets in between."""

import io
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from tests.unit.local.memory import InMemory


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def client_of(sagemaker: InMemory) -> Any:
    """A client of the service that makes one try a call."""
    client = boto3.client(
        "sagemaker",
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"max_attempts": 0}),
    )

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        target, body = request.headers["X-Amz-Target"], request.body or b""
        text = target.decode() if isinstance(target, bytes) else target
        reply = sagemaker.service.handle(text, bytes(body), "request-1")
        return AWSResponse(request.url, reply.status, dict(reply.headers), _Body(reply.body))

    client.meta.events.register("before-send.sagemaker", answer)
    return client
