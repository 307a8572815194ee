"""The scoring DAG, from its file, on a local SageMaker of its own."""

import csv
import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import xgboost

from include.pipelines.abalone import join, preprocess
from include.pipelines.abalone.layout import MODEL_PACKAGE_GROUP, batch_key
from include.pipelines.abalone.pipeline import HYPERPARAMETERS
from include.pipelines.images import XGBOOST, image_uri
from tests.dag.conftest import connection
from tests.dag.runs import Outcome, run
from tests.support.local_sagemaker import (
    BUCKET,
    PROJECT,
    ROLE,
    LocalSageMaker,
    local_sagemaker,
)
from tests.unit.pipelines.abalone_data import abalone, put_table

STEPS = ("ScorePrepare", "ScoreTransform", "ScoreJoin")
MODEL = "xgboost-model"  # as the built-in algorithm calls it
OF_A_BATCH = (*STEPS, "publish", "report_drift")


@dataclass(frozen=True)
class Model:
    """A model as plain files, and the version that it is registered as."""

    folder: Path
    arn: str

    def predict(self, rows: pd.DataFrame) -> list[str]:
        """What scikit-learn and XGBoost make of rows, without Airflow and SageMaker."""
        features = joblib.load(self.folder / preprocess.PREPROCESSOR).transform(rows)
        booster = xgboost.Booster(model_file=bytearray((self.folder / MODEL).read_bytes()))
        return [str(value) for value in booster.predict(xgboost.DMatrix(features)).tolist()]


@pytest.fixture(scope="module")
def service(
    airflow: None,  # noqa: ARG001 - its database must be there
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LocalSageMaker]:
    """A service of this file's own: other files approve models, too."""
    with (
        local_sagemaker(tmp_path_factory.mktemp("scoring")) as running,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setitem(os.environ, "AIRFLOW_CONN_AWS_DEFAULT", connection(running))
        yield running


def train(folder: Path, rows: pd.DataFrame) -> None:
    """The files of a trained model: its preprocessor, baseline and booster."""
    put_table(folder, preprocess.RAW, rows)
    assert preprocess.main(["--root", str(folder)]) is None
    table = np.loadtxt(folder / preprocess.TRAIN, delimiter=",")
    settings = {name: value for name, value in HYPERPARAMETERS.items() if name != "num_round"}
    booster = xgboost.train(settings, xgboost.DMatrix(table[:, 1:], table[:, 0]), 10)
    (folder / MODEL).write_bytes(bytes(booster.save_raw("ubj")))


def register(service: LocalSageMaker, folder: Path, *unsaid: str) -> Model:
    """Register a trained model as the training does, and approve it; some metadata unsaid."""
    client, s3 = service.client("sagemaker"), service.client("s3")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(folder / MODEL, MODEL)
    files = {
        "model.tar.gz": archive.getvalue(),
        "preprocessor.joblib": (folder / preprocess.PREPROCESSOR).read_bytes(),
        "baseline.json": (folder / preprocess.BASELINE).read_bytes(),
    }
    prefix = f"abalone/runs/{folder.name}"
    for name, content in files.items():
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}/{name}", Body=content)
    address = f"s3://{BUCKET}/{prefix}"
    metadata = {
        "DataUntil": "2026-10-31",
        "Preprocessor": f"{address}/preprocessor.joblib",
        "Baseline": f"{address}/baseline.json",
    }
    container = {
        "Image": image_uri(XGBOOST, "us-east-1"),
        "ModelDataUrl": f"{address}/model.tar.gz",
    }
    if not client.list_model_package_groups()["ModelPackageGroupSummaryList"]:
        client.create_model_package_group(ModelPackageGroupName=MODEL_PACKAGE_GROUP)
    arn = client.create_model_package(
        ModelPackageGroupName=MODEL_PACKAGE_GROUP,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        CustomerMetadataProperties={
            name: value for name, value in metadata.items() if name not in unsaid
        },
    )["ModelPackageArn"]
    return Model(folder, str(arn))


