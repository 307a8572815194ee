"""Chains of jobs that sleep, by the provider's own operators: deferrable, and else as they are."""

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerProcessingOperator
from airflow.sdk import DAG, chain

from scripts.benchmarks.sleeping import SECONDS, STEPS, request


def operator(length: int, number: int) -> SageMakerProcessingOperator:
    """Each task refers to the job of the one before it."""
    job, upstream = STEPS[number], "none"
    if number:
        pulled = f"ti.xcom_pull('{STEPS[number - 1]}')"
        upstream = f"{{{{ {pulled}['Processing']['ProcessingJobName'] }}}}"
    name = f"theirs-{length}s-{job.lower()}-{{{{ dag_run.conf['number'] }}}}"
    return SageMakerProcessingOperator(
        task_id=job,
        deferrable=True,
        config={"ProcessingJobName": name, **request(SECONDS[length][number], upstream)},
    )


for length in SECONDS:
    with DAG(f"theirs_{length}s", schedule=None):
        chain(*[operator(length, number) for number in range(len(STEPS))])
