"""Jobs that sleep side by side, by the provider's own operators: deferrable, else as they are."""

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerProcessingOperator
from airflow.sdk import DAG

from scripts.benchmarks.sleeping import SIDE_BY_SIDE, request

with DAG("theirs_ends", schedule=None):
    for step, seconds in SIDE_BY_SIDE.items():
        name = f"theirs-ends-{step.lower()}-1"
        SageMakerProcessingOperator(
            task_id=step,
            deferrable=True,
            config={"ProcessingJobName": name, **request(seconds, "none")},
        )