@pytest.fixture(scope="module")
def model(service: LocalSageMaker, tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("first")
    train(folder, abalone())
    return register(service, folder)


def land(service: LocalSageMaker, date: str, rows: pd.DataFrame) -> None:
    text = rows.to_csv(header=False, index=False)
    service.client("s3").put_object(Bucket=BUCKET, Key=batch_key(date), Body=text.encode())


def shells(first: int, count: int = 40) -> pd.DataFrame:
    """Rows to score; some cells are empty."""
    rows = abalone().drop(columns="rings").iloc[first::37].head(count).reset_index(drop=True)
    rows.loc[1, "height"] = np.nan
    rows.loc[2, "sex"] = np.nan
    return rows


def score(conf: Mapping[str, Any] | None = None) -> Outcome:
    """Run the DAG, parsed anew: `DAG.test` leaves a run's conf in the DAG's params."""
    from airflow.dag_processing.dagbag import BundleDagBag

    file = PROJECT / "dags" / "abalone_scoring.py"
    bag = BundleDagBag(dag_folder=str(file), bundle_path=file.parent, bundle_name="dags-folder")
    assert bag.import_errors == {}
    dag = bag.dags["abalone_scoring"]
    for task in dag.tasks:
        task.retries = 0
    return run(dag, conf)


def states(outcome: Outcome) -> dict[str, list[str]]:
    """The states of each task's instances, in the order of their map indexes."""
    found: dict[str, list[str]] = {}
    instances = sorted(outcome.run.get_task_instances(), key=lambda ti: ti.map_index)
    for ti in instances:
        found.setdefault(ti.task_id, []).append(str(ti.state))
    return found


def published(outcome: Outcome) -> dict[str, Any]:
    """The facts of the batches that a run has scored, by date."""
    indexes = range(len(outcome.result("find_batches") or []))
    facts = [outcome.result("publish", map_index=index) for index in indexes]
    return {found["partition"]: found for found in facts if found}


def read(service: LocalSageMaker, address: str) -> str:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    body: bytes = service.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode()


def scores(service: LocalSageMaker, date: str) -> list[str]:
    """The addresses of all predictions of a date."""
    found = service.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"abalone/scores/{date}/")
    keys = [item["Key"] for item in found.get("Contents", [])]
    return [f"s3://{BUCKET}/{key}" for key in keys if key.endswith("/predictions.csv")]


def models(service: LocalSageMaker) -> list[str]:
    return [found["ModelName"] for found in service.client("sagemaker").list_models()["Models"]]


def set_status(service: LocalSageMaker, arn: str, status: str) -> None:
    service.client("sagemaker").update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus=status
    )


@pytest.fixture(scope="module")
def first_run(service: LocalSageMaker, model: Model) -> Outcome:  # noqa: ARG001 - it is used
    for number, date in enumerate(["2026-11-01", "2026-11-02"]):
        land(service, date, shells(number))
    return score()


def test_every_waiting_batch_is_scored_each_in_its_own_tasks(first_run: Outcome) -> None:
    once = ("choose_version", "find_batches", "ensure_model", "clean_up")
    assert states(first_run) == {
        **{task: ["success"] for task in once},
        **{task: ["success"] * 2 for task in OF_A_BATCH},
    }


@pytest.mark.parametrize(("number", "date"), [(0, "2026-11-01"), (1, "2026-11-02")])
def test_predictions_are_those_of_plain_scikit_learn_and_xgboost_row_for_row(
    first_run: Outcome, service: LocalSageMaker, model: Model, number: int, date: str
) -> None:
    rows = shells(number)
    text = read(service, published(first_run)[date]["address"])
    header, *found = csv.reader(text.splitlines())
    cells = csv.reader(rows.to_csv(header=False, index=False).splitlines())
    assert header == [*join.FEATURES, join.PREDICTION]
    assert found == [[*row, value] for row, value in zip(cells, model.predict(rows), strict=True)]


def test_the_asset_says_which_batch_was_scored_with_which_version_and_how_far_it_has_drifted(
    first_run: Outcome, service: LocalSageMaker, model: Model
) -> None:
    facts = published(first_run)["2026-11-02"]
    quality = json.loads(read(service, facts["address"].replace("predictions.csv", "quality.json")))
    worst = max(quality["drift"], key=lambda name: quality["drift"][name]["psi"])
    expected = {
        "partition": "2026-11-02",
        "address": scores(service, "2026-11-02")[0],
        "rows": 40,
        "version": model.arn,
        "psi": {"max": quality["drift"][worst]["psi"], "feature": worst},
    }
    assert facts == {**expected, "drift": quality["drift"]}
    assert extras_of(first_run)["2026-11-02"] == expected


def extras_of(outcome: Outcome) -> dict[str, Any]:
    """What the asset's events of a run carry, by date."""
    from airflow import settings
    from airflow.models.asset import AssetEvent
    from sqlalchemy import select

    with settings.Session() as session:
        events = session.scalars(
            select(AssetEvent).where(AssetEvent.source_run_id == outcome.run.run_id)
        )
        return {event.extra["partition"]: event.extra for event in events}


def test_the_model_is_made_of_the_approved_version(
    first_run: Outcome, service: LocalSageMaker, model: Model
) -> None:
    name = first_run.result("ensure_model")
    described = service.client("sagemaker").describe_model(ModelName=name)
    assert described["PrimaryContainer"]["ModelPackageName"] == model.arn


