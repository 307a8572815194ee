"""Where alerts arrive: a mail server, SNS and a Slack webhook on loopback."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from aiosmtpd.controller import Controller
from moto.server import ThreadedMotoServer

SECRET = "T0/B0/xoxb-very-secret"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"


class Inbox:
    """A mail server's handler that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


class Server(Controller):
    """A mail server that chooses its port."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server() -> Iterator[tuple[Inbox, dict[str, Any]]]:
    """A mail server: its inbox, and the connection to it."""
    inbox = Inbox()
    controller = Server(inbox, hostname="127.0.0.1", port=0)
    controller.start()
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"}
    try:
        yield (
            inbox,
            {
                "conn_type": "smtp",
                "host": "127.0.0.1",
                "port": controller.port,
                "extra": {**extra, "to": "oncall@example.com, lead@example.com"},
            },
        )
    finally:
        controller.stop()


def text_of(mail: EmailMessage) -> str:
    """What a mail says."""
    body = mail.get_body(("html", "plain"))
    assert body is not None
    return str(body.get_content()).strip()


@contextmanager
def sns() -> Iterator[tuple[Any, dict[str, Any]]]:
    """SNS: a queue that the topic's messages arrive in, as a function that reads it, and the
    connection to the topic.
    """
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        options = {
            "endpoint_url": url,
            "region_name": "eu-west-1",
            "aws_access_key_id": "a",
            "aws_secret_access_key": "b",
        }
        topics, queues = (boto3.client(name, **options) for name in ("sns", "sqs"))
        topics.create_topic(Name="alerts")
        queue = queues.create_queue(QueueName="inbox")["QueueUrl"]
        arn = "arn:aws:sqs:eu-west-1:123456789012:inbox"
        topics.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)

        def received() -> list[Mapping[str, Any]]:
            answer = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
            return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

        yield (
            received,
            {
                "conn_type": "aws",
                "login": "a",
                "password": "b",
                "extra": {"endpoint_url": url, "topic_arn": TOPIC},
            },
        )
    finally:
        server.stop()


@contextmanager
def slack(status: int = 200) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """A Slack webhook: the bodies that were sent to it, and the connection to it."""
    bodies: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            bodies.append((self.path, body))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"ok" if status == 200 else b"no_service")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        host = f"http://127.0.0.1:{server.server_port}/services"
        yield bodies, {"conn_type": "slackwebhook", "host": host, "password": SECRET}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
