"""What alerts say. Pure: facts in, text out; short, since a person reads it on a telephone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

MOST_TASKS = 5
REASON_LENGTH = 600
SUBJECT_LENGTH = 100
"""The longest subject that SNS takes."""


@dataclass(frozen=True)
class Message:
    """A message of one line, and the rest."""

    subject: str
    text: str


@dataclass(frozen=True)
class About:
    """The DAG run that a message is about."""

    dag_id: str
    run_id: str
    base_url: str
    """Where this Airflow's UI is."""

    @property
    def link(self) -> str:
        """The address of the run's page."""
        dag_id, run_id = quote(self.dag_id, safe=""), quote(self.run_id, safe="")
        return f"{self.base_url.rstrip('/')}/dags/{dag_id}/runs/{run_id}"

    def __str__(self) -> str:
        return f"DAG {self.dag_id}, run {self.run_id}"


def failed(about: About, reasons: Mapping[str, str], why: str = "") -> Message:
    """Return the message about a run that failed. `reasons` has, by the id of each failed task,
    why it did, or ""; `why` is what Airflow says of the whole run.
    """
    tasks = [f"{task}: {_short(reason)}" for task, reason in reasons.items()]
    lines = [f"{about} has failed.", *_first(tasks)]
    if not tasks and why:
        lines.append(f"Airflow says: {why}.")
    return Message(f"{about.dag_id} has failed", _text(lines, about))


def late(about: About, deadline: str, unfinished: Sequence[str]) -> Message:
    """Return the message about a run that has missed its deadline."""
    going_on = ", ".join(_first(unfinished))
    lines = [f"{about} has not ended by its deadline, {deadline}."]
    lines += [f"Not done yet: {going_on}."] if going_on else []
    return Message(f"{about.dag_id} is late", _text(lines, about))


def own(about: About, subject: str, text: str) -> Message:
    """Return an author's message, with the link to its run."""
    return Message(subject or about.dag_id, _text([text], about))


def one_line(subject: str) -> str:
    """Return a subject as every channel takes it: printable ASCII, one line, not too long."""
    line = " ".join(subject.split())[:SUBJECT_LENGTH]
    return "".join(char if " " <= char <= "~" else "?" for char in line)


def _text(lines: Sequence[str], about: About) -> str:
    return "\n".join([*(line for line in lines if line), about.link])


def _first(items: Sequence[str]) -> list[str]:
    rest = len(items) - MOST_TASKS
    return [*items[:MOST_TASKS], *([f"and {rest} more"] if rest > 0 else [])]


def _short(reason: str) -> str:
    words = " ".join(reason.split()) or "see its log"
    return words if len(words) <= REASON_LENGTH else f"{words[: REASON_LENGTH - 1]}…"
