"""A small pipeline for the commands' tests, as a module with a `get_pipeline()`."""

from include.nacre.definition.authoring import (
    EXECUTION_ID,
    Condition,
    Fail,
    Integer,
    Join,
    Pipeline,
    Processing,
    String,
    less_than,
    pipeline,
)
from include.pipelines.images import SCIKIT_LEARN, image_uri
from tests.support.local_sagemaker import BUCKET, ROLE

COMMAND = ["sh", "-c", "echo $0 > /opt/ml/processing/out/said"]
COUNT = Integer("Count", 1)
WORD = String("Word", "hello", enum_values=("hello", "bye"))


def get_pipeline(*, role: str = ROLE, bucket: str = BUCKET, region: str = "us-east-1") -> Pipeline:
    """Says a word; fails if it shall say it three times or more."""
    target = {
        "S3Uri": Join("/", [f"s3://{bucket}/greetings", EXECUTION_ID]),
        "LocalPath": "/opt/ml/processing/out",
        "S3UploadMode": "EndOfJob",
    }
    say = Processing(
        "Say",
        {
            "RoleArn": role,
            "AppSpecification": {
                "ImageUri": image_uri(SCIKIT_LEARN, region),
                "ContainerEntrypoint": COMMAND,
                "ContainerArguments": [WORD],
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceCount": 1,
                    "InstanceType": "ml.m5.large",
                    "VolumeSizeInGB": 1,
                }
            },
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": target}]},
        },
    )
    refuse = Fail("Refuse", Join(" ", [COUNT, "times are too many"]))
    few = Condition("Few", [less_than(COUNT, 3)], if_steps=[say], else_steps=[refuse])
    return pipeline("Greeting", parameters=[COUNT, WORD], steps=[few])
