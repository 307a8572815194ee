"""Bodies of boto3 calls that several pipelines send."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.nacre.definition.authoring import Asset, Join, Processing, PropertyFile
from include.pipelines.site import Site

TIME_LIMIT = {"MaxRuntimeInSeconds": 3600}
VOLUME_GB = 30
HOME = "/opt/ml/processing"
EVALUATION = PropertyFile("EvaluationReport", "evaluation", "evaluation.json")
"""What an evaluation leaves: SageMaker's model quality statistics."""


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


def training_job(
    site: Site,
    step: str,
    *,
    image: str,
    hyperparameters: Mapping[str, Any],
    channels: Sequence[Mapping[str, Any]],
    instance_type: Any,
    metrics: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """CreateTrainingJob's body for one machine; the model goes to the run's folder `<step>`.

    `metrics` are patterns of the log by the metric's name, the value in their first group. In
    script mode the service knows no others.
    """
    algorithm: dict[str, Any] = {"TrainingImage": site.image(image), "TrainingInputMode": "File"}
    if metrics:
        found = [{"Name": name, "Regex": pattern} for name, pattern in metrics.items()]
        algorithm["MetricDefinitions"] = found
    return {
        "AlgorithmSpecification": algorithm,
        "HyperParameters": dict(hyperparameters),
        "InputDataConfig": list(channels),
        "OutputDataConfig": {"S3OutputPath": site.folder(step)},
        "ResourceConfig": {
            "InstanceType": instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": VOLUME_GB,
        },
        "RoleArn": site.role,
        "StoppingCondition": TIME_LIMIT,
    }


def script_mode(site: Site, source: Asset, program: str) -> dict[str, str]:
    """Hyperparameters that have an image train by a program of a source archive.

    The image fetches the archive itself, so it must be told the bucket's region.
    """
    return {
        "sagemaker_program": program,
        "sagemaker_submit_directory": site.code(source),
        "sagemaker_region": site.region,
    }


def script_environment(site: Site, source: Asset, program: str) -> dict[str, str]:
    """The same for a model's container: variables that have an image serve by a program."""
    return {name.upper(): value for name, value in script_mode(site, source, program).items()}


def model_quality(evaluation: Processing) -> dict[str, Any]:
    """ModelMetrics of a model version: what the evaluation has left as EVALUATION."""
    report = Join("/", [evaluation.output(EVALUATION.output_name), EVALUATION.path])
    return {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": report}}}


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
