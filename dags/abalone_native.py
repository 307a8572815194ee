"""
### Abalone: train a model, executed by SageMaker

The pipeline of **abalone_training**, the very same `get_pipeline()`, as one task: it creates the
pipeline on SageMaker, or updates it where it differs, starts an execution with this run's
parameters, and waits without a worker slot. SageMaker itself runs the steps, four at once at
most.

**Runs** every Monday at 06:00 UTC, by hand (the form has the pipeline's parameters), and as a
backfill, over all partitions up to its date (the form's, else the run's own). Both DAGs train the
same model: switch one of them on.

**The task's log** shows each step's state while it runs, and ends with the failed step's reason
and the tail of its job's log. The task links to the execution's page. A retry never starts a
second execution while the first one runs; *Clear* starts it anew; marking the task failed stops
the execution.

Choose **abalone_training** where every step shall be a task of Airflow: with its own retries, pool
and log.
More: `docs/abalone.md`.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, Param

from include.nacre.dag import PipelineDag
from include.nacre.dag.alerts import Alert
from include.pipelines.abalone.pipeline import get_pipeline

DATE = Param(
    None,
    type=["null", "string"],
    format="date",
    description="The last date whose rows count; by default the run's own",
)

PipelineDag(
    "abalone_native",
    get_pipeline(),
    mode="native",
    params={"Date": DATE},
    parameters={
        "DataUntil": "{{ params.Date or (dag_run.logical_date or dag_run.run_after) | ds }}"
    },
    native_args={"parallelism": 4, "tags": {"project": "abalone"}},
    # Unpausing it runs nothing: there may be no data yet. Backfills need a schedule.
    schedule=CronTriggerTimetable("0 6 * * 1", timezone="UTC", run_immediately=False),
    catchup=False,
    max_active_runs=4,
    on_failure_callback=Alert(),
    doc_md=__doc__,
    tags=["abalone", "training", "native"],
    default_args={"owner": "ml-platform", "retries": 1, "retry_delay": timedelta(minutes=1)},
)
