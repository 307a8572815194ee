"""A date that is reprocessed makes a new generation, in a real Airflow's backfills."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.support.airflow import Airflow, wait_for
from tests.support.local_sagemaker import BUCKET, LocalSageMaker

DAG_ID = "reprocessed"
DATES = ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")


def backfill(airflow: Airflow, first: str, last: str, behaviour: str) -> None:
    """Backfill a range of dates, and wait until all is done."""
    airflow.backfill(DAG_ID, first, last, max_active_runs=2, reprocess_behavior=behaviour)
    wait_for(
        lambda: is_done(airflow),
        "the backfill to end, runs {}",
        seconds=300,
        facts=lambda: states(airflow),
    )


def is_done(airflow: Airflow) -> bool:
    made = airflow.call("GET", "/backfills", params={"dag_id": DAG_ID})["backfills"]
    return all(backfill["completed_at"] for backfill in made)


def states(airflow: Airflow) -> dict[str, str]:
    """The state of each date's run. The schedule has its own run of the last midnight: Airflow
    starts it once a backfill has run.
    """
    runs = airflow.runs(DAG_ID, run_type="backfill")
    return {run["logical_date"]: run["state"] for run in runs}


def places(airflow: Airflow) -> dict[tuple[str, str, int], str]:
    """By date, step and index, the prefix that the last try has written to."""
    found = {}
    for run in airflow.runs(DAG_ID, run_type="backfill"):
        path = f"/dags/{DAG_ID}/dagRuns/{run['dag_run_id']}/taskInstances"
        for task in airflow.call("GET", path)["task_instances"]:
            request = task["rendered_fields"]["request"]
            target = request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
            step = task["task_id"].rpartition(".")[2]
            found[run["logical_date"], step, task["map_index"]] = str(target)
    return found


def written(sagemaker: LocalSageMaker, prefixes: Iterable[str]) -> dict[str, Any]:
    """When the file below each prefix was written."""
    s3, found = sagemaker.client("s3"), {}
    for prefix in prefixes:
        key = f"{prefix.removeprefix(f's3://{BUCKET}/')}/out.txt"
        found[prefix] = s3.head_object(Bucket=BUCKET, Key=key)["LastModified"]
    return found


def execution_ids(found: Mapping[Any, str]) -> set[str]:
    return {prefix.split("/runs/")[1].split("/")[0] for prefix in found.values()}


def test_a_reprocessed_date_never_mixes_with_what_was_there(
    airflow: Airflow, sagemaker: LocalSageMaker
) -> None:
    backfill(airflow, *DATES, "none")
    first = places(airflow)
    assert states(airflow) == dict.fromkeys(DATES, "success")
    assert len(execution_ids(first)) == 4  # two dates of two instances, each of two steps
    before = written(sagemaker, first.values())
    assert len(before) == 8
    backfill(airflow, DATES[1], DATES[1], "completed")
    second = places(airflow)
    assert written(sagemaker, first.values()) == before
    again = {place: second[place] for place in second if second[place] != first[place]}
    assert sorted(again) == sorted(place for place in first if place[0] == DATES[1])
    assert len(execution_ids(again) - execution_ids(first)) == 2
    assert len(written(sagemaker, again.values())) == 4
