"""The iris pipeline's definition, and its agreement with the scripts that its jobs run."""

import io
import json
import re
import tarfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from include.nacre.check import check_definition
from include.nacre.definition.graph import dependencies
from include.nacre.definition.records import Pipeline
from include.pipelines.iris import evaluate, inference, preprocess, train
from include.pipelines.iris.pipeline import get_pipeline

ROLE, BUCKET, REGION = "arn:aws:iam::111122223333:role/Mine", "mine", "eu-west-1"
EXECUTION = {"Get": "Execution.PipelineExecutionId"}
IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"


@pytest.fixture(scope="module")
def definition() -> Pipeline:
    return get_pipeline(role=ROLE, bucket=BUCKET, region=REGION)


@pytest.fixture(scope="module")
def requests(definition: Pipeline) -> dict[str, Any]:
    return {step.name: step.to_json()["Arguments"] for step in definition.steps}


def test_the_definition_has_no_fault(definition: Pipeline) -> None:
    assert check_definition(json.dumps(definition), "iris").faults == ()


def test_the_steps_are_a_straight_line(definition: Pipeline) -> None:
    assert {step.name: step.type for step in definition.steps} == {
        "IrisProcess": "Processing",
        "IrisTrain": "Training",
        "IrisCreateModel": "Model",
        "IrisTransform": "Transform",
        "IrisEval": "Processing",
        "IrisRegisterModel": "RegisterModel",
    }
    names = [step.name for step in definition.steps]
    awaited = dependencies(definition)
    assert [pair for pair in pairwise(names) if pair[0] not in awaited[pair[1]]] == []


def test_the_parameters_their_defaults_and_that_each_is_described(definition: Pipeline) -> None:
    assert {item.name: (item.type, item.default) for item in definition.parameters} == {
        "ProcessingInstanceType": ("String", "ml.m5.large"),
        "TrainingInstanceType": ("String", "ml.m5.large"),
        "InputData": ("String", "s3://mine/iris/raw/"),
        "TestShare": ("Float", 0.3),
        "RandomState": ("Integer", 0),
        "NEstimators": ("Integer", 100),
        "MaxDepth": ("Integer", 5),
        "ModelApprovalStatus": ("String", "PendingManualApproval"),
    }
    assert [item.name for item in definition.parameters if not item.description] == []


def test_every_parameter_is_used(definition: Pipeline) -> None:
    written = json.dumps(definition["Steps"])
    unused = [
        item.name for item in definition.parameters if f"Parameters.{item.name}" not in written
    ]
    assert unused == []


def test_the_definition_is_plain_json_and_the_same_each_time(definition: Pipeline) -> None:
    again = get_pipeline(role=ROLE, bucket=BUCKET, region=REGION)
    assert json.loads(json.dumps(definition)) == definition == again


