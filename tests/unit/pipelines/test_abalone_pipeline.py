"""The abalone pipeline's definition, and its agreement with the scripts that its jobs run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from include.nacre.definition.records import Pipeline, Step
from include.pipelines.abalone import evaluate, preprocess, source
from include.pipelines.abalone.layout import BATCH_FILE, RAW_FILE
from include.pipelines.abalone.pipeline import get_pipeline

ROLE, BUCKET, REGION = "arn:aws:iam::111122223333:role/Mine", "mine", "eu-west-1"
EXECUTION = {"Get": "Execution.PipelineExecutionId"}


@pytest.fixture(scope="module")
def definition() -> Pipeline:
    return get_pipeline(role=ROLE, bucket=BUCKET, region=REGION)


@pytest.fixture(scope="module")
def steps(definition: Pipeline) -> dict[str, Step]:
    return {step.name: step for step in definition.all_steps}


@pytest.fixture(scope="module")
def requests(steps: dict[str, Step]) -> dict[str, Any]:
    return {name: step.to_json()["Arguments"] for name, step in steps.items()}


def text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def local_paths(request: Mapping[str, Any], side: str) -> dict[str, Path]:
    """Where a processing job's inputs or outputs lie in the container, by their names."""
    if side == "inputs":
        pairs = [(item["InputName"], item["S3Input"]) for item in request["ProcessingInputs"]]
    else:
        outputs = request["ProcessingOutputConfig"]["Outputs"]
        pairs = [(item["OutputName"], item["S3Output"]) for item in outputs]
    return {name: Path(place["LocalPath"]) for name, place in pairs}


def test_the_steps_are_the_classic_ones_and_a_refusal(steps: dict[str, Step]) -> None:
    assert {name: step.type for name, step in steps.items()} == {
        "AbaloneProcess": "Processing",
        "AbaloneTrain": "Training",
        "AbaloneEval": "Processing",
        "AbaloneMSECond": "Condition",
        "AbaloneRegisterModel": "RegisterModel",
        "AbaloneCreateModel": "Model",
        "AbaloneTransform": "Transform",
        "AbaloneMSEFail": "Fail",
    }


def test_the_parameters_and_their_defaults(definition: Pipeline) -> None:
    assert {item.name: (item.type, item.default) for item in definition.parameters} == {
        "ProcessingInstanceType": ("String", "ml.m5.xlarge"),
        "ProcessingInstanceCount": ("Integer", 1),
        "TrainingInstanceType": ("String", "ml.m5.xlarge"),
        "InputData": ("String", "s3://mine/abalone/raw/"),
        "BatchData": ("String", "s3://mine/abalone/batch/"),
        "ModelApprovalStatus": ("String", "PendingManualApproval"),
        "MseThreshold": ("Float", 6.0),
        "SplitSeed": ("Integer", 0),
        "DataUntil": ("String", ""),
    }


def test_every_parameter_is_used(definition: Pipeline) -> None:
    written = text(definition["Steps"])
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


def test_images_come_from_the_regions_own_registry(requests: dict[str, Any]) -> None:
    registry = "141502667606.dkr.ecr.eu-west-1.amazonaws.com"
    assert requests["AbaloneTrain"]["AlgorithmSpecification"]["TrainingImage"] == (
        f"{registry}/sagemaker-xgboost:3.2-0"
    )
    assert requests["AbaloneProcess"]["AppSpecification"]["ImageUri"] == (
        f"{registry}/sagemaker-scikit-learn:1.9-0-cpu-py3"
    )


def test_the_model_is_trained_evaluated_and_served_by_one_image(requests: dict[str, Any]) -> None:
    container = requests["AbaloneRegisterModel"]["InferenceSpecification"]["Containers"][0]
    images = {
        requests["AbaloneTrain"]["AlgorithmSpecification"]["TrainingImage"],
        requests["AbaloneEval"]["AppSpecification"]["ImageUri"],
        requests["AbaloneCreateModel"]["PrimaryContainer"]["Image"],
        container["Image"],
    }
    assert len(images) == 1


