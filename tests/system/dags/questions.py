"""An Airflow DAG of the tests: a question whose text changes, and one that nobody answers."""

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task

from include.nacre.dag import approval
from include.nacre.dag.question import QuestionOperator
from include.nacre.registry.decision import LEAVE, STATUS_OF, answered


@dag(schedule=None)
def questions() -> None:
    @task
    def find_out(*, params: Any = None, ti: Any = None) -> str:
        return f"{params['body']}\n\nFound out by try {ti.try_number}."

    nobody = QuestionOperator(
        task_id="ask_nobody",
        subject="Is there anybody?",
        options=list(STATUS_OF),
        defaults=LEAVE,
        response_timeout=timedelta(seconds=1),
    )

    @task
    def conclude(answer: dict[str, Any]) -> str:
        return answered(answer).description

    conclude.override(task_id="conclude_nobody")(nobody.output)
    conclude(approval.question("Shall we?", find_out()).output)


questions()
