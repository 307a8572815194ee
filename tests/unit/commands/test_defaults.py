"""`--defaults FILE`: the same definition as the task of a DAG sends."""

import json
from pathlib import Path

import pytest

from include.nacre.definition.jobdefaults import read_job_defaults
from include.nacre.definition.merging import with_job_defaults
from include.pipelines.abalone.pipeline import get_pipeline
from tests.support.local_sagemaker import LocalSageMaker
from tests.unit.commands.conftest import Run

DEFAULTS = {"VolumeKmsKeyId": "alias/ml", "Tags": {"team": "ml"}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "defaults.json"
    path.write_text(json.dumps(DEFAULTS), encoding="utf-8")
    return path


def test_a_pipeline_is_rendered_with_them(run: Run, file: Path) -> None:
    ended = run("render", "abalone", "--defaults", file)
    expected = with_job_defaults(get_pipeline(), read_job_defaults(DEFAULTS, "here"))
    assert (json.loads("\n".join(ended.output)), ended.status) == (expected, 0)


def test_a_pipeline_in_the_account_has_them_and_its_tags(
    here: Run, service: LocalSageMaker, file: Path
) -> None:
    ended = here("upsert", "abalone", "--defaults", file, "--tag", "stage=test")
    client = service.client("sagemaker")
    found = client.describe_pipeline(PipelineName="AbalonePipeline")
    tags = client.list_tags(ResourceArn=found["PipelineArn"])["Tags"]
    assert "alias/ml" in found["PipelineDefinition"]
    assert ({"Key": "team", "Value": "ml"} in tags, {"Key": "stage", "Value": "test"} in tags) == (
        True,
        True,
    )
    again = here("upsert", "abalone", "--defaults", file)
    assert (ended.status, again.output[-1].split(":")[0]) == (
        0,
        "Pipeline AbalonePipeline unchanged",
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"Tags"', "defaults.json: not JSON: line 1, column 8: "),
        ('{"Tags": 1, "Vpc": 2}', "defaults.json has 2 faults:"),
    ],
)
def test_what_is_wrong_with_them_is_said_before_any_call(
    run: Run, tmp_path: Path, content: str, said: str
) -> None:
    file = tmp_path / "defaults.json"
    file.write_text(content, encoding="utf-8")
    ended = run("upsert", "abalone", "--defaults", file)
    assert (ended.status, said in ended.errors[0]) == (1, True)


def test_a_file_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    ended = run("render", "abalone", "--defaults", tmp_path / "none.json")
    assert ended.errors == [f"{tmp_path}/none.json: cannot be read: No such file or directory"]
