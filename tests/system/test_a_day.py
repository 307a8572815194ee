"""A day in production, in a real Airflow: data arrives, a model trains, a person approves it,
batches are scored; then history is backfilled, some of it twice; then bad data arrives.

The tests are the day's hours: each goes on where the one before it ended. `make day` backfills ten
dates; every run of the tests four.
"""

import hashlib
import io
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from include.pipelines.abalone import source
from include.pipelines.abalone.layout import batch_key, raw_key
from scripts.airflow_env import ROOT
from tests.support.airflow import Airflow, aws_connection, running_airflow, wait_for
from tests.support.local_sagemaker import BUCKET, LocalSageMaker, local_sagemaker

Json = Any
INGEST, TRAINING = "abalone_ingest", "abalone_training"
APPROVAL, SCORING = "model_approval", "abalone_scoring"
JOBS = {"AbaloneProcess", "AbaloneTrain", "AbaloneEval", "AbaloneTransform"}

# Mondays, the dates of the training's own schedule. The last one that is due is among them: if it
# were not, Airflow would run it by itself once the others are there.
PAST = int(os.environ.get("DAY_DATES", "4"))
WEEK = timedelta(weeks=1)
DUE = datetime.now(UTC) - timedelta(hours=7)
LAST_MONDAY = DUE.date() - timedelta(days=DUE.weekday())
MONDAYS = [LAST_MONDAY - weeks * WEEK for weeks in reversed(range(PAST))]
ARRIVED = [LAST_MONDAY + timedelta(days=days) for days in (1, 2, 3)]
TODAY = ARRIVED[-1]
# From then on, a person's own program has landed data every day.
FIRST = MONDAYS[0] - timedelta(days=4)
SPOILED = [TODAY + timedelta(days=days) for days in range(1, 6)]


class Day:
    """What there is in the registry, in SageMaker and in S3, as any client sees it."""

    def __init__(self, sagemaker: LocalSageMaker) -> None:
        self.sagemaker = sagemaker.client("sagemaker")
        self.s3 = sagemaker.client("s3")

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    def read(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def digests(self, prefix: str) -> dict[str, str]:
        """The SHA-256 of every object below a prefix, by key."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return {key: hashlib.sha256(self.read(key)).hexdigest() for key in keys}

    def runs(self) -> dict[str, set[str]]:
        """What the training's steps have written: the steps with a folder, by execution id."""
        found: dict[str, set[str]] = {}
        for key in self.digests("abalone/runs/"):
            _, _, execution, step, *_ = key.split("/")
            found.setdefault(execution, set()).add(step)
        return found

    def predictions(self) -> dict[str, int]:
        """How many predictions each training run has made, by execution id."""
        return {
            key.split("/")[2]: self.read(key).count(b"\n")
            for key in self.digests("abalone/runs/")
            if key.endswith(".out")
        }

    def versions(self) -> list[Json]:
        """The model versions, the oldest first."""
        pages = self.sagemaker.get_paginator("list_model_packages")
        listed = pages.paginate(ModelPackageGroupName="abalone", SortOrder="Ascending")
        arns = [it["ModelPackageArn"] for page in listed for it in page["ModelPackageSummaryList"]]
        return [self.sagemaker.describe_model_package(ModelPackageName=arn) for arn in arns]

    def jobs(self) -> list[str]:
        """Where each job writes. A job that ran twice would be here twice."""
        return [
            *(
                job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
                for job in self._described("processing")
            ),
            *(job["OutputDataConfig"]["S3OutputPath"] for job in self._described("training")),
            *(job["TransformOutput"]["S3OutputPath"] for job in self._described("transform")),
        ]

    def _described(self, kind: str) -> Iterator[Json]:
        word = kind.capitalize()
        pages = self.sagemaker.get_paginator(f"list_{kind}_jobs").paginate()
        for item in (item for page in pages for item in page[f"{word}JobSummaries"]):
            name = {f"{word}JobName": item[f"{word}JobName"]}
            yield getattr(self.sagemaker, f"describe_{kind}_job")(**name)

    def models(self) -> int:
        """How many model resources the trainings have made."""
        pages = self.sagemaker.get_paginator("list_models").paginate(
            NameContains="abalone-create-model-"
        )
        return sum(len(page["Models"]) for page in pages)


@pytest.fixture(scope="module")
def sagemaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSageMaker]:
    """Of this module alone, whose registry and bucket are empty."""
    with local_sagemaker(tmp_path_factory.mktemp("sagemaker")) as service:
        yield service


