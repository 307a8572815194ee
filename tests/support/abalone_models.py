"""Versions of the abalone model, trained here by the job scripts and registered with boto3: for
tests that need some and are not about training.
"""

import shutil
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import xgboost
from botocore.exceptions import ClientError

from include.pipelines.abalone import evaluate, preprocess, source
from include.pipelines.abalone.pipeline import HYPERPARAMETERS
from include.pipelines.images import XGBOOST, image_uri
from tests.support.local_sagemaker import BUCKET, LocalSageMaker

GROUP = "abalone"
UPLOADED = {
    "Preprocessor": preprocess.PREPROCESSOR,
    "TestRows": preprocess.RAW_TEST,
    "EvaluationPicture": evaluate.PICTURE,
}


def train(root: Path, rounds: int, seed: int = 0) -> None:
    """Leave below `root` what a training run leaves: of more rounds a better model."""
    (root / preprocess.RAW).mkdir(parents=True)
    (root / preprocess.RAW / "abalone.csv").write_bytes(source.raw_csv())
    assert preprocess.main(["--root", str(root), "--seed", str(seed)]) is None
    labels, features = evaluate.read_test_data(root / preprocess.TRAIN)
    given = {key: value for key, value in HYPERPARAMETERS.items() if key != "num_round"}
    booster = xgboost.train(given, xgboost.DMatrix(features, labels), num_boost_round=rounds)
    content = bytes(booster.save_raw("ubj"))
    member = tarfile.TarInfo(evaluate.MODEL_FILE)
    member.size = len(content)
    (root / evaluate.MODEL).parent.mkdir(parents=True)
    with tarfile.open(root / evaluate.MODEL, "w:gz") as archive:
        archive.addfile(member, BytesIO(content))
    (root / evaluate.TEST).parent.mkdir(parents=True)
    shutil.copyfile(root / preprocess.TEST, root / evaluate.TEST)
    assert evaluate.main(["--root", str(root)]) is None


def register(
    service: LocalSageMaker,
    root: Path,
    name: str,
    *,
    status: str = "PendingManualApproval",
    metadata: Mapping[str, str] | None = None,
    group: str = GROUP,
) -> str:
    """Register what `train` has left, its files below `s3://<bucket>/models/<name>/`; the ARN."""
    s3, sagemaker = service.client("s3"), service.client("sagemaker")

    def put(path: Path) -> str:
        key = f"models/{name}/{path.name}"
        s3.put_object(Bucket=BUCKET, Key=key, Body=(root / path).read_bytes())
        return f"s3://{BUCKET}/{key}"

    open_group(sagemaker, group)
    registered = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus=status,
        ModelMetrics={
            "ModelQuality": {
                "Statistics": {"ContentType": "application/json", "S3Uri": put(evaluate.REPORT)}
            }
        },
        InferenceSpecification={
            "Containers": [
                {"Image": image_uri(XGBOOST, "us-east-1"), "ModelDataUrl": put(evaluate.MODEL)}
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        CustomerMetadataProperties={
            **{key: put(path) for key, path in UPLOADED.items()},
            "SplitSeed": "0",
            **(metadata or {}),
        },
    )
    return str(registered["ModelPackageArn"])


def open_group(sagemaker: Any, name: str) -> None:
    try:
        sagemaker.create_model_package_group(ModelPackageGroupName=name)
    except ClientError:
        sagemaker.describe_model_package_group(ModelPackageGroupName=name)
