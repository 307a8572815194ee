"""A date that is reprocessed makes a new generation, in a real Airflow's backfills."""

from collections import defaultdict
from typing import Any

from tests.support.airflow import Airflow, wait_for
from tests.support.local_sagemaker import BUCKET, LocalSageMaker

DAG_ID = "reprocessed"
DATES = ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")


def backfill(airflow: Airflow, first: str, last: str, behaviour: str) -> None:
    """Backfill a range of dates, and wait until all is done."""
    airflow.backfill(DAG_ID, first, last, max_active_runs=2, reprocess_behavior=behaviour)
    wait_for(
        lambda: {*states(airflow).values()} == {"success"},
        "the backfill to end, runs {}",
        seconds=120,
        facts=lambda: states(airflow),
    )


def states(airflow: Airflow) -> dict[str, str]:
    return {run["logical_date"][:10]: run["state"] for run in airflow.runs(DAG_ID)}


def written(sagemaker: LocalSageMaker) -> dict[str, dict[str, Any]]:
    """By execution id, the steps that have written, and when."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    pages = sagemaker.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=BUCKET, Prefix=f"{DAG_ID}/runs/"):
        for item in page.get("Contents", ()):
            _, _, execution_id, step, *_ = item["Key"].split("/")
            found[execution_id][step] = item["LastModified"]
    return dict(found)


def test_a_reprocessed_date_never_mixes_with_what_was_there(
    airflow: Airflow, sagemaker: LocalSageMaker
) -> None:
    backfill(airflow, *DATES, "none")
    first = written(sagemaker)
    assert sorted(states(airflow)) == [date[:10] for date in DATES]
    assert [sorted(steps) for steps in first.values()] == [["First", "Last"]] * 4
    backfill(airflow, DATES[1], DATES[1], "completed")
    both = written(sagemaker)
    assert {key: both[key] for key in first} == first
    assert [sorted(both[key]) for key in both.keys() - first.keys()] == [["First", "Last"]] * 2