@pytest.mark.usefixtures("first_run")
def test_a_batch_that_has_been_scored_is_not_scored_again(
    service: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    before = scores(service, "2026-11-01")
    outcome = score()
    assert (outcome.state, outcome.states["find_batches"]) == ("success", "skipped")
    assert set(states(outcome)["ScorePrepare"]) == {"skipped"}
    assert scores(service, "2026-11-01") == before
    assert "No batch waits: each has been scored since it landed." in capfd.readouterr().out


@pytest.fixture(scope="module")
def second_run(service: LocalSageMaker, first_run: Outcome) -> Outcome:
    """A batch of zeros, and one that has landed again: what came of them."""
    assert first_run.state == "success"
    bad = shells(6).astype(object)
    bad.loc[:, :] = 0
    for date, rows in (("2026-11-01", shells(5)), ("2026-11-03", bad)):
        land(service, date, rows)
    outcome = score()
    service.client("s3").delete_object(Bucket=BUCKET, Key=batch_key("2026-11-03"))
    return outcome


def test_a_bad_batch_fails_alone_and_the_run_with_it(second_run: Outcome) -> None:
    assert second_run.state == "failed"
    assert states(second_run) == {
        **{task: ["success"] for task in ("choose_version", "find_batches", "ensure_model")},
        "ScorePrepare": ["success", "failed"],
        **{task: ["success", "upstream_failed"] for task in OF_A_BATCH[1:]},
        "clean_up": ["success"],
    }


def test_a_bad_batchs_job_says_why(second_run: Outcome, service: LocalSageMaker) -> None:
    assert second_run.task("ScorePrepare", 1).state == "failed"
    client = service.client("sagemaker")
    (name,) = (
        job["ProcessingJobName"]
        for job in client.list_processing_jobs(StatusEquals="Failed")["ProcessingJobSummaries"]
    )
    message = client.describe_processing_job(ProcessingJobName=name)["ExitMessage"]
    assert message.splitlines()[0] == "batch.csv: row 1, column 'sex': '0' is none of F, I, M"


def test_a_batch_that_has_landed_again_is_scored_again_beside_the_old_scores(
    first_run: Outcome, second_run: Outcome, service: LocalSageMaker, model: Model
) -> None:
    old, new = (published(outcome)["2026-11-01"]["address"] for outcome in (first_run, second_run))
    found = [
        [row[-1] for row in csv.reader(read(service, address).splitlines()[1:])]
        for address in (old, new)
    ]
    assert sorted(scores(service, "2026-11-01")) == sorted({old, new})
    assert found == [model.predict(shells(0)), model.predict(shells(5))]


@pytest.mark.usefixtures("first_run")
def test_drift_is_told_and_does_not_fail_the_run(
    service: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    moved = shells(7, count=110)
    moved["length"] = moved["length"] * 1.5
    land(service, "2026-11-05", moved)
    outcome = score({"Date": "2026-11-05"})
    assert (outcome.state, list(published(outcome))) == ("success", ["2026-11-05"])
    assert "'Abalone batch 2026-11-05 has drifted: length'" in capfd.readouterr().out


@pytest.mark.usefixtures("first_run")
def test_a_date_without_a_batch_is_refused_with_those_there_are(
    capfd: pytest.CaptureFixture[str],
) -> None:
    outcome = score({"Date": "2025-01-01"})
    said = capfd.readouterr().out
    assert outcome.states["find_batches"] == "failed"
    assert "No batch of 2025-01-01 has landed below abalone/batch/; there are: 2026-11-01" in said


@pytest.mark.usefixtures("first_run")
def test_a_missing_bucket_is_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAGEMAKER_BUCKET", "no-such-bucket-anywhere")
    outcome = score()
    assert outcome.states["find_batches"] == "failed"
    said = "StepFailed: s3://no-such-bucket-anywhere/abalone/batch/: ListObjectsV2 failed with"
    assert f"{said} NoSuchBucket" in capfd.readouterr().out


@pytest.mark.usefixtures("first_run")
def test_without_an_approved_version_the_run_says_so_and_skips(
    service: LocalSageMaker,
    model: Model,
    capfd: pytest.CaptureFixture[str],
) -> None:
    land(service, "2026-11-06", shells(8))
    set_status(service, model.arn, "Rejected")
    outcome = score()
    set_status(service, model.arn, "Approved")
    assert (outcome.state, set(outcome.states.values())) == ("success", {"skipped"})
    assert scores(service, "2026-11-06") == []
    assert "No version of the model 'abalone' is approved: nothing is scored." in (
        capfd.readouterr().out
    )


@pytest.mark.usefixtures("first_run")
def test_a_newer_version_takes_over_also_for_a_scored_date_and_the_old_ones_model_goes(
    service: LocalSageMaker, tmp_path: Path
) -> None:
    folder, client = tmp_path / "second", service.client("sagemaker")
    train(folder, abalone().head(2000))
    newer = register(service, folder)
    container = {"ModelPackageName": newer.arn}
    by_hand = "abalone-v0-by-hand"
    client.create_model(ModelName=by_hand, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    outcome = score({"Date": "2026-11-02"})
    set_status(service, newer.arn, "Rejected")
    text = read(service, published(outcome)["2026-11-02"]["address"])
    found = [row[-1] for row in csv.reader(text.splitlines()[1:])]
    assert found == newer.predict(shells(1))
    assert sorted(models(service)) == sorted([by_hand, outcome.result("ensure_model")])


@pytest.mark.usefixtures("first_run")
def test_a_version_that_does_not_say_what_prepares_its_rows_is_refused(
    service: LocalSageMaker, model: Model, capfd: pytest.CaptureFixture[str]
) -> None:
    silent = register(service, model.folder, "Preprocessor", "Baseline")
    outcome = score()
    set_status(service, silent.arn, "Rejected")
    assert (outcome.state, outcome.states["choose_version"]) == ("failed", "failed")
    assert "its customer metadata lack Preprocessor and Baseline" in capfd.readouterr().out
