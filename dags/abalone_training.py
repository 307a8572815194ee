"""
### Abalone: train a model

Predicts how many rings (years) an abalone has from its sex, size and weights: prepares the data,
trains SageMaker's built-in XGBoost, measures it on test rows. If its mean squared error is at most
the threshold, it registers the model for approval and scores the newest batch; else the run fails
with both numbers. The registration's asset starts **model_approval**.

**Runs** when **abalone_ingest** has landed data, every Monday at 06:00 UTC, by hand (the form has
the date and the pipeline's parameters), and as a backfill. A run trains on all partitions up to
its date: the form's, else the newest one that has arrived, else the run's own. `find_partitions`
says which these are. Each run writes below its own `s3://<bucket>/abalone/runs/<id>/`, so runs
never overwrite each other.

**When it fails**, the task's log ends with SageMaker's reason and the tail of the job's own log.
`find_partitions` found no data up to the date: land some. `AbaloneProcess` names file, row and
column of bad data. `AbaloneMSEFail` means that the model was too weak (a few days of data are too
few): look at the picture of `AbaloneEval`. A retry never starts a job twice; *Clear* starts it
anew. People are told over the connection `nacre_alerts`, and also if a run is not done two hours
after it was queued.

The pipeline: `include/pipelines/abalone/pipeline.py`. More: `docs/abalone.md`.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    AsyncCallback,
    CronTriggerTimetable,
    DeadlineAlert,
    DeadlineReference,
    Param,
    task,
)

from include.nacre.dag import PipelineDag
from include.nacre.dag.alerts import Alert, keep_reason
from include.pipelines.abalone.layout import RAW_DATA, REGISTERED
from include.pipelines.abalone.pipeline import get_pipeline
from include.pipelines.pools import POOLS

DATE = Param(
    None,
    type=["null", "string"],
    format="date",
    description="The last date whose rows count; by default that of the data, or of the run",
)


@task
def find_partitions(*, params: Any, dag_run: Any, triggering_asset_events: Any) -> str:
    """The date up to which rows count, after a look at what there is. Done again: the same."""
    from include.nacre.dag import serving
    from include.nacre.dag.own_tasks import account, told
    from include.pipelines.abalone import partitions

    with account(), told(partitions.NoDataError):
        files = below(params["InputData"])
        # Not the events: of many that arrive while runs wait Airflow 3.3.2 names some alone.
        landed = partitions.dates(files) if triggering_asset_events else []
        asked = params["Date"], dag_run.logical_date, dag_run.run_after
        (until,) = serving.kept("until", lambda: [partitions.date_of(*asked, landed)])
        found = partitions.history(files, params["InputData"], until)
        partitions.require_batch(below(params["BatchData"]), params["BatchData"])
    print(f"up to {until}: {found}")
    return until


def below(address: str) -> dict[str, int]:
    """The bytes of all files below an S3 address, by their paths there."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    from include.pipelines.abalone.partitions import NoDataError

    s3 = S3Hook()
    bucket, prefix = s3.parse_s3_url(address)
    if not s3.check_for_bucket(bucket):
        raise NoDataError(
            f"The bucket {bucket!r} does not exist, or the connection aws_default may not see it."
        )
    found = s3.iter_file_metadata(prefix, bucket)
    return {item["Key"].removeprefix(prefix): int(item["Size"]) for item in found}


with PipelineDag(
    "abalone_training",
    get_pipeline(),
    params={"Date": DATE},
    parameters={"DataUntil": "{{ ti.xcom_pull(task_ids='find_partitions') }}"},
    step_args={**POOLS, "AbaloneRegisterModel": {"outlets": [Asset(REGISTERED)]}},
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable(
            "0 6 * * 1", timezone="UTC", run_immediately=timedelta(minutes=15)
        ),
        assets=[Asset(RAW_DATA)],
    ),
    # No start_date: with one, unpausing the DAG would at once run last Monday, before any data is
    # there. Backfills bring their own dates.
    catchup=False,
    max_active_runs=4,
    on_failure_callback=Alert(),
    # Half an hour on SageMaker's machines; four runs of a backfill share the pools.
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=2),
        callback=AsyncCallback(Alert),
    ),
    doc_md=__doc__,
    tags=["abalone", "training"],
    default_args={
        "owner": "ml-platform",
        "retries": 1,
        "retry_delay": timedelta(minutes=1),
        "on_failure_callback": keep_reason,
    },
) as dag:
    find_partitions() >> dag.get_task("AbaloneProcess")
