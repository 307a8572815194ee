"""
### Abalone: train a model

Predicts how many rings (years) an abalone has from its sex, size and weights: prepares the data,
trains SageMaker's built-in XGBoost, measures it on test rows. If its mean squared error is at most
the threshold, it registers the model for approval and scores the batch data; else the run fails
with both numbers.

**Runs** when **abalone_ingest** has landed data, every Monday at 06:00 UTC, by hand (the form has
the pipeline's parameters), and as a backfill. Each run writes below its own
`s3://<bucket>/abalone/runs/<id>/`, so runs never overwrite each other.

**When it fails**, the task's log ends with SageMaker's reason and the tail of the job's own log.
`AbaloneProcess` names file, row and column of bad data. `AbaloneMSEFail` means that the model was
too weak: look at the picture of `AbaloneEval`. A retry never starts a job twice; *Clear* starts
it anew.

The pipeline: `include/pipelines/abalone/pipeline.py`. More: `docs/abalone.md`.
"""

from datetime import timedelta

from airflow.sdk import Asset, AssetOrTimeSchedule, CronTriggerTimetable

from include.nacre.dag import PipelineDag
from include.pipelines.abalone.layout import RAW_DATA
from include.pipelines.abalone.pipeline import get_pipeline
from include.pipelines.pools import POOLS

PipelineDag(
    "abalone_training",
    get_pipeline(),
    step_args=POOLS,
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
    doc_md=__doc__,
    tags=["abalone", "training"],
    default_args={"owner": "ml-platform", "retries": 1, "retry_delay": timedelta(minutes=1)},
)
