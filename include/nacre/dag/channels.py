"""The ways that alerts take: one for each type of the connection. Providers are imported here."""

import logging
import re
from collections.abc import Callable, Mapping
from html import escape
from http.client import HTTPException
from typing import Any

from airflow.sdk.exceptions import AirflowException

from include.nacre.dag.messages import Message, one_line
from include.nacre.dag.patience import aws_errors

SHORTEST_SECRET = 5
"""As in Airflow's own logs ([logging] min_length_masked_secret): what is shorter is a word."""


class AlertError(Exception):
    """An alert that could not be sent; says what to do."""


def send(connection: Any, message: Message) -> None:
    """Send a message the way that an Airflow connection stands for. Raises AlertError."""
    channel = CHANNELS.get(connection.conn_type)
    if channel is None:
        raise AlertError(
            f"Connection {connection.conn_id!r} is of type {connection.conn_type!r}. An alert is "
            f"sent by a connection of type {', '.join(sorted(CHANNELS))}: change its type."
        )
    try:
        channel(connection, message)
    except _troubles() as error:
        # From None: the clients' tracebacks may show the address, which is a webhook's secret.
        raise AlertError(
            f"The alert {message.subject!r} was not sent over connection {connection.conn_id!r} "
            f"({connection.conn_type}): {type(error).__name__}. {_said(error, connection)}"
        ) from None


def _troubles() -> tuple[type[Exception], ...]:
    """Return what mail servers, AWS and Slack, and the providers' hooks, may raise."""
    from slack_sdk.errors import SlackClientError

    return (OSError, HTTPException, ValueError, AirflowException, SlackClientError, *aws_errors())


def _said(error: Exception, connection: Any) -> str:
    """Return what an error says, without the secret of the connection, nor parts of it: an error
    may quote the path of an address alone, or quote it otherwise than it was written.
    """
    text, secret = str(error), connection.password or ""
    for part in [secret, *re.split(r"[\s/]+", secret)]:
        if len(part) >= SHORTEST_SECRET:
            text = text.replace(part, "***")
    return " ".join(text.split())


def _mail(connection: Any, message: Message) -> None:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    to = connection.extra_dejson.get("to")
    if not to:
        raise _lacking(connection, "to", "who gets the mail (addresses with commas between them)")
    SmtpNotifier(
        to=to,
        subject=one_line(message.subject),
        html_content=f"<pre>{escape(message.text)}</pre>",
        smtp_conn_id=connection.conn_id,
    ).notify({})


def _topic(connection: Any, message: Message) -> None:
    from airflow.providers.amazon.aws.notifications.sns import SnsNotifier

    extra = connection.extra_dejson
    arn = str(extra.get("topic_arn") or extra.get("target_arn") or "")
    if not arn:
        raise _lacking(connection, "topic_arn", "the SNS topic that alerts go to")
    SnsNotifier(
        aws_conn_id=connection.conn_id,
        target_arn=arn,
        subject=one_line(message.subject),
        message=message.text,
        region_name=arn.split(":")[3] if arn.count(":") > 3 else None,
    ).notify({})  # type: ignore[no-untyped-call]  # Airflow's


def _slack(connection: Any, message: Message) -> None:
    from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook

    # The hook and not the notifier: it takes a logger, and theirs write the address, with the
    # webhook's secret in it.
    silent = logging.getLogger(f"{__name__}.silent")
    silent.setLevel(logging.CRITICAL + 1)
    # Slack's own escapes: without them <a> is a link, and <!channel> wakes everybody.
    subject, text = (escape(part, quote=False) for part in (message.subject, message.text))
    hook = SlackWebhookHook(slack_webhook_conn_id=connection.conn_id, logger=silent)
    hook.send(text=f"*{subject}*\n{text}")


def _lacking(connection: Any, key: str, what: str) -> AlertError:
    return AlertError(
        f"Connection {connection.conn_id!r} ({connection.conn_type}) does not say {what}: write it "
        f"into its extra, as {key!r}."
    )


CHANNELS: Mapping[str, Callable[[Any, Message], None]] = {
    "smtp": _mail,
    "aws": _topic,
    "slackwebhook": _slack,
}
"""By the type of the connection."""
