"""An Airflow DAG of the tests: a question whose text changes, and one that nobody answers."""

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task

from include.nacre.dag.question import QuestionOperator
from include.nacre.registry.decision import LEAVE, STATUS_OF, answered


@dag(schedule=None)
def questions() -> None:
    @task
    def find_out(*, ti: Any = None) -> str:
        return f"Found out by try {ti.try_number}."

    QuestionOperator(task_id="ask", subject="Shall we?", body=find_out(), options=["Yes", "No"])

    nobody = QuestionOperator(
        task_id="ask_nobody",
        subject="Is there anybody?",
        options=list(STATUS_OF),
        defaults=LEAVE,
        response_timeout=timedelta(seconds=1),
    )

    @task
    def conclude(answer: dict[str, Any]) -> str:
        return answered(answer).comment

    conclude(nobody.output)


questions()
