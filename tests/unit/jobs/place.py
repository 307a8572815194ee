"""A place to run jobs in: buckets in a folder, no server, the real job runner."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.nacre.local.jobs import JobSpec, Kind, Outcome, StopRequest, Workspace, run_job
from include.nacre.local.jobs.fate import Fate
from include.nacre.local.objects import Objects

ECR = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
SKLEARN = f"{ECR}/sagemaker-scikit-learn:1.2-1-cpu-py3"
XGBOOST = f"{ECR}/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
BUCKET = "bucket"

Body = Mapping[str, Any]


@dataclass
class Place:
    """Buckets, logs and jobs below one folder, and what was reported of the jobs."""

    root: Path
    grace: float = 5.0
    events: list[str] = field(default_factory=list)

    @property
    def objects(self) -> Objects:
        return Objects(self.root / "buckets")

    def put(self, key: str, content: str | bytes) -> str:
        """Make an object; its address."""
        path = self.root / "buckets" / BUCKET / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return uri(key)

    def get(self, key: str) -> bytes:
        return (self.root / "buckets" / BUCKET / key).read_bytes()

    def keys(self, prefix: str = "") -> list[str]:
        return [each.uri.key for each in self.objects.list(uri(prefix))]

    def run(
        self,
        kind: Kind,
        request: Body,
        *,
        name: str = "job",
        model: Body | None = None,
        stop: StopRequest | None = None,
        fate: Fate | None = None,
        wait_until: float | None = None,
    ) -> Outcome:
        """Run a job to its end."""
        (self.root / "buckets" / BUCKET).mkdir(parents=True, exist_ok=True)
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:{kind}-job/{name}"
        spec = JobSpec(
            *(kind, name, arn, request, "us-east-1", "123456789012", model),
            fate=fate or Fate(),
            wait_until=wait_until,
        )
        workspace = Workspace(
            self.root / "jobs" / name,
            self.root / "logs",
            self.objects,
            {"PLACE": "here"},
            self.grace,
        )
        self.events = []
        return run_job(
            spec, workspace, lambda event, _facts: self.events.append(event), stop or StopRequest()
        )

    def log(self, name: str = "job", stream: str = "") -> list[str]:
        """The texts of a job's log lines, of the streams whose path contains the given part."""
        files = sorted((self.root / "logs").glob(f"*/{name}/**/*.log"))
        lines = [f.read_text().splitlines() for f in files if stream in str(f)]
        return [line.partition(" ")[2] for each in lines for line in each]


def uri(key: str = "") -> str:
    return f"s3://{BUCKET}/{key}"


def processing(script: str, place: Place, **more: Any) -> Body:
    """A CreateProcessingJob body that runs a Python script."""
    code = place.put("code/script.py", script)
    return {
        "ProcessingJobName": "job",
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": SKLEARN,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/script.py"],
        },
        "ProcessingResources": {"ClusterConfig": cluster()},
        "ProcessingInputs": [s3_input("code", code, "/opt/ml/processing/input/code")],
    } | more


def cluster(count: int = 1) -> Body:
    return {"InstanceCount": count, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}


def s3_input(name: str, address: str, path: str, **more: Any) -> Body:
    source = {"S3Uri": address, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source | more}


def s3_output(name: str, address: str, path: str, mode: str = "EndOfJob") -> Body:
    return {
        "OutputName": name,
        "S3Output": {"S3Uri": address, "LocalPath": path, "S3UploadMode": mode},
    }


def training(image: str, hyperparameters: Mapping[str, str], *channels: Body, **more: Any) -> Body:
    """A CreateTrainingJob body."""
    return {
        "TrainingJobName": "job",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "HyperParameters": hyperparameters,
        "InputDataConfig": list(channels),
        "OutputDataConfig": {"S3OutputPath": uri("models")},
        "ResourceConfig": cluster(),
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    } | more


def channel(name: str, address: str, content_type: str | None = "text/csv", **more: Any) -> Body:
    source = {"S3DataType": "S3Prefix", "S3Uri": address} | more
    described = {"ChannelName": name, "DataSource": {"S3DataSource": source}}
    return described | ({"ContentType": content_type} if content_type else {})


def entry(*command: str) -> Body:
    """An AlgorithmSpecification that runs a command instead of the image's."""
    return {
        "TrainingImage": SKLEARN,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": list(command),
    }


def transform(address: str, **more: Any) -> Body:
    """A CreateTransformJob body; `TransformInput` and `TransformOutput` are merged into it."""
    given = {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": address}},
        "ContentType": "text/csv",
        "SplitType": "Line",
    } | more.pop("TransformInput", {})
    made = {
        "S3OutputPath": uri("predictions"),
        "Accept": "text/csv",
        "AssembleWith": "Line",
    } | more.pop("TransformOutput", {})
    return {
        "TransformJobName": "job",
        "ModelName": "model",
        "TransformInput": given,
        "TransformOutput": made,
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
    } | more


def model(image: str, data: str, **environment: str) -> Body:
    """A DescribeModel body."""
    return {"PrimaryContainer": {"Image": image, "ModelDataUrl": data, "Environment": environment}}
