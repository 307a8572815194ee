"""DAG files: what parsing finds, refuses and costs."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from include.nacre.dag import PipelineDag, PipelineOperator, PipelineTaskGroup, load_pipeline
from include.nacre.dag.plan import PlanError
from include.nacre.definition.authoring import Fail, Float, Integer, String
from include.nacre.definition.faults import DefinitionError
from tests.dag.steps import dag_of, made, script
from tests.support.definitions import FIXTURES
from tests.support.local_sagemaker import PROJECT, ROLE
from tests.unit.dag.pipelines import abalone_like

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline"

PARSE = """
import sys
import airflow
from airflow.sdk import DAG
before = set(sys.modules)
import runpy
runpy.run_path(sys.argv[1])
heavy = ("boto3", "botocore", "airflow.providers.amazon", "airflow.triggers", "pandas", "requests")
print(*[name for name in sorted(set(sys.modules) - before) if name.startswith(heavy)])
"""
# Its question is an operator of airflow.providers.standard, which brings triggers: 20 ms.
ASKS = "model_approval"


@pytest.mark.parametrize("dag", [file.stem for file in sorted((PROJECT / "dags").glob("*.py"))])
def test_parsing_imports_neither_boto3_nor_a_provider(dag: str) -> None:
    file = PROJECT / "dags" / f"{dag}.py"
    ran = subprocess.run(
        [sys.executable, "-c", PARSE, str(file)],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = ran.stdout.splitlines()[-1].split()
    assert [name for name in heavy if not (dag == ASKS and "triggers" in name)] == []


def bag(folder: Path, source: str) -> BundleDagBag:
    (folder / "a_dag.py").write_text(source, encoding="utf-8")
    return BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")


def test_a_dag_need_not_be_given_to_a_variable(tmp_path: Path) -> None:
    source = (
        "from airflow.sdk import DAG\n"
        "from include.nacre.dag import PipelineDag\n"
        "from tests.unit.dag.pipelines import abalone_like\n"
        "PipelineDag('found', abalone_like())\n"
    )
    assert list(bag(tmp_path, source).dags) == ["found"]


def test_a_step_type_without_an_operator_is_an_import_error_with_all_of_them(
    tmp_path: Path,
) -> None:
    source = (
        "# an airflow dag\n"
        "from include.nacre.dag import PipelineDag, load_pipeline\n"
        f"PipelineDag('control', load_pipeline({str(FIXTURES / 'control.json')!r}))\n"
    )
    (error,) = bag(tmp_path, source).import_errors.values()
    steps = load_pipeline(FIXTURES / "control.json").all_steps
    without = [step.name for step in steps if step.type in {"Lambda", "Callback"}]
    assert [name for name in without if f"- {name}: a " not in error] == []


def test_native_mode_is_one_task_whatever_the_types_of_the_steps() -> None:
    pipeline = load_pipeline(FIXTURES / "control.json")
    dag = PipelineDag("control", pipeline, mode="native", native_args={"role_arn": ROLE})
    assert dag.task_ids == ["control"]
    assert set(dag.params) == {parameter.name for parameter in pipeline.parameters}


def test_the_mode_alone_decides_which_arguments_hold() -> None:
    both: dict[str, Any] = {
        "step_args": {"Work": {"retries": 3}},
        "native_args": {"task_id": "train", "retries": 5, "parallelism": 2},
    }
    dags = [PipelineDag(mode, made(script("Work")), mode, **both) for mode in ("steps", "native")]
    found = {task.task_id: task.retries for dag in dags for task in dag.tasks}
    assert found == {"Work": 3, "train": 5}


def test_a_native_dag_is_the_same_in_every_process() -> None:
    first, second = (
        json.dumps(DagSerialization.serialize_dag(PipelineDag("same", abalone_like(), "native")))
        for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(
    ("pipeline", "native_args", "message"),
    [
        ("Tests", {}, "Its steps name none that is known before it runs: give role_arn"),
        ("my tests", {"role_arn": ROLE}, "'my tests' is no pipeline name"),
        ("Tests", {"role_arn": ROLE, "parameters": {"Colour": 1}}, "has no parameter Colour"),
    ],
)
def test_what_a_native_run_lacks_is_said_while_the_file_is_parsed(
    pipeline: str, native_args: dict[str, Any], message: str
) -> None:
    nothing = replace(made(Fail("Stop", "no")), name=pipeline)
    with pytest.raises(ValueError, match=message):
        PipelineDag("wrong", nothing, mode="native", native_args=native_args)


def test_an_operator_says_which_parameters_have_no_value() -> None:
    pipeline = made(script("Work"), parameters=[String("Data")])
    with DAG("wrong", schedule=None), pytest.raises(ValueError, match="needs a value for Data"):
        PipelineOperator(task_id="it", pipeline=pipeline)


def test_all_that_is_given_wrong_is_one_error() -> None:
    pipeline = made(script("Work"), parameters=[String("Data"), Integer("Count", 1)])
    with DAG("wrong", schedule=None), pytest.raises(ValueError, match="has no") as caught:
        PipelineOperator(task_id="it", pipeline=pipeline, parameters={"Dta": 1, "Count": 0.5})
    assert str(caught.value).splitlines() == [
        'pipeline Tests has no parameter Dta. Did you mean "Data"?',
        (
            "pipeline Tests is given wrong values: "
            "the parameter 'Count' is a whole number, not the number 0.5"
        ),
        "pipeline Tests needs a value for Data: give it in parameters=, or as a param of the DAG",
    ]


def test_a_definition_may_be_text_with_a_name() -> None:
    pipeline = made(script("Work"))
    assert load_pipeline(json.dumps(pipeline), "Tests").name == "Tests"
    with pytest.raises(ValueError, match="does not say the pipeline's name: give name="):
        load_pipeline(json.dumps(pipeline))


@pytest.mark.parametrize(
    ("source", "command"),
    [
        ("AbalonePipeline", "pull AbalonePipeline > AbalonePipeline.json"),
        ("exports/Abalone.json", "pull Abalone > exports/Abalone.json"),
        (f"{ARN}/abalone", f"pull {ARN}/abalone > abalone.json"),
        (f"{ARN}/abalone/execution/abc", f"pull {ARN}/abalone/execution/abc > abalone.json"),
    ],
)
def test_a_pipeline_on_the_service_is_not_fetched_while_a_file_is_parsed(
    source: str, command: str
) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        load_pipeline(source)
    assert str(caught.value).startswith("there is no such file: ")
    assert str(caught.value).endswith(f"python -m include.nacre {command}")


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="mode 'local' is none of 'steps', 'native'"):
        PipelineDag("local", made(script("Work")), mode="local")


def test_arguments_for_a_step_that_does_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="step_args name Wrok: "):
        dag_of(script("Work"), step_args={"Wrok": {"retries": 1}})


def test_arguments_of_a_step_win_over_those_of_its_type_and_the_defaults() -> None:
    dag = dag_of(
        script("A"),
        script("B"),
        retries=1,
        step_args={"Processing": {"retries": 2, "pool": "p"}, "B": {"retries": 3}},
    )
    found = {task.task_id: (task.retries, task.pool) for task in dag.tasks}
    assert found == {"A": (2, "p"), "B": (3, "p")}


def test_the_operators_of_all_steps_take_the_defaults_of_the_dag() -> None:
    defaults = {"aws_conn_id": "aws_team", "region_name": "eu-west-1", "deferrable": False}
    dag = PipelineDag("defaults", abalone_like(), default_args=defaults)
    assert {(task.aws_conn_id, task.region_name) for task in dag.tasks} == {
        ("aws_team", "eu-west-1")
    }
    assert {getattr(task, "deferrable", False) for task in dag.tasks} == {False}


def test_parameters_become_typed_params() -> None:
    dag = PipelineDag("typed", abalone_like())
    found = {name: dag.params.get_param(name) for name in dag.params}
    assert {name: (param.schema, param.description) for name, param in found.items()} == {
        "Threshold": ({"type": "number"}, "the largest error"),
        "Rounds": ({"type": "integer"}, None),
        "Status": ({"type": "string", "enum": ["PendingManualApproval", "Approved"]}, None),
        "Data": ({"type": "string"}, None),
    }
    assert [name for name, param in found.items() if not param.has_value] == ["Data"]


def test_an_author_may_give_another_default_and_more_params() -> None:
    dag = dag_of(
        script("Work"), parameters=[Float("Share", 0.5)], params={"Share": 0.7, "Colour": "red"}
    )
    assert {name: param.value for name, param in dag.params.items()} == {
        "Colour": "red",
        "Share": 0.7,
    }
    assert dag.params.get_param("Share").schema == {"type": "number"}


def test_the_dags_params_are_not_copied_into_its_tasks() -> None:
    own = {"Approve": {"params": {"Colour": "red"}}}
    steps = [script("Work"), script("Approve")]
    dag = dag_of(*steps, parameters=[Integer("Rows", 1)], step_args=own)
    with DAG("around", schedule=None, params={"Rows": 2}) as around:
        PipelineTaskGroup("train", made(script("Work"), parameters=[Integer("Rows", 1)]))
    found = {task.task_id: dict(task.params) for task in [*dag.tasks, *around.tasks]}
    assert found == {"Work": {}, "Approve": {"Colour": "red"}, "train.Work": {}}
    assert (dag.params["Rows"], around.params["Rows"]) == (1, 2)


@pytest.mark.parametrize("mode", ["steps", "native"])
def test_a_parameter_that_the_author_gives_is_no_param(mode: str) -> None:
    native = {"role_arn": ROLE}
    dag = PipelineDag("given", abalone_like(), mode, parameters={"Data": "x"}, native_args=native)
    assert sorted(dag.params) == ["Rounds", "Status", "Threshold"]


def test_a_parameter_may_be_given_and_be_a_param_too() -> None:
    data = "{{ params.Data or ds }}"
    dag = PipelineDag("both", abalone_like(), parameters={"Data": data}, params={"Data": ""})
    assert dag.params.get_param("Data").schema == {"type": "string"}


def test_wrong_parameters_of_a_dag_are_refused() -> None:
    with pytest.raises(ValueError, match="has no parameter Dta"):
        PipelineDag("wrong", abalone_like(), parameters={"Dta": "x"})


def test_a_default_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(ValueError, match="the parameter 'Count' is a whole number, not the text"):
        dag_of(script("Work"), parameters=[Integer("Count", 1)], params={"Count": "many"})


def test_a_schedule_needs_a_default_for_every_parameter() -> None:
    pipeline = made(script("Work"), parameters=[String("Data")])
    with pytest.raises(ValueError, match="required params without default values"):
        PipelineDag("scheduled", pipeline, schedule="@daily")


def test_a_dag_is_the_same_in_every_process() -> None:
    first, second = (
        json.dumps(DagSerialization.serialize_dag(PipelineDag("same", abalone_like())))
        for _ in range(2)
    )
    assert first == second


def test_a_file_with_faults_names_them_all(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"Version": "2020-12-01", "Steps": [{"Name": "a b", "Type": "Nothing"}]}')
    with pytest.raises(DefinitionError, match="pipeline 'broken' has 2 faults"):
        load_pipeline(broken)


def test_a_plan_error_is_one_message() -> None:
    with pytest.raises(PlanError, match="pipeline 'control' cannot run step by step in Airflow:\n"):
        PipelineDag("control", load_pipeline(FIXTURES / "control.json"))
