"""Pipelines as task groups inside of other DAGs."""

import json
from typing import Any

import pytest
from airflow.sdk import DAG, Param, TaskGroup, task

from include.nacre.dag import PipelineTaskGroup
from include.nacre.definition.authoring import (
    EXECUTION_ID,
    Condition,
    Fail,
    Integer,
    Join,
    Pipeline,
    String,
    equals,
)
from tests.dag.runs import Outcome, output_of, run
from tests.dag.steps import made, reporting
from tests.support.local_sagemaker import LocalSageMaker

pytestmark = pytest.mark.usefixtures("airflow")
GREETING, COUNT = String("Greeting", "hello"), Integer("Count")


def greeting() -> Pipeline:
    """A step that reports its parameters and the run's id."""
    said = Join("|", [GREETING, COUNT, EXECUTION_ID])
    step = reporting("Greet", "sys.argv[1]", arguments=[said])
    return made(step, parameters=[GREETING, COUNT])


def said(service: LocalSageMaker, outcome: Outcome, task_id: str) -> list[str]:
    bucket, _, key = output_of(outcome, task_id).removeprefix("s3://").partition("/")
    body = service.client("s3").get_object(Bucket=bucket, Key=f"{key}/report.json")["Body"]
    return str(json.loads(body.read())["value"]).split("|")


def test_parameters_are_values_templates_or_outputs_of_tasks(sagemaker: LocalSageMaker) -> None:
    with DAG("group_values", schedule=None) as dag:

        @task
        def counted() -> int:
            return 7

        group = PipelineTaskGroup(
            "greet",
            greeting(),
            parameters={"Greeting": "{{ dag.dag_id | upper }}", "Count": counted()},
        )
        group >> task(lambda: None, task_id="after")()
    outcome = run(dag)
    assert outcome.states == dict.fromkeys(["counted", "greet.Greet", "after"], "success")
    assert said(sagemaker, outcome, "greet.Greet")[:2] == ["GROUP_VALUES", "7"]


def test_an_output_of_a_task_draws_the_edge_to_the_steps_that_need_it() -> None:
    with DAG("group_edges", schedule=None) as dag:

        @task
        def counted() -> int:
            return 7

        PipelineTaskGroup("greet", greeting(), parameters={"Count": counted()})
    assert dag.get_task("greet.Greet").upstream_task_ids == {"counted"}


def test_what_is_not_given_comes_from_the_dags_params_or_the_default(
    sagemaker: LocalSageMaker,
) -> None:
    with DAG("group_params", schedule=None, params={"Count": Param(3, type="integer")}) as dag:
        PipelineTaskGroup("greet", greeting())
    outcome = run(dag, {"Count": 4})
    assert said(sagemaker, outcome, "greet.Greet")[:2] == ["hello", "4"]


def test_two_groups_of_one_run_write_to_different_places(sagemaker: LocalSageMaker) -> None:
    with DAG("group_twice", schedule=None) as dag, TaskGroup("outer"):
        for name in ("one", "two"):
            PipelineTaskGroup(name, greeting(), parameters={"Count": 1})
    outcome = run(dag)
    ids = {said(sagemaker, outcome, f"outer.{name}.Greet")[2] for name in ("one", "two")}
    assert (outcome.state, len(ids)) == ("success", 2)


def test_a_branch_in_a_group_skips_within_the_group() -> None:
    check = Condition(
        "Check", [equals(COUNT, 1)], if_steps=[Fail("Bad", "no")], else_steps=[reporting("Ok", "1")]
    )
    with DAG("group_branch", schedule=None) as dag:
        PipelineTaskGroup("g", made(check, parameters=[COUNT]), parameters={"Count": 2})
    assert run(dag).states == {"g.Check": "success", "g.Bad": "skipped", "g.Ok": "success"}


def test_a_group_may_be_mapped(sagemaker: LocalSageMaker) -> None:
    from airflow.sdk import task_group

    with DAG("group_mapped", schedule=None) as dag:

        @task_group
        def each(count: Any) -> None:
            PipelineTaskGroup("greet", greeting(), parameters={"Count": count})

        each.expand(count=[1, 2])
    outcome = run(dag)
    results = [outcome.result("each.greet.Greet", map_index=index) for index in (0, 1)]
    client = sagemaker.client("sagemaker")
    texts = [
        client.describe_processing_job(ProcessingJobName=result["name"])["AppSpecification"][
            "ContainerArguments"
        ][0].split("|")
        for result in results
    ]
    assert [text[1] for text in texts] == ["1", "2"]
    assert texts[0][2] != texts[1][2]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Count": 1, "Colour": "red"}, "has no parameter Colour"),
        ({}, "needs a value for Count"),
        ({"Count": 1.5}, "the parameter 'Count' is a whole number, not the number 1.5"),
    ],
)
def test_wrong_parameters_are_refused_while_the_file_is_parsed(
    parameters: dict[str, Any], message: str
) -> None:
    with DAG("group_wrong", schedule=None), pytest.raises(ValueError, match=message):
        PipelineTaskGroup("greet", greeting(), parameters=parameters)
