"""The abalone DAGs, from their files, on the local SageMaker."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import xgboost
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction

from include.pipelines.abalone import preprocess, source
from include.pipelines.abalone.pipeline import BATCH_KEY, RAW_KEY
from tests.dag.runs import Outcome, run
from tests.support.local_sagemaker import BUCKET, PROJECT, LocalSageMaker

pytestmark = pytest.mark.usefixtures("airflow")
BRANCH = ("AbaloneRegisterModel", "AbaloneCreateModel", "AbaloneTransform")


def parsed(name: str) -> DAG:
    """A DAG of dags/, parsed anew."""
    from airflow.dag_processing.dagbag import BundleDagBag

    file = PROJECT / "dags" / f"{name}.py"
    bag = BundleDagBag(dag_folder=str(file), bundle_path=file.parent, bundle_name="dags-folder")
    assert bag.import_errors == {}
    return bag.dags[name]


def abalone(name: str, conf: Mapping[str, Any] | None = None) -> Outcome:
    """Run a DAG parsed anew: `DAG.test` leaves a run's conf in the DAG's params."""
    dag = parsed(name)
    for task in dag.tasks:
        task.retries = 0
    return run(dag, conf)


class Bucket:
    """What lies in the default bucket."""

    def __init__(self, service: LocalSageMaker) -> None:
        self._s3 = service.client("s3")

    def read(self, key: str) -> bytes:
        body: bytes = self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def put(self, key: str, content: bytes) -> None:
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    def keys(self, prefix: str) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def table(self, key: str) -> np.ndarray:
        return np.loadtxt(io.BytesIO(self.read(key)), delimiter=",", ndmin=2)


@pytest.fixture(scope="module")
def bucket(sagemaker: LocalSageMaker) -> Bucket:
    return Bucket(sagemaker)


@pytest.fixture(scope="module")
def landed(airflow: None, bucket: Bucket) -> Outcome:  # noqa: ARG001 - both must be there
    return abalone("abalone_ingest")


@pytest.fixture(scope="module")
def trained(landed: Outcome) -> Outcome:
    assert landed.state == "success"
    return abalone("abalone_training")


def versions(service: LocalSageMaker) -> list[dict[str, Any]]:
    client = service.client("sagemaker")
    found = client.list_model_packages(ModelPackageGroupName="abalone")["ModelPackageSummaryList"]
    return [
        client.describe_model_package(ModelPackageName=item["ModelPackageArn"]) for item in found
    ]


def run_folder(outcome: Outcome) -> str:
    """The key prefix of a run's own files."""
    outputs = outcome.rendered("AbaloneProcess")["request"]["ProcessingOutputConfig"]["Outputs"]
    address = str(outputs[0]["S3Output"]["S3Uri"])
    return address.removeprefix(f"s3://{BUCKET}/").partition("/AbaloneProcess/")[0]


# abalone_ingest


def test_ingest_lands_the_bundled_data(landed: Outcome, bucket: Bucket) -> None:
    assert landed.state == "success"
    assert (bucket.read(RAW_KEY), bucket.read(BATCH_KEY)) == (source.raw_csv(), source.batch_csv())


def test_ingest_says_what_it_landed_with_the_asset(landed: Outcome) -> None:
    from airflow import settings
    from airflow.models.asset import AssetEvent

    events = settings.Session().query(AssetEvent).filter_by(source_run_id=landed.run.run_id)
    assert [(event.asset.name, event.extra) for event in events] == [
        (
            "abalone_raw",
            {
                "address": f"s3://{BUCKET}/{RAW_KEY}",
                "rows": 4177,
                "sha256": hashlib.sha256(source.raw_csv()).hexdigest(),
            },
        )
    ]


def test_a_missing_bucket_fails_ingest_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAGEMAKER_BUCKET", "no-such-bucket-anywhere")
    outcome = abalone("abalone_ingest")
    assert outcome.states == {"land_batch": "failed", "land_raw": "upstream_failed"}
    assert "AirflowFailException: The bucket 'no-such-bucket-anywhere' does not exist" in (
        capfd.readouterr().out
    )


# abalone_training


