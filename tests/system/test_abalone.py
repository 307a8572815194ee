"""The abalone pipeline in a real Airflow: started by its data, and by a person in the browser."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.airflow import Airflow, wait_for
from tests.support.browser import open_page
from tests.support.local_sagemaker import LocalSageMaker

INGEST, TRAINING = "abalone_ingest", "abalone_training"
ARRIVAL = {"Date": "2026-11-01", "HistoryDays": 29}
"""Thirty days: every shell once."""


@pytest.fixture
def page() -> Iterator[Page]:
    with open_page() as page:
        yield page


@pytest.fixture(scope="module")
def landed(airflow: Airflow) -> str:
    """The data has landed, and has started a training run; the run's id."""
    wait_for(lambda: airflow.knows(TRAINING), "the training DAG", seconds=60)
    airflow.call("PATCH", f"/dags/{TRAINING}", json={"is_paused": False})
    assert airflow.wait_run(INGEST, airflow.trigger(INGEST, ARRIVAL)) == "success"
    wait_for(lambda: bool(runs(airflow)), "the asset to start a training run", seconds=60)
    return str(runs(airflow)[0]["dag_run_id"])


def runs(airflow: Airflow) -> list[Any]:
    """The training runs, the newest first."""
    path = f"/dags/{TRAINING}/dagRuns"
    found: list[Any] = airflow.call("GET", path, params={"order_by": "-run_after"})["dag_runs"]
    return found


def versions(sagemaker: LocalSageMaker) -> list[int]:
    client = sagemaker.client("sagemaker")
    if not client.list_model_package_groups()["ModelPackageGroupSummaryList"]:
        return []
    listed = client.list_model_packages(ModelPackageGroupName="abalone")
    return sorted(item["ModelPackageVersion"] for item in listed["ModelPackageSummaryList"])


def test_data_that_lands_trains_registers_and_scores(
    airflow: Airflow, sagemaker: LocalSageMaker, landed: str
) -> None:
    assert airflow.wait_run(TRAINING, landed, seconds=180) == "success"
    assert runs(airflow)[0]["run_type"] == "asset_triggered"
    assert airflow.states(TRAINING, landed) == {
        "find_partitions": "success",
        "AbaloneProcess": "success",
        "AbaloneTrain": "success",
        "AbaloneEval": "success",
        "AbaloneMSECond": "success",
        "AbaloneRegisterModel": "success",
        "AbaloneCreateModel": "success",
        "AbaloneTransform": "success",
        "AbaloneMSEFail": "skipped",
    }
    assert versions(sagemaker) == [1]


def test_the_data_that_has_arrived_says_up_to_when_a_run_trains(
    airflow: Airflow, landed: str
) -> None:
    airflow.wait_run(TRAINING, landed, seconds=180)
    log = airflow.log(TRAINING, landed, "find_partitions")
    assert "up to 2026-11-01: 30 partitions (2026-10-03 to 2026-11-01), " in log


@pytest.mark.usefixtures("landed")
def test_a_threshold_that_is_no_number_is_refused(airflow: Airflow) -> None:
    answer = airflow.client.post(
        f"/api/v2/dags/{TRAINING}/dagRuns",
        json={"logical_date": None, "conf": {"MseThreshold": "low"}},
    )
    assert (answer.status_code, "'low' is not of type 'number'" in answer.text) == (400, True)


def test_the_trigger_form_starts_a_run_whose_model_is_too_weak(
    airflow: Airflow, sagemaker: LocalSageMaker, landed: str, page: Page
) -> None:
    airflow.wait_run(TRAINING, landed, seconds=180)
    before = versions(sagemaker)
    page.goto(f"{airflow.url}/dags/{TRAINING}")
    page.get_by_role("button", name="Trigger").first.click()
    page.locator("[name='element_MseThreshold']").fill("1.5")
    page.get_by_role("button", name="Trigger").last.click()
    wait_for(lambda: runs(airflow)[0]["dag_run_id"] != landed, "a second run", seconds=30)
    run_id = runs(airflow)[0]["dag_run_id"]
    assert runs(airflow)[0]["conf"]["MseThreshold"] == 1.5
    assert airflow.wait_run(TRAINING, run_id, seconds=180) == "failed"
    states = airflow.states(TRAINING, run_id)
    assert {name for name, state in states.items() if state == "skipped"} == {
        "AbaloneRegisterModel",
        "AbaloneCreateModel",
        "AbaloneTransform",
    }
    log = airflow.log(TRAINING, run_id, "AbaloneMSEFail")
    assert re.search(r"MSE [45]\.\d* is above the threshold 1\.5 ", log)
    assert versions(sagemaker) == before


def test_a_steps_page_links_to_its_job_and_its_log(
    airflow: Airflow, landed: str, page: Page
) -> None:
    airflow.wait_run(TRAINING, landed, seconds=180)
    links = airflow.call(
        "GET", f"/dags/{TRAINING}/dagRuns/{landed}/taskInstances/AbaloneTrain/links"
    )["extra_links"]
    words = {"SageMaker job": "AbaloneTrain", "Job log": "[49]"}
    shown = {}
    for name, url in links.items():
        page.goto(url)
        shown[name] = words[name] in page.content()
    assert shown == dict.fromkeys(words, True)
