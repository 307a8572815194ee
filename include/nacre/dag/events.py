"""State changes that EventBridge puts into an SQS queue: they wake the watcher.

An event only says where to look. What has ended is asked about as ever, so an event that is late,
doubled, forged or lost does no harm.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from include.nacre.dag.kinds import (
    EXECUTION,
    MODEL_PACKAGE,
    PROCESSING,
    TRAINING,
    TRANSFORM,
    Kind,
)

SOURCE = "aws.sagemaker"

POLL_SECONDS = 20
"""How long the queue may hold back an empty answer: the most that SQS allows."""

HIDDEN_SECONDS = 10
"""How long a message is hidden from others once it was received. One that is about nobody here
comes back then, for another triggerer that shares the queue."""

OFTEN_ENOUGH = 12
"""A message that was received so often is nobody's, or polling has noticed the end by now."""

BATCH = 10
"""As many messages as SQS gives at once."""


@dataclass(frozen=True)
class _Shape:
    kind: Kind
    name_key: str
    status_key: str


def _as_described(kind: Kind) -> _Shape:
    return _Shape(kind, kind.name_key, str(kind.status_key))


_SHAPES: Mapping[str, _Shape] = MappingProxyType(
    {
        "SageMaker Training Job State Change": _as_described(TRAINING),
        "SageMaker Processing Job State Change": _as_described(PROCESSING),
        "SageMaker Transform Job State Change": _as_described(TRANSFORM),
        "SageMaker Model Package State Change": _as_described(MODEL_PACKAGE),
        "SageMaker Model Building Pipeline Execution Status Change": _Shape(
            EXECUTION, "pipelineExecutionArn", "currentPipelineExecutionStatus"
        ),
    }
)
"""By `detail-type`."""


@dataclass(frozen=True)
class Told:
    """What an event says: of what kind, its name (or ARN), and whether it has ended."""

    kind: str
    name: str
    ended: bool


OF_OTHERS = Told("", "", ended=False)
"""What SageMaker tells of what no task waits for: its endpoints, say."""


@dataclass(frozen=True)
class Message:
    """One message of a queue. `receipt` is what it is deleted by."""

    body: str
    receipt: str
    received: int
    """How often anybody has received it, this time included."""


class Queue(Protocol):
    """What a watcher listens to. Both calls may block, and raise what botocore raises."""

    def receive(self) -> Sequence[Message]: ...

    def delete(self, messages: Sequence[Message]) -> None: ...


def read(body: str) -> Told | None:
    """Return what a message says; None if it is no event of SageMaker's."""
    try:
        event = json.loads(body)
    except ValueError:
        return None
    match event:
        case {"source": str(source), "detail-type": str(about), "detail": dict(detail)}:
            shape = _SHAPES.get(about)
        case {"source": str(source)}:
            shape, detail = None, {}
        case _:
            return None
    if source != SOURCE:
        return None
    if shape is None:
        return OF_OTHERS
    name, status = detail.get(shape.name_key), detail.get(shape.status_key)
    if not (isinstance(name, str) and isinstance(status, str)):
        return OF_OTHERS
    return Told(shape.kind.step_type, name, shape.kind.ended(status))


class SqsQueue:
    """A queue in SQS, by its name or its URL."""

    def __init__(self, sqs: Any, queue: str) -> None:
        self._sqs = sqs
        by_url = queue.startswith(("http://", "https://"))
        self._url = queue if by_url else str(sqs.get_queue_url(QueueName=queue)["QueueUrl"])

    def receive(self) -> list[Message]:
        """Return up to ten messages; waits for the first one."""
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=poll_seconds(self._sqs.meta.config.read_timeout),
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        return [
            Message(
                message["Body"],
                message["ReceiptHandle"],
                int(message["Attributes"]["ApproximateReceiveCount"]),
            )
            for message in answer.get("Messages", ())
        ]

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete messages of one batch."""
        entries = [
            {"Id": str(number), "ReceiptHandle": message.receipt}
            for number, message in enumerate(messages)
        ]
        if entries:
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)


def poll_seconds(read_timeout: float | None) -> int:
    """Return how long a call may wait for messages, where the connection's own time limit for an
    answer is `read_timeout` seconds.
    """
    if read_timeout is None:
        return POLL_SECONDS
    return max(1, min(POLL_SECONDS, int(read_timeout / 2)))


def events_queue() -> str:
    """Return the name or URL of the queue of events, or "".

    Airflow's config `[nacre] events_queue` (AIRFLOW__NACRE__EVENTS_QUEUE).
    """
    from airflow.sdk.configuration import conf

    return conf.get("nacre", "events_queue", fallback="") or ""
