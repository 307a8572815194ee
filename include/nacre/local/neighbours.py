"""The other AWS services (STS, SQS, EventBridge ...): moto's server application, in this process.

It is imported by the first call that needs it: 60 MB that most runs never do.
"""

import json
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from include.nacre.local.events import Event
from include.nacre.local.place import Place

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ROLE = "SageMakerExecutionRole"
_TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",'
    ' "Principal": {"Service": "sagemaker.amazonaws.com"}}]}'
)


class SendError(Exception):
    """A message cannot be sent; the text says why and what to do."""


class Neighbours:
    """A WSGI application that is made when it is first called."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._application: Callable[..., Iterable[bytes]] | None = None

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        return self._made()(environ, start_response)

    def send_message(self, queue_url: str, body: str) -> None:
        """Send a message to an SQS queue; raises SendError if there is none of that address."""
        from moto.backends import get_backend
        from moto.core.exceptions import ServiceException

        self._made()
        queues: Any = get_backend("sqs")[self._place.account][self._place.region]
        try:
            queues.send_message(queue_url.rpartition("/")[2], body)
        except ServiceException as refused:
            raise SendError(
                f"No message can be sent to the queue {queue_url} ({refused.message}): it has to be"
                " a standard queue that was created at this endpoint. Queues do not outlive the"
                " local SageMaker."
            ) from refused

    def put_event(self, event: Event) -> None:
        """Have EventBridge send an event to the targets of the rules that it fits.

        Where nobody has called any neighbour yet there are no rules, and nothing is imported.
        """
        if self._application is None:
            return
        from moto.backends import get_backend

        bridge: Any = get_backend("events")[self._place.account][self._place.region]
        bridge.put_events(
            [
                {
                    "Source": "aws.sagemaker",
                    "DetailType": event.detail_type,
                    "Time": event.time,
                    "Resources": list(event.resources),
                    "Detail": json.dumps(event.detail),
                }
            ]
        )

    def _made(self) -> Callable[..., Iterable[bytes]]:
        with self._lock:
            if self._application is None:
                self._application = _moto(self._place)
            return self._application


def _moto(place: Place) -> Callable[..., Iterable[bytes]]:
    from moto.backends import get_backend
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    # The role that examples and tests run with, so that IAM's GetRole finds it.
    iam: Any = get_backend("iam")[place.account]["aws"]
    iam.create_role(ROLE, _TRUST, "/", None, "", [], 3600)
    application: Callable[..., Iterable[bytes]] = DomainDispatcherApplication(create_backend_app)
    return application
