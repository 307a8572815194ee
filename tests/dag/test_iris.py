"""The iris DAG, from its file, on the local SageMaker."""

import csv
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from include.pipelines.iris import source
from include.pipelines.iris.pipeline import RAW_KEY
from tests.dag.runs import Outcome, run
from tests.support.local_sagemaker import BUCKET, PROJECT, LocalSageMaker, wait_until_over

pytestmark = pytest.mark.usefixtures("airflow")
STEPS = ("Process", "Train", "CreateModel", "Transform", "Eval", "RegisterModel")


def iris(conf: Mapping[str, Any] | None = None) -> Outcome:
    """Run the DAG, parsed anew: `DAG.test` leaves a run's conf in the DAG's params."""
    from airflow.dag_processing.dagbag import BundleDagBag

    file = PROJECT / "dags" / "iris_training.py"
    bag = BundleDagBag(dag_folder=str(file), bundle_path=file.parent, bundle_name="dags-folder")
    assert bag.import_errors == {}
    dag = bag.dags["iris_training"]
    for task in dag.tasks:
        task.retries = 0
    return run(dag, conf)


@pytest.fixture(scope="module")
def trained(airflow: None) -> Outcome:  # noqa: ARG001 - its database must be there
    return iris()


def read(service: LocalSageMaker, uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body: bytes = service.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def version(service: LocalSageMaker, outcome: Outcome) -> dict[str, Any]:
    """The model version that a run has registered."""
    arn = outcome.result("IrisRegisterModel")["arn"]
    found: dict[str, Any] = service.client("sagemaker").describe_model_package(ModelPackageName=arn)
    return found


def report_of(service: LocalSageMaker, registered: Mapping[str, Any]) -> dict[str, Any]:
    address = registered["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    found: dict[str, Any] = json.loads(read(service, address))
    return found


def scored(service: LocalSageMaker, outcome: Outcome) -> list[list[str]]:
    """The lines that the batch transform has left."""
    folder = outcome.result("IrisTransform")["properties"]["TransformOutput.S3OutputPath"]
    text = read(service, f"{folder}/test.csv.out").decode()
    return list(csv.reader(text.splitlines()))


def test_all_steps_run_and_the_bundled_data_has_landed(
    trained: Outcome, sagemaker: LocalSageMaker
) -> None:
    expected = dict.fromkeys(["land_data", *(f"Iris{step}" for step in STEPS)], "success")
    assert (trained.states, read(sagemaker, f"s3://{BUCKET}/{RAW_KEY}")) == (
        expected,
        source.raw_csv(),
    )


def test_a_version_is_registered_for_approval_with_its_accuracy(
    trained: Outcome, sagemaker: LocalSageMaker
) -> None:
    registered = version(sagemaker, trained)
    metrics = report_of(sagemaker, registered)["multiclass_classification_metrics"]
    accuracy = metrics["accuracy"]["value"]
    assert registered["ModelApprovalStatus"] == "PendingManualApproval"
    assert registered["CustomerMetadataProperties"] == {
        "InputData": f"s3://{BUCKET}/iris/raw/",
        "Accuracy": str(accuracy),
    }
    assert 0.9 < accuracy <= 1


def test_predictions_are_those_of_the_model_in_plain_scikit_learn_row_for_row(
    trained: Outcome, sagemaker: LocalSageMaker, tmp_path: Path
) -> None:
    (container,) = version(sagemaker, trained)["InferenceSpecification"]["Containers"]
    with tarfile.open(fileobj=io.BytesIO(read(sagemaker, container["ModelDataUrl"]))) as members:
        members.extractall(tmp_path, filter="data")
    forest = joblib.load(tmp_path / "model.joblib")
    lines = scored(sagemaker, trained)
    rows = np.array([line[1:5] for line in lines], dtype=float)
    predicted = [(line[5], float(line[6])) for line in lines]
    expected = zip(forest.predict(rows), forest.predict_proba(rows).max(axis=1), strict=True)
    assert predicted == [(str(name), float(share)) for name, share in expected]


def test_the_test_rows_are_scored_in_their_order_and_the_accuracy_is_that_of_their_predictions(
    trained: Outcome, sagemaker: LocalSageMaker
) -> None:
    lines = scored(sagemaker, trained)
    outputs = trained.result("IrisProcess")["properties"]
    folder = outputs["ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri"]
    rows = read(sagemaker, f"{folder}/test.csv").decode().splitlines()
    right = sum(line[0] == line[5] for line in lines)
    accuracy = version(sagemaker, trained)["CustomerMetadataProperties"]["Accuracy"]
    assert [",".join(line[:5]) for line in lines] == rows
    assert float(accuracy) == right / len(rows)


def test_the_model_answers_row_by_row_too_and_tells_a_bad_rows_place_in_the_jobs_log(
    trained: Outcome, sagemaker: LocalSageMaker
) -> None:
    client, folder = sagemaker.client("sagemaker"), f"s3://{BUCKET}/iris-rows"
    for name, text in {"bad.csv": "5.1,,1.4,0.2\n", "good.csv": "5.1,3.5,1.4,0.2\n" * 2}.items():
        sagemaker.client("s3").put_object(Bucket=BUCKET, Key=f"iris-rows/{name}", Body=text)
    client.create_transform_job(
        TransformJobName="iris-row-by-row",
        ModelName=trained.result("IrisCreateModel")["name"],
        BatchStrategy="SingleRecord",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": folder}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"{folder}-scored", "Accept": "application/json"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    job = wait_until_over(client, "transform", "iris-row-by-row")
    answer = '{"predictions": [{"species": "setosa", "probability": 1.0}]}'
    assert job["TransformJobStatus"] == "Failed"
    assert read(sagemaker, f"{folder}-scored/good.csv.out").decode() == answer * 2
    log = sagemaker.client("logs").filter_log_events(logGroupName="/aws/sagemaker/TransformJobs")
    said = "\n".join(event["message"] for event in log["events"])
    assert "row 1, column 'sepal_width': '' is no number" in said


def test_the_training_job_has_its_metric(trained: Outcome, sagemaker: LocalSageMaker) -> None:
    name = trained.result("IrisTrain")["name"]
    job = sagemaker.client("sagemaker").describe_training_job(TrainingJobName=name)
    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert metrics == {"oob_accuracy": pytest.approx(0.94, abs=0.04)}


def test_data_that_is_there_is_left_alone_and_a_bad_parameter_fails_by_its_name(
    trained: Outcome, sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    assert trained.state == "success"
    client = sagemaker.client("s3")
    before = client.head_object(Bucket=BUCKET, Key=RAW_KEY)["LastModified"]
    outcome = iris({"TestShare": 1.5})
    said = capfd.readouterr().out.rpartition("faults.StepFailed: ")[2]
    assert client.head_object(Bucket=BUCKET, Key=RAW_KEY)["LastModified"] == before
    assert [outcome.states[name] for name in ("land_data", "IrisProcess")] == ["success", "failed"]
    assert "150 rows cannot be split: The 'test_size' parameter of train_test_split must" in said


def test_bad_data_of_ones_own_fails_the_run_with_every_place_and_nothing_is_landed_or_trained(
    sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    text = b"sepal_length,sepal_width,petal_length,petal_width,species\n5.1,big,1.4,0.2,rose\n"
    sagemaker.client("s3").put_object(Bucket=BUCKET, Key="iris-bad/a.csv", Body=text)
    outcome = iris({"InputData": f"s3://{BUCKET}/iris-bad/"})
    said = capfd.readouterr().out.rpartition("faults.StepFailed: ")[2].splitlines()
    assert outcome.states == {"land_data": "success", "IrisProcess": "failed"} | {
        f"Iris{step}": "upstream_failed" for step in STEPS[1:]
    }
    assert said[0].endswith(" a.csv: row 2, column 'sepal_width': 'big' is no number above 0")
    assert said[1] == (
        "a.csv: row 2, column 'species': 'rose' is none of setosa, versicolor, virginica"
    )


def test_a_missing_bucket_fails_before_any_job_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAGEMAKER_BUCKET", "no-such-bucket-anywhere")
    outcome = iris()
    assert outcome.states["land_data"] == "failed"
    assert "AirflowFailException: The bucket 'no-such-bucket-anywhere' does not exist" in (
        capfd.readouterr().out
    )
