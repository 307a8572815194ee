"""What a DAG gives its pipeline as parameters, and what the pipeline's assets tell other DAGs."""

import json
from typing import Any

import pytest
from airflow.models.asset import AssetEvent
from airflow.sdk import Asset, task
from airflow.settings import Session
from sqlalchemy import select

from include.nacre.dag import PipelineDag
from include.nacre.definition.authoring import Integer, Join, String
from tests.dag.runs import Outcome, output_of, run
from tests.dag.steps import dag_of, made, reporting, script
from tests.support.local_sagemaker import ROLE, LocalSageMaker

pytestmark = pytest.mark.usefixtures("airflow")
GREETING, COUNT = String("Greeting", "hello"), Integer("Count")


def greeting() -> Any:
    return reporting("Greet", "sys.argv[1]", arguments=[Join("|", [GREETING, COUNT])])


def said(service: LocalSageMaker, outcome: Outcome) -> str:
    bucket, _, key = output_of(outcome, "Greet").removeprefix("s3://").partition("/")
    body = service.client("s3").get_object(Bucket=bucket, Key=f"{key}/report.json")["Body"]
    return str(json.loads(body.read())["value"])


def test_a_value_that_an_earlier_task_has_found(sagemaker: LocalSageMaker) -> None:
    found = "{{ ti.xcom_pull(task_ids='find') }}"
    given = {"Greeting": "{{ dag.dag_id | upper }}", "Count": found}
    dag = PipelineDag(
        "given_found", made(greeting(), parameters=[GREETING, COUNT]), parameters=given
    )
    with dag:
        task(lambda: 7, task_id="find")() >> dag.get_task("Greet")
    assert said(sagemaker, run(dag)) == "GIVEN_FOUND|7"


def test_an_output_of_a_task_that_comes_into_the_dag_with_it(sagemaker: LocalSageMaker) -> None:
    find = task(lambda: 7, task_id="find")()
    pipeline = made(greeting(), parameters=[GREETING, COUNT])
    dag = PipelineDag("given_output", pipeline, parameters={"Count": find})
    assert dag.get_task("Greet").upstream_task_ids == {"find"}
    assert said(sagemaker, run(dag)) == "hello|7"


def test_what_is_given_wins_over_the_form(sagemaker: LocalSageMaker) -> None:
    given = {"Count": "{{ params.Count * 2 }}"}
    dag = PipelineDag(
        "given_and_form",
        made(greeting(), parameters=[GREETING, COUNT]),
        parameters=given,
        params={"Count": 2},
    )
    outcome = run(dag, {"Greeting": "hi", "Count": 4})
    assert said(sagemaker, outcome) == "hi|8"


def test_a_native_pipeline_is_given_them_too() -> None:
    dag = PipelineDag(
        "given_native",
        made(greeting(), parameters=[GREETING, COUNT]),
        mode="native",
        parameters={"Count": "{{ 3 + 4 }}"},
        native_args={"role_arn": ROLE},
    )
    outcome = run(dag)
    assert outcome.rendered("Tests")["parameters"] == {"Greeting": "hello", "Count": 7}


def events(name: str) -> list[dict[str, Any]]:
    """What the events of an asset say, the oldest first."""
    with Session() as session:
        found = session.scalars(select(AssetEvent).order_by(AssetEvent.id))
        return [event.extra for event in found if event.asset and event.asset.name == name]


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in the worker"])
def test_an_outlets_event_says_what_the_job_has_made(deferrable: bool) -> None:
    asset = Asset(f"made_{deferrable:d}")
    work = script("Work", "import time; time.sleep(3)")
    outcome = run(dag_of(work, deferrable=deferrable, step_args={"Work": {"outlets": [asset]}}))
    assert events(asset.name) == [outcome.result("Work")]


def test_an_author_may_say_something_else() -> None:
    asset = Asset("said_otherwise")

    def say(context: Any) -> None:
        context["outlet_events"][asset].extra = {"partition": "2026-11-01"}

    run(dag_of(script("Work"), step_args={"Work": {"outlets": [asset], "pre_execute": say}}))
    assert events(asset.name) == [{"partition": "2026-11-01"}]


def test_a_pipelines_event_says_what_its_execution_was() -> None:
    asset = Asset("executed")
    args = {"role_arn": ROLE, "outlets": [asset]}
    outcome = run(PipelineDag("told_native", made(script("Work")), mode="native", native_args=args))
    assert events(asset.name) == [outcome.result("Tests")]


def test_a_failed_step_makes_no_event() -> None:
    asset = Asset("never_made")
    step = script("Work", "raise SystemExit(1)")
    assert run(dag_of(step, step_args={"Work": {"outlets": [asset]}})).state == "failed"
    assert events(asset.name) == []
