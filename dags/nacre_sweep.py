"""
### Nacre: the sweep

Looks for what this Airflow has started on SageMaker and no task waits for any more: its task has
ended, or was deleted with its run or its DAG. That happens when somebody deletes a run whose jobs
go on, or when a process dies in the very moment in which it should have stopped a job.

**Runs** every hour, by hand, and never twice at once. It reports: the log names each job with the
task that has started it, and people are told where there is a connection `nacre_alerts`. With
`Stop` it stops what it has found. Jobs that are not tagged as ours, belong to another Airflow, or
are younger than `GraceMinutes`, are left alone.

**It is gentle**: a call a second, as the waiting tasks make them (`[nacre] calls_per_second`); a
list for each kind of job, and one call for each job of ours that runs.

The same from a command line: `python -m include.nacre sweep`. More: `docs/operations.md`.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, dag, task

from include.nacre.dag import maintenance
from include.nacre.dag.alerts import Alert, keep_reason


@task
def sweep(*, params: Any = None) -> list[dict[str, Any]]:
    """Reports what runs for no task, and stops it if wanted."""
    return maintenance.sweep(params)


@dag(
    schedule=CronTriggerTimetable("40 * * * *", timezone="UTC", run_immediately=False),
    catchup=False,
    max_active_runs=1,
    params=maintenance.sweep_form(),
    doc_md=__doc__,
    tags=["maintenance"],
    on_failure_callback=Alert(),
    default_args={
        "owner": "ml-platform",
        "retries": 1,
        "retry_delay": timedelta(minutes=1),
        "on_failure_callback": keep_reason,
    },
)
def nacre_sweep() -> None:
    sweep()


nacre_sweep()
