"""Small pipelines for tests."""

from typing import Any

from include.nacre.definition.authoring import (
    EXECUTION_ID,
    Condition,
    Fail,
    Float,
    Integer,
    Join,
    Model,
    Pipeline,
    Processing,
    PropertyFile,
    RegisterModel,
    String,
    Training,
    Transform,
    less_than_or_equal,
    pipeline,
)

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
BUCKET = "sagemaker-us-east-1-123456789012"
CODE = f"s3://{BUCKET}/abalone/code/abc/prepare.py"


def processing(output: str, inputs: list[Any] | None = None) -> dict[str, Any]:
    """A processing request with one output, below the run's own prefix."""
    return {
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": ["python3", "x.py"]},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 1,
            }
        },
        "ProcessingInputs": [
            {
                "InputName": f"in{number}",
                "S3Input": {
                    "S3Uri": uri,
                    "LocalPath": f"/opt/ml/processing/in{number}",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
            for number, uri in enumerate(inputs or [])
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": output,
                    "S3Output": {
                        "S3Uri": Join("/", ["s3:/", BUCKET, "runs", EXECUTION_ID, output]),
                        "LocalPath": f"/opt/ml/processing/{output}",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    }


def training(data: Any, **hyperparameters: Any) -> dict[str, Any]:
    return {
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "HyperParameters": hyperparameters,
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": data}},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }


def abalone_like() -> Pipeline:
    """Prepare, train, evaluate; register and transform if it is good, else fail."""
    threshold = Float("Threshold", 6.0, description="the largest error")
    rounds = Integer("Rounds", 50)
    status = String(
        "Status", "PendingManualApproval", enum_values=["PendingManualApproval", "Approved"]
    )
    data = String("Data")
    prepare = Processing("Prepare", processing("train", [data, CODE]))
    train = Training(
        "Train", training(prepare.output("train"), num_round=Join("", [rounds]), note="{{ a }}")
    )
    artifact = train.ModelArtifacts.S3ModelArtifacts
    evaluate = Processing(
        "Evaluate",
        processing("report", [artifact]),
        property_files=[PropertyFile("Report", "report", "evaluation.json")],
    )
    error = evaluate.json("Report", "metrics.mse.value")
    container = {"Image": "image", "ModelDataUrl": artifact}
    register = RegisterModel(
        "Register",
        {
            "ModelPackageGroupName": "Abalone",
            "ModelApprovalStatus": status,
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        },
    )
    model = Model("Create", {"ExecutionRoleArn": ROLE, "PrimaryContainer": container})
    score = Transform(
        "Score",
        {
            "ModelName": model.ModelName,
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": data}}
            },
            "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/scores"},
            "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
        },
    )
    message = Join(" ", ["the error", error, "is above", threshold])
    check = Condition(
        "Check",
        [less_than_or_equal(error, threshold)],
        if_steps=[register, model, score],
        else_steps=[Fail("TooBad", message)],
    )
    return pipeline(
        "Abalone",
        parameters=[threshold, rounds, status, data],
        steps=[prepare, train, evaluate, check],
    )
