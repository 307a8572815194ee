"""The one WSGI application of the port: who answers which request."""

import re
import uuid
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from include.nacre.local.faults.pages import METHODS, Control
from include.nacre.local.faults.wire import Wire
from include.nacre.local.protocol.core import Reply

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# The service whose key signed a request: `Credential=<key>/<date>/<region>/<service>/aws4_request`.
_SIGNED_FOR = re.compile(r"Credential=[^/,]*/\d*/[^/,]*/([^/,]*)/aws4_request")

Wsgi = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]
Page = Callable[[str, str], Reply]  # path below /console, query string


class Application:
    """SageMaker and its logs are ours, pages are for people, all else is the neighbours'.

    Raises Dropped where a client gets no answer.
    """

    def __init__(
        self,
        services: Sequence[Wire],
        control: Control,
        page: Page,
        neighbours: Wsgi,
        s3_endpoint: str,
    ) -> None:
        self._services = {service.target_prefix: service for service in services}
        self._control = control
        self._page = page
        self._neighbours = neighbours
        self._s3_endpoint = s3_endpoint

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        service = self._services.get(environ.get("HTTP_X_AMZ_TARGET", "").partition(".")[0])
        if service is not None:
            return _sent(self._call(service, environ), start_response)
        # WSGI hands the path's bytes over as if they were Latin-1.
        path = environ.get("PATH_INFO", "/").encode("latin-1").decode(errors="replace")
        if path == "/console" or path.startswith("/console/"):
            page = self._page(path.removeprefix("/console"), environ.get("QUERY_STRING", ""))
            return _sent(page, start_response)
        signed_for = _signed_for(environ)
        if signed_for is None and path in METHODS:
            method = environ["REQUEST_METHOD"]
            return _sent(self._control.answer(method, path, _body(environ)), start_response)
        if signed_for == "s3":
            return _sent(self._wrong_port(), start_response)
        if signed_for is None and path == "/":
            moved = Reply(302, b"", {"Location": "/console/"})
            return _sent(moved, start_response)
        return self._neighbours(environ, start_response)

    def _call(self, service: Wire, environ: "WSGIEnvironment") -> Reply:
        return service.handle(environ["HTTP_X_AMZ_TARGET"], _body(environ), str(uuid.uuid4()))

    def _wrong_port(self) -> Reply:
        # Better than an answer from moto's S3, which knows none of the objects.
        text = (
            f"S3 is served at {self._s3_endpoint}: set AWS_ENDPOINT_URL_S3, or the client's"
            " endpoint_url for s3, to it."
        )
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>InvalidRequest</Code><Message>{text}</Message></Error>"
        )
        return Reply(400, body.encode(), {"Content-Type": "application/xml"})


def _body(environ: "WSGIEnvironment") -> bytes:
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return body


def _signed_for(environ: "WSGIEnvironment") -> str | None:
    found = _SIGNED_FOR.search(environ.get("HTTP_AUTHORIZATION", ""))
    return found[1] if found else None


def _sent(reply: Reply, start_response: "StartResponse") -> Iterable[bytes]:
    headers = [*reply.headers.items(), ("Content-Length", str(len(reply.body)))]
    start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
    return [reply.body]
