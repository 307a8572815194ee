"""Steps and DAGs for tests: jobs that run a line of Python on the local SageMaker."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

from include.nacre.dag import PipelineDag
from include.nacre.definition.authoring import (
    EXECUTION_ID,
    Join,
    Parameter,
    Pipeline,
    Processing,
    PropertyFile,
    Step,
    pipeline,
)
from include.pipelines.images import SCIKIT_LEARN, image_uri
from tests.support.local_sagemaker import BUCKET, ROLE

IMAGE = image_uri(SCIKIT_LEARN, "us-east-1")
REPORT = PropertyFile("Report", "report", "report.json")
_numbers = count(1)


def script(
    name: str,
    code: str = "pass",
    *,
    arguments: Sequence[Any] = (),
    inputs: Sequence[Any] = (),
    **options: Any,
) -> Processing:
    """A processing job that runs Python code; its output `report` is what it leaves in
    /opt/ml/processing/report.
    """
    application = {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", code]}
    if arguments:
        application["ContainerArguments"] = list(arguments)
    target = {
        "S3Uri": Join("/", ["s3:/", BUCKET, "dag-tests", EXECUTION_ID, name]),
        "LocalPath": "/opt/ml/processing/report",
        "S3UploadMode": "EndOfJob",
    }
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    request = {
        "RoleArn": ROLE,
        "AppSpecification": application,
        "ProcessingResources": {"ClusterConfig": cluster},
        "ProcessingInputs": [_input(f"in{i}", uri) for i, uri in enumerate(inputs)],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "report", "S3Output": target}]},
        **options.pop("request", {}),
    }
    return Processing(name, request, property_files=[REPORT], **options)


def _input(name: str, uri: Any) -> dict[str, Any]:
    source = {
        "S3Uri": uri,
        "LocalPath": f"/opt/ml/processing/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {"InputName": name, "S3Input": source}


def reporting(name: str, python: str, **options: Any) -> Processing:
    """A job that writes the value of a Python expression into its report as `value`."""
    file = "open('/opt/ml/processing/report/report.json', 'w')"
    return script(name, f"import json, sys; json.dump({{'value': {python}}}, {file})", **options)


# A container's first process is deaf to SIGTERM unless it listens; then a stop takes two minutes.
SLEEP = (
    "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(1)); "
    "print('listening', flush=True); time.sleep(300)"
)


def made(*steps: Step, parameters: Sequence[Parameter] = ()) -> Pipeline:
    return pipeline("Tests", steps=steps, parameters=parameters)


def dag_of(
    *steps: Step,
    parameters: Sequence[Parameter] = (),
    deferrable: bool = True,
    retries: int = 0,
    **options: Any,
) -> PipelineDag:
    """A DAG of a pipeline, with an id of its own."""
    return PipelineDag(
        f"dag{next(_numbers)}",
        made(*steps, parameters=parameters),
        schedule=None,
        default_args={
            "deferrable": deferrable,
            "retries": retries,
            "retry_delay": timedelta(0),
            **options.pop("default_args", {}),
        },
        **options,
    )
