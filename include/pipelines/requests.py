"""Bodies of boto3 calls that several pipelines send."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.nacre.definition.authoring import Asset, Processing
from include.pipelines.site import Site

TIME_LIMIT = {"MaxRuntimeInSeconds": 3600}
VOLUME_GB = 30
HOME = "/opt/ml/processing"


def script_job(
    site: Site,
    step: str,
    script: Asset,
    *,
    image: str,
    inputs: Mapping[str, Any],
    outputs: Sequence[str],
    instance_type: Any,
    instance_count: Any = 1,
    arguments: Sequence[Any] = (),
) -> dict[str, Any]:
    """CreateProcessingJob's body for a script of ours.

    On every host the script finds input `x` in /opt/ml/processing/input/x, and leaves output `y`
    in /opt/ml/processing/y; the run's folder has it in `<step>/y`.
    """
    application: dict[str, Any] = {
        "ImageUri": site.image(image),
        "ContainerEntrypoint": ["python3", f"{HOME}/input/code/{script.name}"],
    }
    if arguments:
        application["ContainerArguments"] = list(arguments)
    cluster = {
        "InstanceType": instance_type,
        "InstanceCount": instance_count,
        "VolumeSizeInGB": VOLUME_GB,
    }
    sources = {"code": site.code(script), **inputs}
    results = [processing_output(name, site.folder(step, name)) for name in outputs]
    return {
        "AppSpecification": application,
        "ProcessingInputs": [processing_input(name, uri) for name, uri in sources.items()],
        "ProcessingOutputConfig": {"Outputs": results},
        "ProcessingResources": {"ClusterConfig": cluster},
        "RoleArn": site.role,
        "StoppingCondition": TIME_LIMIT,
    }


def processing_input(name: str, uri: Any) -> dict[str, Any]:
    source = {
        "S3Uri": uri,
        "LocalPath": f"{HOME}/input/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"InputName": name, "S3Input": source}


def processing_output(name: str, uri: Any) -> dict[str, Any]:
    target = {"S3Uri": uri, "LocalPath": f"{HOME}/{name}", "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "S3Output": target}


def csv_channel(name: str, producer: Processing) -> dict[str, Any]:
    """A training channel that reads the output of its own name."""
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": producer.output(name),
        "S3DataDistributionType": "FullyReplicated",
    }
    # Exactly this content type: without one, built-in XGBoost reads libsvm.
    return {
        "ChannelName": name,
        "ContentType": "text/csv",
        "DataSource": {"S3DataSource": source},
    }
