"""The requests of the ten steps: the same for both sides, but for the references in them."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.pipelines.images import SCIKIT_LEARN, XGBOOST
from include.pipelines.site import find_site

SITE = find_site({}, "bench", bucket="bench")
HOME = "s3://bench/tens"
CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}


def processing(script: str, inputs: Sequence[Any], output: Any) -> dict[str, Any]:
    """A processing job that runs a script."""
    return {
        "RoleArn": SITE.role,
        "AppSpecification": {
            "ImageUri": SITE.image(SCIKIT_LEARN),
            "ContainerEntrypoint": ["python3", f"/opt/ml/processing/code/{script}"],
        },
        "ProcessingResources": {"ClusterConfig": CLUSTER},
        "ProcessingInputs": [
            _input("code", f"{HOME}/code/{script}"),
            *(_input(f"input-{number}", uri) for number, uri in enumerate(inputs)),
        ],
        "ProcessingOutputConfig": {"Outputs": [_output("result", output)]},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }


def _input(name: str, uri: Any) -> dict[str, Any]:
    source = {
        "S3Uri": uri,
        "LocalPath": f"/opt/ml/processing/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {"InputName": name, "S3Input": source}


def _output(name: str, uri: Any) -> dict[str, Any]:
    target = {"S3Uri": uri, "LocalPath": "/opt/ml/processing/result", "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "S3Output": target}


def training(data: Any, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """A training job of the built-in XGBoost."""
    source = {"S3DataType": "S3Prefix", "S3Uri": data, "S3DataDistributionType": "FullyReplicated"}
    return {
        "RoleArn": SITE.role,
        "AlgorithmSpecification": {
            "TrainingImage": SITE.image(XGBOOST),
            "TrainingInputMode": "File",
        },
        "HyperParameters": {"objective": "reg:squarederror", **hyperparameters},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": source},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"{HOME}/models"},
        "ResourceConfig": CLUSTER,
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
