"""
### Abalone: land a day's data

Fetches a date's labelled rows and its batch of rows to score, checks them (values, ranges, number
of rows), and puts them into S3. Then it says so: the asset `abalone_raw` starts
**abalone_training**, the asset `abalone_batch` starts **abalone_scoring**. Their events carry the
facts: partition, address, rows, quarantined rows, checksum.

| what | where |
| --- | --- |
| labelled rows | `s3://<bucket>/abalone/raw/<date>/abalone.csv` |
| rows to score | `s3://<bucket>/abalone/batch/<date>/batch.csv` |
| bad rows, each with its line and reason | `s3://<bucket>/abalone/quarantine/<date>/` |

**Runs** every midnight UTC for its date, by hand (the form asks for date and source), and as a
backfill. Landing a date again replaces its files.

**When it fails**, the log says every fault of the file: nothing of it was landed. A source that is
not there yet is tried again; a bad file is not: mend it, then *Clear* the task.

The bundled data set has 139 or 140 of 4,177 shells for every date; 30 days have each of them once.
To begin with a month of history, run it with `HistoryDays` 29. A data DAG of your own can take its
place: training and scoring know only the assets. More: `docs/abalone.md`.
"""

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, CronTriggerTimetable, Param, dag, task

from include.nacre.dag.alerts import Alert, keep_reason
from include.pipelines.abalone.layout import BATCH_DATA, PREFIX, RAW_DATA
from include.pipelines.site import find_site

SITE = find_site(os.environ, PREFIX)
raw_data, batch_data = Asset(RAW_DATA), Asset(BATCH_DATA)

ADDRESS = "s3://..., https://... or http://...; {date} stands for the date"
CHECKSUM = "SHA-256 in hexadecimal, or the address of a sha256sum file; the web needs one"
OPTIONAL = ["null", "string"]
PARAMS = {
    "Date": Param(None, type=OPTIONAL, format="date", description="By default the run's date"),
    "Source": Param("bundled", type="string", description=f"Of labelled rows: bundled, {ADDRESS}"),
    "Checksum": Param(None, type=OPTIONAL, description=f"Of the labelled rows: {CHECKSUM}"),
    "HistoryDays": Param(
        0,
        type="integer",
        minimum=0,
        maximum=366,
        description="So many days before the date get their labelled rows too, if they have none",
    ),
    "BatchSource": Param(
        "bundled", type=OPTIONAL, description=f"Of rows to score: bundled, {ADDRESS}; empty: none"
    ),
    "BatchChecksum": Param(None, type=OPTIONAL, description=f"Of the rows to score: {CHECKSUM}"),
}


@dag(
    schedule=CronTriggerTimetable("0 0 * * *", timezone="UTC", run_immediately=False),
    # No start_date: with one, unpausing the DAG would at once run the last midnight.
    catchup=False,
    max_active_runs=4,
    params=PARAMS,
    doc_md=__doc__,
    tags=["abalone", "data"],
    on_failure_callback=Alert(),
    default_args={
        "owner": "ml-platform",
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        # A server that sends a byte now and then never runs into a timeout of its own.
        "execution_timeout": timedelta(minutes=30),
        "on_failure_callback": keep_reason,
    },
)
def abalone_ingest() -> None:
    @task(outlets=[batch_data])
    def land_batch(*, params: Any, dag_run: Any, outlet_events: Any) -> dict[str, Any]:
        """The rows to score; first, since the training reads both."""
        from include.pipelines.abalone import landing

        return land(landing.BATCH, params, dag_run, outlet_events[batch_data])

    @task(outlets=[raw_data], trigger_rule="none_failed")
    def land_raw(*, params: Any, dag_run: Any, outlet_events: Any) -> dict[str, Any]:
        """The labelled rows of the date, and of days before it that have none."""
        from include.pipelines.abalone import landing

        return land(landing.RAW, params, dag_run, outlet_events[raw_data])

    land_batch() >> land_raw()


def land(kind: Any, params: Any, dag_run: Any, event: Any) -> dict[str, Any]:
    """The facts of what has landed, for the asset's event, too."""
    from airflow.sdk.exceptions import AirflowSkipException

    from include.nacre.dag.own_tasks import account, told
    from include.pipelines.abalone import landing

    with account() as aws, told(landing.FAULTS, awaited=landing.NotThereError):
        facts = landing.land(aws.s3, SITE, kind, params, dag_run)
    if facts is None:
        raise AirflowSkipException(f"{kind.field}Source is empty: nothing to land")
    event.extra = facts
    return facts


abalone_ingest()