@pytest.fixture(scope="module")
def airflow(
    tmp_path_factory: pytest.TempPathFactory, sagemaker: LocalSageMaker
) -> Iterator[Airflow]:
    folder = tmp_path_factory.mktemp("dags")
    for dag_id in (INGEST, TRAINING, APPROVAL, SCORING):
        (folder / f"{dag_id}.py").symlink_to(ROOT / "dags" / f"{dag_id}.py")
    home: Path = tmp_path_factory.mktemp("airflow")
    connections = {"aws_default": aws_connection(sagemaker)}
    with running_airflow(home, folder, connections=connections) as running:
        yield running


@pytest.fixture(scope="module")
def day(sagemaker: LocalSageMaker) -> Day:
    """The data of the days before: labelled rows every day."""
    day = Day(sagemaker)
    for days in range((ARRIVED[0] - FIRST).days):
        earlier = FIRST + timedelta(days=days)
        day.put(raw_key(f"{earlier}"), source.raw_of(earlier))
    return day


def keys(day: date) -> list[str]:
    """Where a date's data lies: labelled rows, rows to score."""
    return [raw_key(f"{day}"), batch_key(f"{day}")]


def rows(day: date) -> list[bytes]:
    """What the bundled source has for a date, in the same order."""
    return [source.raw_of(day), source.batch_of(day)]


def ingest(airflow: Airflow, dates: list[date], **conf: Json) -> dict[str, str]:
    """Land the dates' data, all at once; the state of each date's run."""
    runs = {f"{day}": airflow.trigger(INGEST, {"Date": f"{day}", **conf}) for day in dates}
    return {day: airflow.wait_run(INGEST, run_id) for day, run_id in runs.items()}


def train(airflow: Airflow, dates: list[date], **options: Json) -> dict[str, str]:
    """Backfill the dates' trainings; the state of each date's run."""
    airflow.backfill(
        TRAINING,
        f"{dates[0]}T00:00:00Z",
        f"{dates[-1]}T23:00:00Z",
        max_active_runs=4,
        # A few days' rows make a weak model; it shall be registered all the same.
        dag_run_conf={"MseThreshold": 50},
        **options,
    )

    def states() -> dict[str, str]:
        runs = airflow.runs(TRAINING, run_type="backfill")
        found = {run["logical_date"][:10]: str(run["state"]) for run in runs}
        return {f"{day}": found.get(f"{day}", "missing") for day in dates}

    wait_for(
        lambda: set(states().values()) <= {"success", "failed"},
        "the backfill to end: {}",
        seconds=300,
        facts=states,
    )
    return states()


def all_succeeded(dates: list[date]) -> dict[str, str]:
    return {f"{day}": "success" for day in dates}


def newest_run(airflow: Airflow, dag_id: str, count: int) -> str:
    """Wait until the DAG has so many runs and they have ended; the id of the newest."""
    wait_for(lambda: len(airflow.runs(dag_id)) >= count, f"run {count} of {dag_id}", seconds=90)
    run_id = str(airflow.runs(dag_id)[-1]["dag_run_id"])
    airflow.wait_run(dag_id, run_id, seconds=180)
    return run_id


def test_a_date_that_arrives_starts_a_training_over_all_dates(airflow: Airflow, day: Day) -> None:
    assert ingest(airflow, ARRIVED[:2]) == all_succeeded(ARRIVED[:2])
    airflow.unpause(TRAINING, APPROVAL, SCORING)
    assert ingest(airflow, ARRIVED[2:]) == all_succeeded(ARRIVED[2:])
    landed = [day.read(key) for date in ARRIVED for key in keys(date)]
    assert landed == [content for date in ARRIVED for content in rows(date)]

    run_id = newest_run(airflow, TRAINING, 1)
    assert airflow.run_state(TRAINING, run_id) == "success"
    (run,) = airflow.runs(TRAINING)
    assert run["run_type"] == "asset_triggered"
    (version,) = day.versions()
    facts = version["CustomerMetadataProperties"]
    assert (facts["DataFrom"], facts["DataUntil"]) == (f"{FIRST}", f"{TODAY}")
    assert facts["Partitions"] == str((TODAY - FIRST).days + 1)


@pytest.mark.usefixtures("day")
def test_a_batch_is_not_scored_while_no_version_is_approved(airflow: Airflow) -> None:
    run_id = newest_run(airflow, SCORING, 1)
    assert airflow.states(SCORING, run_id)["choose_version"] == "skipped"
    assert airflow.events("abalone_scores") == []