def test_role_bucket_and_region_come_from_the_environment(
    definition: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_ROLE_ARN", ROLE)
    monkeypatch.setenv("SAGEMAKER_BUCKET", BUCKET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    assert get_pipeline() == definition


def test_all_jobs_and_the_model_run_in_one_image(definition: Pipeline) -> None:
    images = re.findall(r'"([^"]*dkr\.ecr[^"]*)"', json.dumps(definition))
    assert (set(images), len(images)) == ({IMAGE}, 5)


# Script mode.


def test_training_and_model_find_their_programs_in_one_archive(
    definition: Pipeline, requests: dict[str, Any]
) -> None:
    hyperparameters = requests["IrisTrain"]["HyperParameters"]
    environment = requests["IrisCreateModel"]["PrimaryContainer"]["Environment"]
    address = hyperparameters["sagemaker_submit_directory"]
    assert environment == {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": address,
        "SAGEMAKER_REGION": REGION,
    }
    with tarfile.open(fileobj=io.BytesIO(definition.assets[address].content)) as archive:
        names = archive.getnames()
    assert hyperparameters["sagemaker_program"] in names
    assert environment["SAGEMAKER_PROGRAM"] in names


def test_every_script_is_brought_to_where_the_jobs_look_for_it(definition: Pipeline) -> None:
    looked_for = set(re.findall(r's3://mine/iris/code/[^"]*', json.dumps(definition)))
    assert looked_for == definition.assets.keys()


def test_the_hyperparameters_are_options_of_the_program(
    requests: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        train.main(["--help"])
    known = capsys.readouterr().out
    names = [name for name in requests["IrisTrain"]["HyperParameters"] if name[:9] != "sagemaker"]
    assert names == ["n-estimators", "max-depth", "random-state"]
    assert [name for name in names if f"--{name} " not in known] == []


def test_the_metric_is_found_in_what_the_training_prints(requests: dict[str, Any]) -> None:
    (metric,) = requests["IrisTrain"]["AlgorithmSpecification"]["MetricDefinitions"]
    found = re.search(metric["Regex"], "100 trees, oob_accuracy=0.9333;")
    assert found is not None
    assert found[1] == "0.9333"


def test_the_registered_version_is_served_as_the_model_is(requests: dict[str, Any]) -> None:
    (container,) = requests["IrisRegisterModel"]["InferenceSpecification"]["Containers"]
    assert container == requests["IrisCreateModel"]["PrimaryContainer"]


# What the scripts have in common, since none of them may import another.


def test_the_scripts_agree_on_columns_and_files() -> None:
    assert preprocess.FEATURES == train.FEATURES == inference.FEATURES == evaluate.FEATURES
    assert preprocess.LABEL == train.LABEL == inference.LABEL == evaluate.LABEL
    assert preprocess.COLUMNS == train.COLUMNS == evaluate.COLUMNS[: len(train.COLUMNS)]
    assert train.MODEL_FILE == inference.MODEL_FILE


def test_the_model_sees_all_but_the_label(requests: dict[str, Any]) -> None:
    asked = requests["IrisTransform"]["DataProcessing"]
    assert asked == {"InputFilter": "$[1:]", "JoinSource": "Input"}
    assert preprocess.COLUMNS[1:] == inference.FEATURES


# Where things lie.


@pytest.mark.parametrize(
    ("step", "inputs", "outputs"),
    [
        (
            "IrisProcess",
            {"raw": preprocess.RAW},
            {"train": preprocess.TRAIN.parent, "test": preprocess.TEST.parent},
        ),
        (
            "IrisEval",
            {"predictions": evaluate.PREDICTIONS},
            {"evaluation": evaluate.REPORT.parent},
        ),
    ],
)
def test_a_script_finds_its_inputs_and_leaves_its_outputs_where_the_job_has_them(
    requests: dict[str, Any], step: str, inputs: dict[str, Path], outputs: dict[str, Path]
) -> None:
    found = {
        item["InputName"]: Path(item["S3Input"]["LocalPath"])
        for item in requests[step]["ProcessingInputs"]
    }
    left = {
        item["OutputName"]: Path(item["S3Output"]["LocalPath"])
        for item in requests[step]["ProcessingOutputConfig"]["Outputs"]
    }
    del found["code"]
    root = preprocess.ROOT
    assert found == {name: root / place for name, place in inputs.items()}
    assert left == {name: root / place for name, place in outputs.items()}


def test_every_address_that_a_run_writes_to_holds_its_execution_id(
    requests: dict[str, Any],
) -> None:
    written = [
        output["S3Output"]["S3Uri"]
        for step in ("IrisProcess", "IrisEval")
        for output in requests[step]["ProcessingOutputConfig"]["Outputs"]
    ]
    written.append(requests["IrisTrain"]["OutputDataConfig"]["S3OutputPath"])
    written.append(requests["IrisTransform"]["TransformOutput"]["S3OutputPath"])
    assert [uri["Std:Join"]["Values"][:2] for uri in written] == [
        ["s3://mine/iris/runs", EXECUTION]
    ] * 5


def test_the_version_carries_the_report_and_its_accuracy(requests: dict[str, Any]) -> None:
    request = requests["IrisRegisterModel"]
    folder = "Steps.IrisEval.ProcessingOutputConfig.Outputs['evaluation'].S3Output.S3Uri"
    report = {"Get": "Steps.IrisEval.PropertyFiles.EvaluationReport"}
    path = "multiclass_classification_metrics.accuracy.value"
    assert request["ModelMetrics"]["ModelQuality"]["Statistics"] == {
        "ContentType": "application/json",
        "S3Uri": {"Std:Join": {"On": "/", "Values": [{"Get": folder}, evaluate.REPORT.name]}},
    }
    assert request["CustomerMetadataProperties"]["Accuracy"] == {
        "Std:Join": {
            "On": "",
            "Values": [{"Std:JsonGet": {"PropertyFile": report, "Path": path}}],
        }
    }