# Where things lie.


@pytest.mark.parametrize(
    ("step", "script"), [("AbaloneProcess", "preprocess.py"), ("AbaloneEval", "evaluate.py")]
)
def test_a_jobs_code_is_the_script_of_this_folder(
    definition: Pipeline, requests: dict[str, Any], step: str, script: str
) -> None:
    code = next(
        item["S3Input"]
        for item in requests[step]["ProcessingInputs"]
        if item["InputName"] == "code"
    )
    entrypoint = requests[step]["AppSpecification"]["ContainerEntrypoint"]
    expected = Path(preprocess.__file__).with_name(script).read_bytes()
    assert definition.assets[code["S3Uri"]].content == expected
    assert entrypoint == ["python3", f"{code['LocalPath']}/{script}"]


def test_the_preparation_finds_its_inputs_and_leaves_its_outputs_where_the_job_has_them(
    requests: dict[str, Any],
) -> None:
    inputs = local_paths(requests["AbaloneProcess"], "inputs")
    outputs = local_paths(requests["AbaloneProcess"], "outputs")
    root = preprocess.ROOT
    assert (inputs["raw"], inputs["batch"]) == (
        root / preprocess.RAW,
        root / preprocess.BATCH_INPUT,
    )
    assert outputs == {
        "train": (root / preprocess.TRAIN).parent,
        "validation": (root / preprocess.VALIDATION).parent,
        "test": (root / preprocess.TEST).parent,
        "raw_test": (root / preprocess.RAW_TEST).parent,
        "batch": root / preprocess.BATCH_OUTPUT,
        "preprocessor": (root / preprocess.PREPROCESSOR).parent,
        "baseline": (root / preprocess.BASELINE).parent,
        "report": (root / preprocess.REPORT).parent,
    }


def test_the_evaluation_finds_its_inputs_and_leaves_its_outputs_where_the_job_has_them(
    requests: dict[str, Any],
) -> None:
    inputs = local_paths(requests["AbaloneEval"], "inputs")
    root = evaluate.ROOT
    assert inputs["model"] / "model.tar.gz" == root / evaluate.MODEL
    assert inputs["test"] / preprocess.TEST.name == root / evaluate.TEST
    outputs = local_paths(requests["AbaloneEval"], "outputs")
    assert outputs == {"evaluation": (root / evaluate.REPORT).parent}


def test_the_property_files_are_the_reports_that_the_scripts_write(steps: dict[str, Step]) -> None:
    (report,) = steps["AbaloneProcess"].property_files
    assert (report.output_name, report.path) == ("report", preprocess.REPORT.name)
    (report,) = steps["AbaloneEval"].property_files
    assert (report.output_name, report.path) == ("evaluation", evaluate.REPORT.name)


def test_every_address_that_a_run_writes_to_holds_its_execution_id(
    requests: dict[str, Any],
) -> None:
    written = [
        output["S3Output"]["S3Uri"]
        for step in ("AbaloneProcess", "AbaloneEval")
        for output in requests[step]["ProcessingOutputConfig"]["Outputs"]
    ]
    written.append(requests["AbaloneTrain"]["OutputDataConfig"]["S3OutputPath"])
    written.append(requests["AbaloneTransform"]["TransformOutput"]["S3OutputPath"])
    assert [uri["Std:Join"]["Values"][:2] for uri in written] == [
        ["s3://mine/abalone/runs", EXECUTION]
    ] * 11


def test_no_output_address_is_the_beginning_of_another(requests: dict[str, Any]) -> None:
    """An S3 prefix is a string: what is read from `.../train` would include `.../train2/`."""
    names = [
        output["OutputName"]
        for output in requests["AbaloneProcess"]["ProcessingOutputConfig"]["Outputs"]
    ]
    clashes = [(a, b) for a in names for b in names if a != b and b.startswith(a)]
    assert clashes == []