def test_a_persons_approval_starts_the_scoring_of_all_batches(airflow: Airflow, day: Day) -> None:
    wait_for(lambda: len(airflow.questions()) == 1, "the question", seconds=90)
    (question,) = airflow.questions()
    assert "mse" in question["body"]
    airflow.answer(question, "Approve", {"Comment": "good on all shells"})
    assert airflow.run_state(APPROVAL, newest_run(airflow, APPROVAL, 1)) == "success"
    (version,) = day.versions()
    assert version["ModelApprovalStatus"] == "Approved"
    assert version["ApprovalDescription"].startswith("Approved by ")
    assert version["ApprovalDescription"].endswith(": good on all shells")

    assert airflow.run_state(SCORING, newest_run(airflow, SCORING, 2)) == "success"
    scored = {
        event["extra"]["partition"]: event["extra"] for event in airflow.events("abalone_scores")
    }
    assert {date: facts["version"] for date, facts in scored.items()} == {
        f"{date}": version["ModelPackageArn"] for date in ARRIVED
    }
    predicted = {
        date: pd.read_csv(io.BytesIO(day.read(facts["address"].removeprefix(f"s3://{BUCKET}/"))))
        for date, facts in scored.items()
    }
    assert {date: len(table) for date, table in predicted.items()} == {
        f"{date}": lines(source.batch_of(date)) for date in ARRIVED
    }


def test_each_past_date_trains_a_model(airflow: Airflow, day: Day) -> None:
    # What is registered now is history: nobody is asked about it, and nothing is scored with it.
    airflow.pause(APPROVAL, SCORING)
    for monday in MONDAYS:
        day.put(batch_key(f"{monday}"), source.batch_of(monday))
    before = day.predictions()
    assert train(airflow, MONDAYS) == all_succeeded(MONDAYS)

    versions = day.versions()
    assert [version["ModelPackageVersion"] for version in versions] == list(range(1, PAST + 2))
    until = sorted(it["CustomerMetadataProperties"]["DataUntil"] for it in versions)
    assert until == sorted(f"{date}" for date in (*MONDAYS, TODAY))
    assert day.models() == PAST + 1
    runs = day.runs()
    incomplete = [steps for steps in runs.values() if not steps >= JOBS]
    assert (len(runs), incomplete) == (PAST + 1, [])
    new = {execution: n for execution, n in day.predictions().items() if execution not in before}
    assert sorted(new.values()) == sorted(lines(source.batch_of(monday)) for monday in MONDAYS)
    assert no_job_twice(day)


def test_two_dates_that_are_done_again_make_two_new_generations(airflow: Airflow, day: Day) -> None:
    before, again = day.digests("abalone/runs/"), MONDAYS[1:3]
    assert train(airflow, again, reprocess_behavior="completed") == all_succeeded(again)
    after = day.digests("abalone/runs/")
    assert {key: after.get(key) for key in before} == before
    versions = day.versions()
    assert (len(day.runs()), len(versions)) == (PAST + 3, PAST + 3)
    until = Counter(version["CustomerMetadataProperties"]["DataUntil"] for version in versions)
    assert {date for date, count in until.items() if count == 2} == {f"{date}" for date in again}
    assert no_job_twice(day)


def test_bad_dates_stop_with_their_reason_and_their_neighbours_land(
    airflow: Airflow, day: Day
) -> None:
    good, columns, empty, zeros, last = SPOILED
    airflow.pause(TRAINING)
    for spoiled in SPOILED:
        raw, batch = rows(spoiled)
        day.put(f"incoming/{spoiled}/raw.csv", raw)
        day.put(f"incoming/{spoiled}/batch.csv", batch)
    day.put(f"incoming/{columns}/raw.csv", b"M,0.455,0.365\nF,0.53,0.42\n")
    day.put(f"incoming/{empty}/raw.csv", b"")
    day.put(f"incoming/{zeros}/batch.csv", b"M,0,0,0,0,0,0,0\n" * 100)
    states = ingest(
        airflow,
        SPOILED,
        Source=f"s3://{BUCKET}/incoming/{{date}}/raw.csv",
        BatchSource=f"s3://{BUCKET}/incoming/{{date}}/batch.csv",
    )
    assert states == {
        f"{good}": "success",
        f"{columns}": "failed",
        f"{empty}": "failed",
        f"{zeros}": "failed",
        f"{last}": "success",
    }
    landed = day.digests("abalone/raw/")
    assert [it for it in SPOILED if raw_key(f"{it}") in landed] == [good, last]
    run_of = {run["conf"]["Date"]: run["dag_run_id"] for run in airflow.runs(INGEST)}
    logs = {
        columns: airflow.log(INGEST, run_of[f"{columns}"], "land_raw"),
        empty: airflow.log(INGEST, run_of[f"{empty}"], "land_raw"),
        zeros: airflow.log(INGEST, run_of[f"{zeros}"], "land_batch"),
    }
    said = {
        columns: "3 values, 9 are expected",
        empty: "the file is empty",
        zeros: "column 'length': 0 lies out of range",
    }
    assert [it for it, word in said.items() if word not in logs[it]] == []


def lines(content: bytes) -> int:
    return content.count(b"\n")


def no_job_twice(day: Day) -> bool:
    """Whether every address that jobs write to has been written to by one job."""
    return max(Counter(day.jobs()).values()) == 1
