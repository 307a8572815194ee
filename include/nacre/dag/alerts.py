"""Alerts: short messages to people, over the connection that this Airflow has for them.

    from include.nacre.dag.alerts import Alert

    PipelineDag("abalone_training", get_pipeline(), on_failure_callback=Alert(), ...)

Its type decides how they are sent: smtp, aws (SNS) or slackwebhook. No provider is imported before
there is something to send.
"""

import asyncio
from dataclasses import replace
from typing import Any

from airflow.sdk import DAG, BaseNotifier, Connection
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowNotFoundException

from include.nacre.dag import messages
from include.nacre.dag.messages import About, Message
from include.nacre.dag.reasons import keep_reason, reason_of, task_states, why

__all__ = ["CONNECTION", "Alert", "keep_reason"]

CONNECTION = "nacre_alerts"
HERE = "http://localhost:8080"
"""Where Airflow's UI is by default."""
ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})


class Alert(BaseNotifier):
    """Tells people about a DAG run.

    As a DAG's `on_failure_callback` it sends one message for each failed run: the DAG, the run,
    the failed tasks, why they failed, and a link. As the callback of a deadline,
    `AsyncCallback(Alert)`, it says which tasks are not done. With words of its own it is called
    from a task: `Alert(subject="...", message="...").tell(context)`.

    Where there is no such connection a line in the log says so, and nothing fails.

    :param subject: one line; as `message` a Jinja template over the context
    :param message: what to say; by default what has happened to the run
    :param conn_id: the connection that messages are sent over
    """

    def __init__(
        self,
        subject: str = "",
        message: str = "",
        conn_id: str = CONNECTION,
        context: Any = None,
    ) -> None:
        super().__init__(context=context)
        self.subject = subject
        self.message = message
        self.conn_id = conn_id

    def notify(self, context: Any) -> None:
        """Send the message. Raises AlertError if it cannot be sent."""
        message = self._message(context)
        try:
            connection = Connection.get(self.conn_id)
        except AirflowNotFoundException:
            self.log.warning(
                "Nobody is told %r: there is no connection %r", message.subject, self.conn_id
            )
            return
        from include.nacre.dag.channels import send

        send(connection, message)
        self.log.info("Told %r over connection %r", message.subject, self.conn_id)

    def tell(self, context: Any, **words: Any) -> None:
        """Send the message from a task that is not there to send it: what keeps the message from
        being sent is an error in the task's log, and the task goes on. `words` are for the
        templates: what people or data say belongs there, since it must not be read as one.
        """
        from include.nacre.dag.channels import AlertError

        try:
            self.notify({**context, **words})
        except AlertError as error:
            self.log.error("%s", error)

    async def async_notify(self, context: Any) -> None:
        """Send the message from the triggerer, for deadlines.

        In a thread: the provider's own way to SNS without one needs a library that is not here.
        """
        await asyncio.to_thread(self.notify, context)

    def get_template_env(self, dag: Any = None) -> Any:
        """Return what templates are rendered with: the DAG's own, except in dag.test(), which gives
        callbacks a DAG that has none.
        """
        return super().get_template_env(dag if isinstance(dag, DAG) else None)

    def _message(self, context: Any) -> Message:
        about, said = _about(context), [self.subject, self.message]
        # Not by template fields: they are rendered in place, so for the first run alone.
        env = self.get_template_env(dag=context.get("dag"))
        subject, text = (env.from_string(part).render(**context) for part in said)
        if text:
            return messages.own(about, subject, text)
        told = _what_happened(about, context)
        return replace(told, subject=subject) if subject else told


def _about(context: Any) -> About:
    """Return which run a context is of: a task's, a DAG callback's, or that of a deadline, which
    has nothing but the API's words for the run.
    """
    match context:
        case {"dag_run": {"dag_id": dag_id, "dag_run_id": run_id}}:
            pass
        case _:
            dag_id, run_id = context["dag"].dag_id, context["run_id"]
    return About(dag_id, run_id, conf.get("api", "base_url", fallback=HERE))


def _what_happened(about: About, context: Any) -> Message:
    if error := context.get("exception"):
        return messages.failed(about, {context["ti"].task_id: why(error)})
    states = task_states(about.dag_id, about.run_id)
    if deadline := context.get("deadline"):
        unfinished = [name for name, state in states.items() if state not in ENDED]
        return messages.late(about, str(deadline["deadline_time"]), unfinished)
    ids = set(context["dag"].task_ids)
    failures = [name for name, state in states.items() if state == "failed"]
    reasons = {name: reason_of(about.dag_id, about.run_id, name, ids) for name in failures}
    return messages.failed(about, reasons, str(context.get("reason", "")))