def test_all_hosts_of_the_preparation_see_all_rows(requests: dict[str, Any]) -> None:
    inputs = requests["AbaloneProcess"]["ProcessingInputs"]
    kinds = {item["S3Input"]["S3DataDistributionType"] for item in inputs}
    assert kinds == {"FullyReplicated"}


# The decision.


def test_a_good_model_is_registered_with_its_evaluation_as_statistics(
    requests: dict[str, Any],
) -> None:
    request = requests["AbaloneRegisterModel"]
    evaluation = "Steps.AbaloneEval.ProcessingOutputConfig.Outputs['evaluation'].S3Output.S3Uri"
    assert request["ModelMetrics"]["ModelQuality"]["Statistics"] == {
        "ContentType": "application/json",
        "S3Uri": {"Std:Join": {"On": "/", "Values": [{"Get": evaluation}, "evaluation.json"]}},
    }
    assert request["ModelApprovalStatus"] == {"Get": "Parameters.ModelApprovalStatus"}


def test_a_version_says_what_it_was_trained_on(requests: dict[str, Any]) -> None:
    metadata = requests["AbaloneRegisterModel"]["CustomerMetadataProperties"]
    report = {"Get": "Steps.AbaloneProcess.PropertyFiles.PreparationReport"}
    said = {"Std:JsonGet": {"PropertyFile": report, "Path": "data_until"}}
    assert metadata["DataUntil"] == {"Std:Join": {"On": "", "Values": [said]}}
    assert set(metadata) == {
        "InputData",
        "DataUntil",
        "DataFrom",
        "Partitions",
        "Rows",
        "TrainingRows",
        "ValidationRows",
        "TestRowCount",
        "SplitSeed",
        "Preprocessor",
        "Baseline",
        "TestRows",
        "EvaluationPicture",
    }


def test_the_branches_part_at_the_threshold(requests: dict[str, Any]) -> None:
    fork = requests["AbaloneMSECond"]
    report = {"Get": "Steps.AbaloneEval.PropertyFiles.EvaluationReport"}
    mse = {"Std:JsonGet": {"PropertyFile": report, "Path": "regression_metrics.mse.value"}}
    assert fork["Conditions"] == [
        {
            "Type": "LessThanOrEqualTo",
            "LeftValue": mse,
            "RightValue": {"Get": "Parameters.MseThreshold"},
        }
    ]
    assert [step["Name"] for step in fork["IfSteps"]] == [
        "AbaloneRegisterModel",
        "AbaloneCreateModel",
        "AbaloneTransform",
    ]
    assert [step["Name"] for step in fork["ElseSteps"]] == ["AbaloneMSEFail"]


def test_the_refusal_says_the_mse_and_the_threshold(requests: dict[str, Any]) -> None:
    values = requests["AbaloneMSEFail"]["ErrorMessage"]["Std:Join"]["Values"]
    said = "".join(
        "5.5"
        if isinstance(item, dict) and "Std:JsonGet" in item
        else "6.0"
        if isinstance(item, dict)
        else item
        for item in values
    )
    assert said == (
        "MSE 5.5 is above the threshold 6.0 (parameter MseThreshold): "
        "the model is not good enough and was not registered."
    )


# The data that ships with it.


def test_the_bundled_rows_are_those_that_the_preparation_takes(tmp_path: Path) -> None:
    raw, batch = tmp_path / RAW_FILE, tmp_path / BATCH_FILE
    raw.write_bytes(source.raw_csv())
    batch.write_bytes(source.batch_csv())
    shells = preprocess.read_table(raw, preprocess.COLUMNS)
    scored = preprocess.read_table(batch, preprocess.FEATURES)
    assert (len(shells), len(scored)) == (4177, 418)
    assert (
        scored.to_numpy().tolist()
        == shells.iloc[::10][list(preprocess.FEATURES)].to_numpy().tolist()
    )


def test_the_bundled_rows_are_the_uci_originals() -> None:
    assert source.raw_csv().splitlines()[0] == b"M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,15"
