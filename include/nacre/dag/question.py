"""A question to a person that is never older than what was found out for it."""

import hashlib
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk.exceptions import AirflowFailException

ASKED = "nacre_question"
"""The key in the task's state under which stands what was asked."""


class QuestionOperator(HITLOperator):
    """HITLOperator that asks in its run's own words, or not at all.

    Airflow 3.3.2 keeps the subject and the body of the first question of a task instance: one that
    is cleared together with what it is made from shows the old text, and the answer would be
    given to something else. So such a task fails and says what to do instead.
    """

    def pre_execute(self, context: Any) -> None:
        """Compare what is to be asked with what was; also before the answer is taken."""
        super().pre_execute(context)
        store, now = context.get("task_state_store"), digest(self.subject, self.body)
        if store is None:  # Airflow before 3.3
            return
        asked = store.get(ASKED, None)
        if asked is None:
            store.set(ASKED, now)
        elif asked != now:
            raise AirflowFailException(
                "This run has asked already, and Airflow would show the old question again, not "
                f"{self.subject!r}. Trigger the DAG anew instead: that run asks afresh."
            )


def digest(subject: str, body: str | None) -> str:
    """Return what tells one question from another."""
    return hashlib.sha256(f"{subject}\n{body or ''}".encode()).hexdigest()
