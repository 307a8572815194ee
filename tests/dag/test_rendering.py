"""The definitions of DAGs, by the command line: `python -m include.nacre render DAG`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from include.nacre.commands.command import CommandError
from include.nacre.commands.dags import pipelines_in
from include.nacre.dag import PipelineDag, PipelineTaskGroup, load_pipeline
from include.nacre.dag.contents import pipelines_of
from include.nacre.definition.faults import DefinitionError
from include.pipelines.abalone.pipeline import get_pipeline
from tests.dag.steps import made, script
from tests.support.definitions import FIXTURES
from tests.support.local_sagemaker import PROJECT


def test_a_dag_in_either_mode_has_its_pipeline() -> None:
    steps, native = made(script("One")), made(script("Two"))
    assert pipelines_of(PipelineDag("steps", steps, schedule=None)) == [steps]
    assert pipelines_of(PipelineDag("native", native, mode="native", schedule=None)) == [native]


def test_a_dag_of_groups_has_the_pipelines_of_all_each_once() -> None:
    one, two = made(script("One")), made(script("Two"))
    with DAG("groups", schedule=None) as dag:
        EmptyOperator(task_id="before")
        PipelineTaskGroup("a", one)
        PipelineTaskGroup("b", two, mode="native")
        PipelineTaskGroup("c", one)
    assert pipelines_of(dag) == [one, two]


def test_a_dag_is_rendered_by_its_id_as_its_pipeline_is(tmp_path: Path) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "include.nacre", "render", "abalone_training"],
        cwd=PROJECT,
        env=os.environ | {"AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(outcome.stdout) == get_pipeline()


@pytest.mark.parametrize("dag_id", ["abalone_training", "abalone_native"])
def test_both_abalone_dags_have_the_very_same_pipeline(dag_id: str) -> None:
    by_path = pipelines_in(str(PROJECT / "dags" / f"{dag_id}.py"))
    assert pipelines_in(dag_id) == by_path == [get_pipeline()]


def error_of(target: Path | str, folder: Path) -> str:
    with pytest.raises(CommandError) as caught:
        pipelines_in(str(target), folder)
    return str(caught.value)


def test_a_broken_dag_file_is_told_with_its_error(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("from airflow.sdk import DAG\nraise ValueError('too early')\n")
    assert error_of(file, tmp_path) == f"{file}:2: ValueError: too early"


def test_every_fault_of_a_dags_definition_is_told(tmp_path: Path) -> None:
    file, faulty = tmp_path / "mine.py", FIXTURES.parent / "ten_faults.json"
    file.write_text(
        "# an airflow dag\n"
        "from include.nacre.dag import PipelineDag, load_pipeline\n"
        f"PipelineDag('mine', load_pipeline({str(faulty)!r}))\n"
    )
    with pytest.raises(DefinitionError) as caught:
        load_pipeline(faulty)
    assert str(caught.value) in error_of(file, tmp_path)


def test_a_file_that_airflow_would_not_read_is_told_why(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("from include.nacre.dag import PipelineDag\n")
    assert error_of(file, tmp_path) == (
        f"{file} makes no DAG: Airflow reads only files in which the word airflow stands, be it in "
        "a comment"
    )


def test_a_file_or_dag_without_a_pipeline_says_so(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("from airflow.sdk import DAG\ndag = DAG('plain', schedule=None)\n")
    empty = tmp_path / "empty.py"
    empty.write_text("from airflow.sdk import DAG\n")
    assert [error_of(target, tmp_path) for target in (file, empty, "plain", "plan")] == [
        f"{file} runs no pipeline",
        f"{empty} makes no DAG",
        "plain runs no pipeline",
        f"'plan' is no pipeline, no file, and no DAG in {tmp_path}. Did you mean \"plain\"?",
    ]
