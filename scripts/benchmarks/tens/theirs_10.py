"""Ten steps by the provider's own operators."""

from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerProcessingOperator,
    SageMakerTrainingOperator,
)
from airflow.sdk import DAG, Param

from scripts.benchmarks.tens.jobs import HOME, processing, training

with DAG("theirs_10", schedule="@daily", params={"Rounds": Param(50, type="integer")}):
    prepare = SageMakerProcessingOperator(
        task_id="prepare",
        deferrable=True,
        config={
            "ProcessingJobName": "prepare-{{ ts_nodash }}",
            **processing("prepare.py", [f"{HOME}/raw"], f"{HOME}/{{{{ ts_nodash }}}}/Prepare"),
        },
    )
    compare = SageMakerProcessingOperator(
        task_id="compare",
        deferrable=True,
        config={
            "ProcessingJobName": "compare-{{ ts_nodash }}",
            **processing(
                "compare.py",
                [f"{HOME}/{{{{ ts_nodash }}}}/Evaluations"],
                f"{HOME}/{{{{ ts_nodash }}}}/Compare",
            ),
        },
    )
    for number in range(4):
        train = SageMakerTrainingOperator(
            task_id=f"train{number}",
            deferrable=True,
            config={
                "TrainingJobName": f"train-{number}-{{{{ ts_nodash }}}}",
                **training(
                    f"{HOME}/{{{{ ts_nodash }}}}/Prepare",
                    {"num_round": "{{ params.Rounds }}", "max_depth": str(number)},
                ),
            },
        )
        model = f"ti.xcom_pull('train{number}')['Training']['ModelArtifacts']['S3ModelArtifacts']"
        evaluate = SageMakerProcessingOperator(
            task_id=f"evaluate{number}",
            deferrable=True,
            config={
                "ProcessingJobName": f"evaluate-{number}-{{{{ ts_nodash }}}}",
                **processing(
                    "evaluate.py",
                    [f"{{{{ {model} }}}}"],
                    f"{HOME}/{{{{ ts_nodash }}}}/Evaluations",
                ),
            },
        )
        prepare >> train >> evaluate >> compare
