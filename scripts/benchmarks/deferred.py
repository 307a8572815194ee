"""`python -m scripts.benchmarks.deferred SIDE COUNT`: a run of the DAG `many`, of which so many
tasks are deferred: each waits for a job of its own, by our trigger or the provider's.

For real that takes a thousand worker processes; what the triggerer then finds is the same.
"""

import argparse
import time

from airflow.models.dagbag import DBDagBag
from airflow.models.trigger import Trigger
from airflow.sdk import timezone
from airflow.triggers.base import BaseTrigger
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType

from scripts.benchmarks.results import BrokenPromiseError

OURS, THEIRS = "ours", "theirs"
DAG, RUN = "many", "bench"


def job_name(number: int) -> str:
    return f"bench-{number}"


def trigger(side: str, number: int) -> BaseTrigger:
    """What waits for one of the jobs, as a worker hands it over."""
    if side == OURS:
        from include.nacre.dag.trigger import JobTrigger

        return JobTrigger(
            kind="Processing",
            name=job_name(number),
            created=time.time(),
            aws_conn_id="aws_default",
            region_name=None,
        )
    from airflow.providers.amazon.aws.triggers.sagemaker import SageMakerTrigger

    return SageMakerTrigger(job_name=job_name(number), job_type="processing")


def defer(side: str, count: int) -> None:
    with create_session() as session:
        dag = DBDagBag().get_latest_version_of_dag(DAG, session=session)
        if dag is None:
            raise BrokenPromiseError(f"Airflow's database has no DAG {DAG}")
        run = dag.create_dagrun(
            run_id=RUN,
            run_after=timezone.utcnow(),
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST,
            state=DagRunState.RUNNING,
            session=session,
        )
        for number, task in enumerate(run.get_task_instances(session=session)[:count]):
            row = Trigger.from_object(trigger(side, number))
            session.add(row)
            session.flush()
            task.trigger_id, task.state = row.id, TaskInstanceState.DEFERRED
            task.next_method, task.start_date = "resume", timezone.utcnow()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=(OURS, THEIRS))
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    defer(options.side, options.count)
