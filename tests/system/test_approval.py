"""Questions to people in a real Airflow, answered in the browser, or by nobody."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from scripts.airflow_env import ROOT
from tests.support import abalone_models
from tests.support.airflow import Airflow, aws_connection, running_airflow, wait_for
from tests.support.browser import open_page
from tests.support.local_sagemaker import LocalSageMaker, local_sagemaker

APPROVAL = "model_approval"
REGISTERED, APPROVED = "abalone_model_registered", "abalone_model_approved"


@pytest.fixture(scope="module")
def sagemaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSageMaker]:
    """A registry of this file's own: other tests register versions, too."""
    with local_sagemaker(tmp_path_factory.mktemp("sagemaker")) as service:
        yield service


@pytest.fixture(scope="module")
def airflow(
    tmp_path_factory: pytest.TempPathFactory, sagemaker: LocalSageMaker
) -> Iterator[Airflow]:
    dags, home = (tmp_path_factory.mktemp(name) for name in ("dags", "airflow"))
    for file in ("dags/model_approval.py", "tests/system/dags/questions.py"):
        (dags / Path(file).name).symlink_to(ROOT / file)
    connections = {"aws_default": aws_connection(sagemaker)}
    with running_airflow(home, dags, connections=connections) as running:
        yield running


def post_event(airflow: Airflow, asset: str, extra: dict[str, Any]) -> None:
    """What a person does under Assets: the asset has an event, by hand."""
    found = airflow.call("GET", "/assets", params={"name_pattern": asset})["assets"]
    (asset_id,) = (item["id"] for item in found if item["name"] == asset)
    airflow.call("POST", "/assets/events", json={"asset_id": asset_id, "extra": extra})


def run_of(airflow: Airflow, dag_id: str) -> str:
    """The id of the only run, as soon as there is one."""

    def runs() -> list[Any]:
        return list(airflow.call("GET", f"/dags/{dag_id}/dagRuns")["dag_runs"])

    wait_for(lambda: bool(runs()), f"a run of {dag_id}", seconds=60)
    (run,) = runs()
    return str(run["dag_run_id"])


def events(airflow: Airflow, run_id: str) -> list[Any]:
    found = airflow.call("GET", "/assets/events", params={"source_run_id": run_id})["asset_events"]
    return [(event["name"], event["extra"]) for event in found]


def test_a_person_approves_in_the_browser_with_the_evidence_in_view(
    airflow: Airflow, sagemaker: LocalSageMaker, tmp_path: Path
) -> None:
    abalone_models.train(tmp_path, rounds=20)
    champion, candidate = (
        abalone_models.register(
            sagemaker, tmp_path, date, status=status, metadata={"DataUntil": date}
        )
        for date, status in (
            ("2026-11-01", "Approved"),
            ("2026-11-02", "PendingManualApproval"),
        )
    )
    wait_for(lambda: airflow.knows(APPROVAL), "the DAG to be parsed", seconds=60)
    airflow.call("PATCH", f"/dags/{APPROVAL}", json={"is_paused": False})
    post_event(airflow, REGISTERED, {"arn": candidate})
    run_id = run_of(airflow, APPROVAL)
    airflow.wait_task(APPROVAL, run_id, "ask", "awaiting_input", seconds=180)

    with open_page() as page:
        page.goto(f"{airflow.url}/dags/{APPROVAL}/runs/{quote(run_id)}/tasks/ask/required_actions")
        page.get_by_text("abalone/1 (in production)").first.wait_for()
        page.wait_for_function("[...document.images].filter(x => x.naturalWidth == 1210).length==2")
        page.locator("textarea").fill("As good,\nand a day newer")
        page.get_by_role("button", name="Approve").click()
        assert airflow.wait_run(APPROVAL, run_id) == "success"

    decided = sagemaker.client("sagemaker").describe_model_package(ModelPackageName=candidate)
    assert (decided["ModelApprovalStatus"], decided["ApprovalDescription"]) == (
        "Approved",
        "Approved by Anonymous: As good, and a day newer",
    )
    assert events(airflow, run_id) == [
        (
            APPROVED,
            {
                "version": candidate,
                "number": 2,
                "data_until": "2026-11-02",
                "by": "Anonymous",
                "comment": "As good,\nand a day newer",
            },
        )
    ]
    before = sagemaker.client("sagemaker").describe_model_package(ModelPackageName=champion)
    assert before["ModelApprovalStatus"] == "Approved"


@pytest.fixture(scope="module")
def questions(airflow: Airflow) -> str:
    """A run whose question waits."""
    run_id = airflow.trigger("questions")
    airflow.wait_task("questions", run_id, "ask", "awaiting_input")
    return run_id


def test_a_question_that_nobody_answers_in_time_is_left_by_nobody(
    airflow: Airflow, questions: str
) -> None:
    airflow.wait_task("questions", questions, "conclude", "success")
    path = f"/dags/questions/dagRuns/{questions}/taskInstances/conclude/xcomEntries/return_value"
    assert airflow.call("GET", path)["value"] == "no answer in time"


def test_a_question_is_never_asked_with_what_was_found_out_before(
    airflow: Airflow, questions: str
) -> None:
    body = {
        "dry_run": False,
        "task_ids": ["find_out"],
        "dag_run_id": questions,
        "include_downstream": True,
        "only_failed": False,
        "reset_dag_runs": True,
    }
    airflow.call("POST", "/dags/questions/clearTaskInstances", json=body)
    task = airflow.wait_task("questions", questions, "ask", "failed", "awaiting_input")
    assert task["state"] == "failed"
    said = airflow.log("questions", questions, "ask", task["try_number"])
    assert "Airflow would show the old question again, not 'Shall we?'" in said
