"""An API server on SQLite that many write to at once answers every one of them.

Without the plugin's `OneWriter`, Airflow 3.3.2 refuses half of these with a 500, after five
seconds in which it answers nobody.
"""

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.support.airflow import Airflow

HANDS, TIMES = 4, 10


def test_everybody_who_writes_at_once_is_answered(airflow: Airflow) -> None:
    dag_id, task_id = "sleep_in_triggerer", "Sleep"
    run_id = airflow.trigger(dag_id, {"Seconds": "0"})
    assert airflow.wait_run(dag_id, run_id) == "success"
    path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries"

    def write(hand: int) -> list[int]:
        with httpx.Client(base_url=airflow.client.base_url, headers=airflow.client.headers) as own:
            answers = [
                own.post(path, json={"key": f"{hand}-{time}", "value": time}, timeout=60)
                for time in range(TIMES)
            ]
        return [answer.status_code for answer in answers]

    with ThreadPoolExecutor(HANDS) as hands:
        answered = list(hands.map(write, range(HANDS)))
    assert answered == [[httpx.codes.CREATED] * TIMES] * HANDS
