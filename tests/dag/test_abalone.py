"""The abalone DAGs, from their files, on the local SageMaker."""

import io
import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import joblib
import pytest
import xgboost
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction

from include.pipelines.abalone import preprocess
from include.pipelines.abalone.layout import REGISTERED, batch_key
from tests.dag.abalone import Bucket, abalone, bucket_of, events_of, parsed
from tests.dag.runs import Outcome, run
from tests.support.local_sagemaker import LocalSageMaker

BUCKET = "abalone-trained"
DATE = "2026-11-01"
BRANCH = ("AbaloneRegisterModel", "AbaloneCreateModel", "AbaloneTransform")


@pytest.fixture(scope="module", autouse=True)
def bucket(airflow: None, sagemaker: LocalSageMaker) -> Iterator[Bucket]:  # noqa: ARG001
    with bucket_of(sagemaker, BUCKET) as bucket:
        yield bucket


@pytest.fixture(scope="module")
def landed() -> Outcome:
    """Thirty days: every shell once."""
    return abalone("abalone_ingest", {"Date": DATE, "HistoryDays": 29})


@pytest.fixture(scope="module")
def trained(landed: Outcome) -> Outcome:
    assert landed.state == "success"
    return abalone("abalone_training", {"Date": DATE})


def version_of(outcome: Outcome, service: LocalSageMaker) -> dict[str, Any]:
    """The model version that a run has registered."""
    arn = outcome.result("AbaloneRegisterModel")["name"]
    found: dict[str, Any] = service.client("sagemaker").describe_model_package(ModelPackageName=arn)
    return found


def versions(service: LocalSageMaker) -> set[str]:
    """The ARNs of all versions."""
    pages = service.client("sagemaker").get_paginator("list_model_packages")
    return {
        item["ModelPackageArn"]
        for page in pages.paginate(ModelPackageGroupName="abalone")
        for item in page["ModelPackageSummaryList"]
    }


def run_folder(outcome: Outcome) -> str:
    """The key prefix of a run's own files."""
    outputs = outcome.rendered("AbaloneProcess")["request"]["ProcessingOutputConfig"]["Outputs"]
    address = str(outputs[0]["S3Output"]["S3Uri"])
    return address.removeprefix(f"s3://{BUCKET}/").partition("/AbaloneProcess/")[0]


# abalone_training


