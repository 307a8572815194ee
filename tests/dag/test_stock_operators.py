"""The Amazon provider's own SageMaker operators and sensor, unchanged, on the local SageMaker."""

import json
from typing import Any

import pytest
from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerProcessingOperator,
    SageMakerRegisterModelVersionOperator,
    SageMakerStartPipelineOperator,
    SageMakerStopPipelineOperator,
    SageMakerTrainingOperator,
    SageMakerTransformOperator,
)
from airflow.providers.amazon.aws.sensors.sagemaker import SageMakerPipelineSensor
from airflow.sdk import DAG

from include.nacre.definition.authoring import Fail, Float, Integer, Join, Pipeline, pipeline
from include.pipelines.images import SCIKIT_LEARN, XGBOOST, image_uri
from tests.dag.runs import Outcome, run
from tests.dag.steps import SLEEP, reporting, script
from tests.support.local_sagemaker import BUCKET, ROLE, LocalSageMaker

pytestmark = pytest.mark.usefixtures("airflow")

PREFIX = f"s3://{BUCKET}/stock"
XGBOOST_IMAGE = image_uri(XGBOOST, "us-east-1")
# What the operators wait between two looks at a job; 30 seconds by default.
EAGER = {"check_interval": 1}

KEEP_HEAD = (
    "lines = open('/opt/ml/processing/rows/rows.csv').readlines()[:50]; "
    "open('/opt/ml/processing/top/train.csv', 'w').writelines(lines); "
    "import json; json.dump({'rows': len(lines)}, open('/opt/ml/processing/top/report.json', 'w'))"
)


def processing() -> dict[str, Any]:
    source = {"S3Uri": f"{PREFIX}/rows/", "LocalPath": "/opt/ml/processing/rows"}
    target = {"S3Uri": f"{PREFIX}/top", "LocalPath": "/opt/ml/processing/top"}
    return {
        "ProcessingJobName": "stock-processing",
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": image_uri(SCIKIT_LEARN, "us-east-1"),
            "ContainerEntrypoint": ["python3", "-c", KEEP_HEAD],
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 1,
            }
        },
        "ProcessingInputs": [
            {
                "InputName": "rows",
                "S3Input": {**source, "S3DataType": "S3Prefix", "S3InputMode": "File"},
            }
        ],
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "top", "S3Output": {**target, "S3UploadMode": "EndOfJob"}}]
        },
    }


def training() -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"{PREFIX}/top/train.csv"}
    return {
        "TrainingJobName": "stock-training",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": XGBOOST_IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {"objective": "reg:squarederror", "num_round": "5"},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": source},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"{PREFIX}/models"},
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


MODEL_URL = f"{PREFIX}/models/stock-training/output/model.tar.gz"


def transform() -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"{PREFIX}/features/features.csv"}
    model = {
        "ModelName": "stock-model",
        "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {"Image": XGBOOST_IMAGE, "ModelDataUrl": MODEL_URL},
    }
    job = {
        "TransformJobName": "stock-transform",
        "ModelName": "stock-model",
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": f"{PREFIX}/scored", "AssembleWith": "Line"},
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
    }
    return {"Model": model, "Transform": job}


@pytest.fixture(scope="module")
def jobs(sagemaker: LocalSageMaker, airflow: None) -> Outcome:  # noqa: ARG001 - a fixture
    """A run of a DAG with one task of each operator that runs a job or makes a model."""
    s3 = sagemaker.client("s3")
    rows = "".join(f"{2 * x},{x},{x % 3}\n" for x in range(60))
    s3.put_object(Bucket=BUCKET, Key="stock/rows/rows.csv", Body=rows.encode())
    s3.put_object(Bucket=BUCKET, Key="stock/features/features.csv", Body=b"1,1\n40,1\n")
    reports = [{"result_name": "report", "output_name": "top", "file_name": "report.json"}]
    with DAG("stock_jobs", schedule=None) as dag:
        process = SageMakerProcessingOperator(
            task_id="process", config=processing(), output_files_to_xcom=reports, **EAGER
        )
        # While it prints the log, it looks at the job every 30 seconds, whatever it is told.
        train = SageMakerTrainingOperator(
            task_id="train", config=training(), print_log=False, **EAGER
        )
        score = SageMakerTransformOperator(task_id="score", config=transform(), **EAGER)
        register = SageMakerRegisterModelVersionOperator(
            task_id="register",
            image_uri=XGBOOST_IMAGE,
            model_url=MODEL_URL,
            package_group_name="stock",
            package_desc="By the provider's operator",
        )
        process >> train >> [score, register]
    with pytest.MonkeyPatch.context() as patch:
        # The provider reads output files with a client that knows nothing of the connection.
        patch.setenv("AWS_ENDPOINT_URL_S3", sagemaker.s3_endpoint)
        patch.setenv("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required")
        return run(dag)