def test_a_good_model_is_registered_for_approval_with_its_evaluation(
    trained: Outcome, sagemaker: LocalSageMaker, bucket: Bucket
) -> None:
    assert trained.states.pop("AbaloneMSEFail") == "skipped"
    (version,) = versions(sagemaker)
    statistics = version["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    report = json.loads(bucket.read(statistics.removeprefix(f"s3://{BUCKET}/")))
    assert version["ModelApprovalStatus"] == "PendingManualApproval"
    assert 4 < report["regression_metrics"]["mse"]["value"] < 6


def test_a_versions_metadata_names_files_that_are_there(
    trained: Outcome, sagemaker: LocalSageMaker, bucket: Bucket
) -> None:
    metadata = versions(sagemaker)[-1]["CustomerMetadataProperties"]
    keys = {name: uri.removeprefix(f"s3://{BUCKET}/") for name, uri in metadata.items()}
    folder = run_folder(trained)
    assert bucket.read(keys["EvaluationPicture"])[1:4] == b"PNG"
    assert keys == {
        "InputData": "abalone/raw/",
        "Preprocessor": f"{folder}/AbaloneProcess/preprocessor/preprocessor.joblib",
        "EvaluationPicture": f"{folder}/AbaloneEval/evaluation/evaluation.png",
    }


def test_predictions_are_those_of_the_model_in_plain_libraries_row_for_row(
    trained: Outcome, bucket: Bucket, tmp_path: Path
) -> None:
    folder = run_folder(trained)
    (model,) = bucket.keys(f"{folder}/AbaloneTrain/")
    with tarfile.open(fileobj=io.BytesIO(bucket.read(model))) as members:
        members.extractall(tmp_path, filter="data")
    booster = xgboost.Booster(model_file=bytearray((tmp_path / "xgboost-model").read_bytes()))
    prepare = joblib.load(
        io.BytesIO(bucket.read(f"{folder}/AbaloneProcess/preprocessor/preprocessor.joblib"))
    )
    (tmp_path / "batch.csv").write_bytes(source.batch_csv())
    rows = preprocess.read_table(tmp_path / "batch.csv", preprocess.FEATURES)
    expected = booster.predict(xgboost.DMatrix(prepare.transform(rows)))
    predictions = bucket.table(f"{folder}/AbaloneTransform/batch.csv.out")[:, 0]
    assert predictions.tolist() == [float(value) for value in expected]


def test_another_run_makes_another_version_and_touches_nothing_of_the_first(
    trained: Outcome, sagemaker: LocalSageMaker, bucket: Bucket
) -> None:
    first = {key: bucket.read(key) for key in bucket.keys(run_folder(trained))}
    again = abalone("abalone_training", {"ProcessingInstanceCount": 2, "SplitSeed": 3})
    assert again.state == "success"
    assert {key: bucket.read(key) for key in bucket.keys(run_folder(trained))} == first
    assert sorted(item["ModelPackageVersion"] for item in versions(sagemaker)) == [1, 2]
    assert len(bucket.table(f"{run_folder(again)}/AbaloneProcess/train/train.csv")) == 2923


def test_a_weak_model_fails_the_run_with_mse_and_threshold_and_is_not_registered(
    trained: Outcome, sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    assert trained.state == "success"
    before = len(versions(sagemaker))
    weak = abalone("abalone_training", {"MseThreshold": 3.5})
    said = capfd.readouterr().out
    assert (weak.state, weak.task("AbaloneMSEFail").state) == ("failed", "failed")
    assert [str(weak.task(name).state) for name in BRANCH] == ["skipped"] * 3
    assert "MSE 5.27" in said
    assert "is above the threshold 3.5 (parameter MseThreshold)" in said
    assert len(versions(sagemaker)) == before


def test_bad_data_fails_the_run_with_every_place_and_nothing_is_trained(
    landed: Outcome, bucket: Bucket, capfd: pytest.CaptureFixture[str]
) -> None:
    assert landed.state == "success"
    bucket.put("abalone-bad/a.csv", b"M,0.455,0.365,0.095,0.514,0.2245,0.15,15\n")
    bucket.put("abalone-bad/b.csv", b"M,0.455,big,0.095,0.514,0.2245,0.101,0.15,15\n")
    bucket.put("abalone-bad/c.csv", b"")
    outcome = abalone("abalone_training", {"InputData": f"s3://{BUCKET}/abalone-bad/"})
    assert outcome.states == {"AbaloneProcess": "failed"} | {
        name: "upstream_failed" for name in outcome.states if name != "AbaloneProcess"
    }
    reason = capfd.readouterr().out.rpartition("faults.StepFailed: ")[2].splitlines()
    names = ", ".join(preprocess.COLUMNS)
    assert reason[0].endswith(f" a.csv: row 1: 8 values, 9 are expected: {names}")
    assert reason[1:3] == [
        "b.csv: row 1, column 'diameter': 'big' is no number",
        f"c.csv: the file is empty; rows of 9 values are expected: {names}",
    ]


# abalone_native


@pytest.mark.parametrize("name", ["abalone_training", "abalone_native"])
def test_unpausing_runs_nothing_and_a_backfill_runs_every_monday(name: str) -> None:
    scheduled = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(parsed(name)))
    restriction = TimeRestriction(earliest=None, latest=None, catchup=False)
    first = scheduled.timetable.next_dagrun_info(
        last_automated_data_interval=None, restriction=restriction
    )
    month = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)
    days = [item.run_after.day for item in scheduled.iter_dagrun_infos_between(*month)]
    assert first is not None
    assert (first.run_after > datetime.now(UTC) - timedelta(minutes=16), days) == (
        True,
        [2, 9, 16, 23],
    )


def test_sagemaker_itself_comes_to_the_same_end(
    trained: Outcome, sagemaker: LocalSageMaker
) -> None:
    assert trained.state == "success"
    before = len(versions(sagemaker))
    native = abalone("abalone_native")
    (task,) = native.dag.task_ids
    ran = native.result(task)["steps"]
    assert (native.state, len(versions(sagemaker))) == ("success", before + 1)
    assert ran == dict.fromkeys(
        ("AbaloneProcess", "AbaloneTrain", "AbaloneEval", "AbaloneMSECond", *BRANCH), "Succeeded"
    )


def test_a_weak_model_fails_the_native_task_with_the_same_words(
    trained: Outcome, sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    assert trained.state == "success"
    before = len(versions(sagemaker))
    weak = abalone("abalone_native", {"MseThreshold": 3.5})
    said = capfd.readouterr().out
    assert (weak.state, len(versions(sagemaker))) == ("failed", before)
    assert "step AbaloneMSEFail: Failed: " in said
    assert "is above the threshold 3.5 (parameter MseThreshold)" in said
