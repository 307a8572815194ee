"""Processing jobs of one script each, for tests that need a job that really runs."""

import contextlib
import time
from typing import Any

from tests.support.local_sagemaker import BUCKET, ROLE, LocalSageMaker, wait_until_over

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
CODE = "/opt/ml/processing/input/code"
OUTPUT = "/opt/ml/processing/output"


class Scripts:
    """Starts scripts as processing jobs of a service; names begin with `prefix`."""

    def __init__(self, service: LocalSageMaker, prefix: str) -> None:
        self.prefix = prefix
        self.sagemaker = service.client("sagemaker")
        self.s3 = service.client("s3")
        self.logs = service.client("logs")

    def name(self, job: str) -> str:
        return f"{self.prefix}-{job}"

    def start(self, job: str, source: str) -> str:
        """Upload a script and start it; the job's name."""
        name = self.name(job)
        self.s3.put_object(Bucket=BUCKET, Key=f"code/{name}/run.py", Body=source.encode())
        self.sagemaker.create_processing_job(**self.request(name))
        return name

    def request(self, name: str) -> dict[str, Any]:
        """The Create call's body for an uploaded script."""
        return {
            "ProcessingJobName": name,
            "RoleArn": ROLE,
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", f"{CODE}/run.py"],
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
                    "InputName": "code",
                    "S3Input": {
                        "S3Uri": f"s3://{BUCKET}/code/{name}/run.py",
                        "LocalPath": CODE,
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "out",
                        "S3Output": {
                            "S3Uri": f"s3://{BUCKET}/out/{name}",
                            "LocalPath": OUTPUT,
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
        }

    def status(self, name: str) -> str:
        return str(self.describe(name)["ProcessingJobStatus"])

    def describe(self, name: str) -> dict[str, Any]:
        return dict(self.sagemaker.describe_processing_job(ProcessingJobName=name))

    def end_of(self, name: str) -> dict[str, Any]:
        """Wait for the job; its description."""
        return wait_until_over(self.sagemaker, "processing", name)

    def wait_for_log(self, name: str) -> None:
        """Wait until the script has said something: it runs."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(self.logs.exceptions.ResourceNotFoundException):
                if self.log(name):
                    return
            time.sleep(0.02)
        raise TimeoutError(f"{name} says nothing: {self.describe(name)}")

    def log(self, name: str) -> list[str]:
        """The job's log through CloudWatch Logs."""
        answer = self.logs.filter_log_events(
            logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix=f"{name}/"
        )
        return [event["message"] for event in answer["events"]]
