"""A version of the model registry, served: approved, made a model by its ARN, transformed."""

import io
import tarfile

import numpy as np
import pytest
import xgboost

from tests.support.local_sagemaker import BUCKET, ROLE, LocalSageMaker, wait_until_over

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROWS = np.random.default_rng(7).random((20, 3)).round(6)


@pytest.fixture(scope="module")
def booster() -> xgboost.Booster:
    return xgboost.train({"max_depth": 3}, xgboost.DMatrix(ROWS, ROWS @ [1.0, -2.0, 3.0]), 5)


def archive(booster: xgboost.Booster) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        content = bytes(booster.save_raw("ubj"))
        info = tarfile.TarInfo("xgboost-model")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return written.getvalue()


def approved(service: LocalSageMaker, data: str) -> str:
    """A version of a group, approved; its ARN."""
    client = service.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="served")
    arn = client.create_model_package(
        ModelPackageGroupName="served",
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": data}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    return str(arn)


def test_a_transform_of_a_version_predicts_as_its_model_does(
    service: LocalSageMaker, booster: xgboost.Booster
) -> None:
    client, s3 = service.client("sagemaker"), service.client("s3")
    text = "".join(",".join(map(str, row)) + "\n" for row in ROWS.tolist())
    s3.put_object(Bucket=BUCKET, Key="served/model.tar.gz", Body=archive(booster))
    s3.put_object(Bucket=BUCKET, Key="served/batch/rows.csv", Body=text.encode())
    arn = approved(service, f"s3://{BUCKET}/served/model.tar.gz")
    container = {"ModelPackageName": arn}
    client.create_model(ModelName="served-1", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/served/batch/"}
    client.create_transform_job(
        TransformJobName="served-1",
        ModelName="served-1",
        TransformInput={
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/served/out", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    job = wait_until_over(client, "transform", "served-1")
    scored = s3.get_object(Bucket=BUCKET, Key="served/out/rows.csv.out")["Body"].read().decode()
    expected = [str(value) for value in booster.predict(xgboost.DMatrix(ROWS)).tolist()]
    assert (job["TransformJobStatus"], scored.splitlines()) == ("Completed", expected)