def test_a_good_model_is_registered_for_approval_with_its_evaluation(
    trained: Outcome, sagemaker: LocalSageMaker, bucket: Bucket
) -> None:
    assert trained.states.pop("AbaloneMSEFail") == "skipped"
    version = version_of(trained, sagemaker)
    statistics = version["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    report = json.loads(bucket.read(statistics.removeprefix(f"s3://{BUCKET}/")))
    assert version["ModelApprovalStatus"] == "PendingManualApproval"
    assert 4 < report["regression_metrics"]["mse"]["value"] < 6


def test_a_versions_metadata_names_files_that_are_there(
    trained: Outcome, sagemaker: LocalSageMaker, bucket: Bucket
) -> None:
    metadata = version_of(trained, sagemaker)["CustomerMetadataProperties"]
    keys = {name: uri.removeprefix(f"s3://{BUCKET}/") for name, uri in metadata.items()}
    folder = run_folder(trained)
    assert keys == {
        "InputData": "abalone/raw/",
        "DataFrom": "2026-10-03",
        "DataUntil": "2026-11-01",
        "Partitions": "30",
        "Rows": "4177",
        "TrainingRows": "2978",
        "ValidationRows": "625",
        "TestRowCount": "574",
        "SplitSeed": "0",
        "Preprocessor": f"{folder}/AbaloneProcess/preprocessor/preprocessor.joblib",
        "Baseline": f"{folder}/AbaloneProcess/baseline/baseline.json",
        "TestRows": f"{folder}/AbaloneProcess/raw_test",
        "EvaluationPicture": f"{folder}/AbaloneEval/evaluation/evaluation.png",
    }
    assert bucket.read(keys["EvaluationPicture"])[1:4] == b"PNG"
    assert json.loads(bucket.read(keys["Baseline"]))["rows"] == 2978
    assert bucket.keys(keys["TestRows"]) == [f"{keys['TestRows']}/test.csv"]
    assert bucket.keys(keys["Preprocessor"]) == [keys["Preprocessor"]]


def test_the_registration_tells_of_its_version(trained: Outcome, sagemaker: LocalSageMaker) -> None:
    told = events_of(trained)[REGISTERED]
    version = version_of(trained, sagemaker)
    assert (told["name"], told["arn"]) == (version["ModelPackageArn"],) * 2


def test_a_run_up_to_a_date_passes_over_what_came_later(
    landed: Outcome, sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    assert landed.state == "success"
    at = datetime(2026, 10, 12, 6, tzinfo=UTC)
    outcome = run(parsed("abalone_training"), {"MseThreshold": 50}, at)
    metadata = version_of(outcome, sagemaker)["CustomerMetadataProperties"]
    assert outcome.result("find_partitions") == "2026-10-12"
    assert "up to 2026-10-12: 10 partitions (2026-10-03 to 2026-10-12), " in (
        capfd.readouterr().out
    )
    assert (metadata["DataUntil"], metadata["Partitions"]) == ("2026-10-12", "10")


def test_a_run_before_all_data_says_where_it_begins(
    landed: Outcome, capfd: pytest.CaptureFixture[str]
) -> None:
    assert landed.state == "success"
    outcome = abalone("abalone_training", {"Date": "2026-01-01"})
    states = outcome.states
    assert (states.pop("find_partitions"), set(states.values())) == ("failed", {"upstream_failed"})
    assert (
        f"AirflowFailException: s3://{BUCKET}/abalone/raw/ holds no rows up to 2026-01-01: its"
        " partitions begin at 2026-10-03. Run abalone_ingest with Date 2026-01-01"
    ) in capfd.readouterr().out


def test_a_run_without_rows_to_score_says_what_to_do(
    landed: Outcome, capfd: pytest.CaptureFixture[str]
) -> None:
    assert landed.state == "success"
    outcome = abalone("abalone_training", {"BatchData": f"s3://{BUCKET}/abalone/none/"})
    assert outcome.states["find_partitions"] == "failed"
    assert (
        f"AirflowFailException: s3://{BUCKET}/abalone/none/ holds no rows to score, and a training"
    ) in capfd.readouterr().out


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
    (tmp_path / "batch.csv").write_bytes(bucket.read(batch_key(DATE)))
    rows = preprocess.read_table(tmp_path / "batch.csv", preprocess.FEATURES)
    expected = booster.predict(xgboost.DMatrix(prepare.transform(rows)))
    predictions = bucket.table(f"{folder}/AbaloneTransform/{DATE}/batch.csv.out")[:, 0]
    assert predictions.tolist() == [float(value) for value in expected]


def test_another_run_makes_another_version_and_touches_nothing_of_the_first(
    trained: Outcome, sagemaker: LocalSageMaker, bucket: Bucket
) -> None:
    first = {key: bucket.read(key) for key in bucket.keys(run_folder(trained))}
    again = abalone("abalone_training", {"ProcessingInstanceCount": 2, "SplitSeed": 3})
    assert again.state == "success"
    assert {key: bucket.read(key) for key in bucket.keys(run_folder(trained))} == first
    numbers = [version_of(ran, sagemaker)["ModelPackageVersion"] for ran in (trained, again)]
    assert numbers[0] < numbers[1]
    assert len(bucket.table(f"{run_folder(again)}/AbaloneProcess/train/train.csv")) == 2899


def test_a_weak_model_fails_the_run_with_mse_and_threshold_and_is_not_registered(
    trained: Outcome, sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    assert trained.state == "success"
    before = versions(sagemaker)
    weak = abalone("abalone_training", {"MseThreshold": 3.5})
    said = capfd.readouterr().out
    assert (weak.state, weak.task("AbaloneMSEFail").state) == ("failed", "failed")
    assert [str(weak.task(name).state) for name in BRANCH] == ["skipped"] * 3
    assert "MSE 5.0" in said
    assert "is above the threshold 3.5 (parameter MseThreshold)" in said
    assert versions(sagemaker) == before


def test_bad_data_fails_the_run_with_every_place_and_nothing_is_trained(
    landed: Outcome, bucket: Bucket, capfd: pytest.CaptureFixture[str]
) -> None:
    assert landed.state == "success"
    bucket.put("abalone-bad/a.csv", b"M,0.455,0.365,0.095,0.514,0.2245,0.15,15\n")
    bucket.put("abalone-bad/b.csv", b"M,0.455,big,0.095,0.514,0.2245,0.101,0.15,15\n")
    bucket.put("abalone-bad/c.csv", b"")
    outcome = abalone("abalone_training", {"InputData": f"s3://{BUCKET}/abalone-bad/"})
    states = outcome.states
    assert (states.pop("find_partitions"), states.pop("AbaloneProcess")) == ("success", "failed")
    assert set(states.values()) == {"upstream_failed"}
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
    before = versions(sagemaker)
    native = abalone("abalone_native")
    (task,) = native.dag.task_ids
    ran = native.result(task)["steps"]
    assert (native.state, len(versions(sagemaker) - before)) == ("success", 1)
    assert ran == dict.fromkeys(
        ("AbaloneProcess", "AbaloneTrain", "AbaloneEval", "AbaloneMSECond", *BRANCH), "Succeeded"
    )


def test_a_weak_model_fails_the_native_task_with_the_same_words(
    trained: Outcome, sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    assert trained.state == "success"
    before = versions(sagemaker)
    weak = abalone("abalone_native", {"MseThreshold": 3.5})
    said = capfd.readouterr().out
    assert (weak.state, versions(sagemaker)) == ("failed", before)
    assert "step AbaloneMSEFail: Failed: " in said
    assert "is above the threshold 3.5 (parameter MseThreshold)" in said