def test_every_job_operator_succeeds(jobs: Outcome) -> None:
    assert jobs.states == dict.fromkeys(("process", "train", "score", "register"), "success")


def test_a_processing_job_hands_its_files_to_xcom(jobs: Outcome) -> None:
    found = jobs.result("process")
    files = json.loads(json.dumps(found["OutputFiles"]))
    assert (found["Processing"]["ProcessingJobStatus"], files) == (
        "Completed",
        {"report": {"rows": 50}},
    )


def test_a_training_job_leaves_its_model(jobs: Outcome) -> None:
    found = jobs.result("train")["Training"]
    assert (found["TrainingJobStatus"], found["ModelArtifacts"]) == (
        "Completed",
        {"S3ModelArtifacts": MODEL_URL},
    )


def test_a_transform_job_scores_with_the_model_that_it_made(
    jobs: Outcome, sagemaker: LocalSageMaker
) -> None:
    found = jobs.result("score")
    body = sagemaker.client("s3").get_object(Bucket=BUCKET, Key="stock/scored/features.csv.out")
    low, high = map(float, body["Body"].read().split())
    assert (found["Model"]["ModelName"], found["Transform"]["TransformJobStatus"], low < high) == (
        "stock-model",
        "Completed",
        True,
    )


def test_a_model_version_is_registered_in_a_group_of_its_own(
    jobs: Outcome, sagemaker: LocalSageMaker
) -> None:
    arn = jobs.result("register")
    found = sagemaker.client("sagemaker").describe_model_package(ModelPackageName=arn)
    assert {key: found[key] for key in ("ModelPackageVersion", "ModelApprovalStatus")} == {
        "ModelPackageVersion": 1,
        "ModelApprovalStatus": "PendingManualApproval",
    }


# Pipelines.


def create(service: LocalSageMaker, made: Pipeline) -> None:
    service.client("sagemaker").create_pipeline(
        PipelineName=made.name,
        PipelineDefinition=json.dumps(made),
        RoleArn=ROLE,
        ClientRequestToken=f"stock-operators-{made.name}".ljust(32, "-"),
    )


@pytest.fixture(scope="module")
def counted(sagemaker: LocalSageMaker, airflow: None) -> Pipeline:  # noqa: ARG001 - a fixture
    rows, share = Integer("Rows", 1), Float("Share", 0.5)
    report = reporting("Count", "float(sys.argv[1])", arguments=[Join("", [rows])])
    made = pipeline("StockCounted", parameters=[rows, share], steps=[report])
    create(sagemaker, made)
    return made


def test_a_pipeline_is_started_and_awaited_by_the_sensor(
    counted: Pipeline, sagemaker: LocalSageMaker
) -> None:
    with DAG("stock_start", schedule=None) as dag:
        start = SageMakerStartPipelineOperator(
            task_id="start",
            pipeline_name=counted.name,
            # Text: the operator sends values to boto3 as they are.
            pipeline_params={"Rows": "7", "Share": "0.25"},
            display_name="by-the-provider",
        )
        sense = SageMakerPipelineSensor(
            task_id="sense", pipeline_exec_arn=start.output, poke_interval=1
        )
        start >> sense
    outcome = run(dag)
    client = sagemaker.client("sagemaker")
    arn = outcome.result("start")
    answer = client.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    assert outcome.states == {"start": "success", "sense": "success"}
    assert {item["Name"]: item["Value"] for item in answer["PipelineParameters"]} == {
        "Rows": "7",
        "Share": "0.25",
    }


def test_a_start_may_wait_for_the_end(counted: Pipeline) -> None:
    with DAG("stock_wait", schedule=None) as dag:
        SageMakerStartPipelineOperator(
            task_id="start", pipeline_name=counted.name, wait_for_completion=True, **EAGER
        )
    assert run(dag).states == {"start": "success"}


def test_a_failed_execution_fails_the_task(sagemaker: LocalSageMaker) -> None:
    create(sagemaker, pipeline("StockFails", steps=[Fail("Stop", "no more of this")]))
    with DAG("stock_fails", schedule=None) as dag:
        SageMakerStartPipelineOperator(
            task_id="start", pipeline_name="StockFails", wait_for_completion=True, **EAGER
        )
    assert run(dag).states == {"start": "failed"}


def test_a_running_execution_is_stopped(sagemaker: LocalSageMaker) -> None:
    create(sagemaker, pipeline("StockSleeps", steps=[script("Sleep", SLEEP)]))
    with DAG("stock_stop", schedule=None) as dag:
        start = SageMakerStartPipelineOperator(task_id="start", pipeline_name="StockSleeps")
        stop = SageMakerStopPipelineOperator(
            task_id="stop", pipeline_exec_arn=start.output, wait_for_completion=True, **EAGER
        )
        start >> stop
    outcome = run(dag)
    assert (outcome.states, outcome.result("stop")) == (
        {"start": "success", "stop": "success"},
        "Stopped",
    )
