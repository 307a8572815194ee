"""A question in a real Airflow: how its evidence looks in the browser, its answer there, and what
becomes of it when nobody answers, or when it is cleared.

test_a_day.py goes the whole way, with the registry; tests/dag/test_approval.py all the others.
"""

import base64
from urllib.parse import quote

import pytest

from include.nacre.registry.client import link_to
from include.nacre.registry.evidence import Evidence, Side, body
from include.nacre.registry.quality import Quality
from include.nacre.registry.rules import Ruling
from include.nacre.registry.version import APPROVED
from tests.support.airflow import Airflow
from tests.support.browser import open_page
from tests.support.local_sagemaker import BUCKET, LocalSageMaker
from tests.unit.registry.made import version

QUESTIONS = "questions"
# One pixel.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def evidence(picture: str) -> str:
    comment = "Rejected by Ada: <b>*why*</b>"
    candidate = Side(version(7, "2026-11-07", approval=comment), Quality(9, {"mse": 4.5}), picture)
    champion = Side(version(5, "2026-11-05", APPROVED), Quality(9, {"mse": 5.0}), picture)
    return body(
        Evidence(
            candidate=candidate,
            champion=champion,
            metric="mse",
            ruling=Ruling(False, "No rule is on."),
            consequences=["**Approve**: it is used."],
        )
    )


@pytest.fixture(scope="module")
def run_id(airflow: Airflow, sagemaker: LocalSageMaker) -> str:
    """A run whose question waits."""
    s3 = sagemaker.client("s3")
    s3.put_object(Bucket=BUCKET, Key="questions/pixel.png", Body=PICTURE)
    link = link_to(s3, f"s3://{BUCKET}/questions/pixel.png", seconds=600)
    run_id = airflow.trigger(QUESTIONS, {"body": evidence(link)})
    airflow.wait_task(QUESTIONS, run_id, "ask", "awaiting_input")
    return run_id


def concluded(airflow: Airflow, run_id: str, task: str) -> str:
    airflow.wait_task(QUESTIONS, run_id, task, "success")
    path = f"/dags/{QUESTIONS}/dagRuns/{run_id}/taskInstances/{task}/xcomEntries/return_value"
    return str(airflow.call("GET", path)["value"])


def test_a_question_that_nobody_answers_in_time_is_left_by_nobody(
    airflow: Airflow, run_id: str
) -> None:
    said = concluded(airflow, run_id, "conclude_nobody")
    assert said == "PendingManualApproval by nobody: no answer in time"


def test_a_person_answers_in_the_browser_with_the_evidence_in_view(
    airflow: Airflow, run_id: str
) -> None:
    with open_page() as page:
        page.goto(f"{airflow.url}/dags/{QUESTIONS}/runs/{quote(run_id)}/tasks/ask/required_actions")
        page.get_by_role("columnheader", name="abalone/5 (in production)").first.wait_for()
        page.get_by_role("cell", name="10.0 % better").wait_for()
        page.get_by_text("decided before: Rejected by Ada: <b>*why*</b>").wait_for()
        page.wait_for_function("[...document.images].filter(x => x.naturalWidth == 1).length == 2")
        page.locator("textarea").fill("As good,\nand a day newer")
        page.get_by_role("button", name="Approve").click()
        said = concluded(airflow, run_id, "conclude")
    assert said == "Approved by Anonymous: As good, and a day newer"


def test_a_question_is_never_asked_with_what_was_found_out_before(
    airflow: Airflow, run_id: str
) -> None:
    request = {
        "dry_run": False,
        "task_ids": ["find_out"],
        "dag_run_id": run_id,
        "include_downstream": True,
        "only_failed": False,
        "reset_dag_runs": True,
    }
    airflow.call("POST", f"/dags/{QUESTIONS}/clearTaskInstances", json=request)
    task = airflow.wait_task(QUESTIONS, run_id, "ask", "failed")
    said = airflow.log(QUESTIONS, run_id, "ask", task["try_number"])
    assert "Airflow would show the old question again, not 'Shall we?'" in said
