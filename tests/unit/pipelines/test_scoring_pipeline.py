"""The scoring pipeline's definition, and its agreement with the scripts that its jobs run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from include.nacre.definition.records import Pipeline, Step
from include.pipelines.abalone import join, preprocess
from include.pipelines.abalone.layout import PREDICTIONS_FILE, QUALITY_FILE
from include.pipelines.abalone.scoring import get_scoring
from tests.unit.pipelines.abalone_data import abalone, put_abalone, put_table

ROLE, BUCKET, REGION = "arn:aws:iam::111122223333:role/Mine", "mine", "eu-west-1"
DATE, EXECUTION = {"Get": "Parameters.Date"}, {"Get": "Execution.PipelineExecutionId"}


@pytest.fixture(scope="module")
def definition() -> Pipeline:
    return get_scoring(role=ROLE, bucket=BUCKET, region=REGION)


@pytest.fixture(scope="module")
def steps(definition: Pipeline) -> dict[str, Step]:
    return {step.name: step for step in definition.all_steps}


@pytest.fixture(scope="module")
def requests(steps: dict[str, Step]) -> dict[str, Any]:
    return {name: step.to_json()["Arguments"] for name, step in steps.items()}


def inputs(request: Mapping[str, Any]) -> dict[str, tuple[Path, Any]]:
    """Where each of a processing job's inputs lies in the container, and where it comes from."""
    found = {item["InputName"]: item["S3Input"] for item in request["ProcessingInputs"]}
    return {name: (Path(item["LocalPath"]), item["S3Uri"]) for name, item in found.items()}


def outputs(request: Mapping[str, Any]) -> dict[str, tuple[Path, Any]]:
    found = {
        item["OutputName"]: item["S3Output"]
        for item in request["ProcessingOutputConfig"]["Outputs"]
    }
    return {name: (Path(item["LocalPath"]), item["S3Uri"]) for name, item in found.items()}


def written_below(*names: str) -> dict[str, Any]:
    """An address of the run's own, below its date."""
    return {
        "Std:Join": {
            "On": "/",
            "Values": ["s3://mine/abalone/scores", DATE, EXECUTION, *names],
        }
    }


def output_of(step: str, name: str) -> dict[str, str]:
    path = f"ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"
    return {"Get": f"Steps.{step}.{path}"}


def test_the_steps(steps: dict[str, Step]) -> None:
    assert {name: step.type for name, step in steps.items()} == {
        "ScorePrepare": "Processing",
        "ScoreTransform": "Transform",
        "ScoreJoin": "Processing",
    }


def test_the_parameters_and_their_defaults(definition: Pipeline) -> None:
    assert {item.name: (item.type, item.default) for item in definition.parameters} == {
        **dict.fromkeys(
            ["Date", "BatchData", "Landed", "ModelName", "Preprocessor", "Baseline"],
            ("String", None),
        ),
        "LowestPrediction": ("Float", 0.0),
        "HighestPrediction": ("Float", 50.0),
        "MissingShare": ("Float", 0.0),
        "ProcessingInstanceType": ("String", "ml.m5.xlarge"),
        "TransformInstanceType": ("String", "ml.m5.xlarge"),
    }


def test_every_parameter_is_used(definition: Pipeline) -> None:
    written = json.dumps(definition["Steps"])
    unused = [
        item.name for item in definition.parameters if f"Parameters.{item.name}" not in written
    ]
    assert unused == []


def test_rows_are_prepared_by_the_trainings_script_in_its_other_mode(
    requests: dict[str, Any],
) -> None:
    request = requests["ScorePrepare"]
    root = preprocess.ROOT
    found = inputs(request)
    assert request["AppSpecification"]["ContainerArguments"] == ["--mode", "inference"]
    assert (found["batch"], found["preprocessor"]) == (
        (root / preprocess.BATCH_INPUT, {"Get": "Parameters.BatchData"}),
        (root / preprocess.PREPROCESSOR_INPUT.parent, {"Get": "Parameters.Preprocessor"}),
    )
    assert outputs(request) == {
        "batch": (root / preprocess.BATCH_OUTPUT, written_below("ScorePrepare", "batch")),
        "rows": (root / preprocess.ROWS_OUTPUT, written_below("ScorePrepare", "rows")),
    }


def test_the_model_predicts_from_the_prepared_rows(requests: dict[str, Any]) -> None:
    request = requests["ScoreTransform"]
    source = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    assert (request["ModelName"], source, request["TransformOutput"]["S3OutputPath"]) == (
        {"Get": "Parameters.ModelName"},
        output_of("ScorePrepare", "batch"),
        written_below("ScoreTransform"),
    )


def test_predictions_are_joined_to_the_rows_that_were_prepared(requests: dict[str, Any]) -> None:
    found = inputs(requests["ScoreJoin"])
    del found["code"]
    predictions = {"Get": "Steps.ScoreTransform.TransformOutput.S3OutputPath"}
    assert found == {
        "rows": (join.ROOT / join.ROWS, output_of("ScorePrepare", "rows")),
        "predictions": (join.ROOT / join.PREDICTIONS, predictions),
        "baseline": (join.ROOT / join.BASELINE.parent, {"Get": "Parameters.Baseline"}),
    }


def test_the_scores_lie_right_in_the_runs_folder(requests: dict[str, Any]) -> None:
    assert outputs(requests["ScoreJoin"]) == {
        "scores": (join.ROOT / join.SCORED.parent, written_below())
    }
    assert (join.SCORED.name, join.QUALITY.name) == (PREDICTIONS_FILE, QUALITY_FILE)


def test_the_limits_are_what_the_script_takes_and_has_by_default(
    definition: Pipeline, requests: dict[str, Any]
) -> None:
    landed, when, *arguments = requests["ScoreJoin"]["AppSpecification"]["ContainerArguments"]
    assert (landed, when) == ("--landed", {"Get": "Parameters.Landed"})
    defaults = {item.name: item.default for item in definition.parameters}
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    limits = {
        name: defaults[value["Std:Join"]["Values"][0]["Get"].removeprefix("Parameters.")]
        for name, value in given.items()
    }
    assert limits == {f"--{name}": value for name, value in vars(join.Limits()).items()}


def test_the_scripts_know_the_same_columns() -> None:
    assert join.FEATURES == preprocess.FEATURES


def test_rows_like_the_training_rows_have_not_drifted_from_the_baseline_of_a_training(
    tmp_path: Path,
) -> None:
    put_abalone(tmp_path)
    assert preprocess.main(["--root", str(tmp_path)]) is None
    put_table(tmp_path, join.ROWS, abalone().drop(columns="rings"))
    baseline = join.read_baseline(tmp_path / preprocess.BASELINE)
    (rows,) = join.read_rows(tmp_path / join.ROWS).values()
    found = join.drift(baseline, rows)
    assert [name for name in found if found[name]["psi"] > 0.005] == []
    assert {found[name]["unseen"] for name in found} == {0.0}
