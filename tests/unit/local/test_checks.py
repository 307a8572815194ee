"""What a Create call is refused for at once, though its shape is right."""

from typing import Any

import pytest

from tests.unit.local.memory import (
    BUCKET,
    ROLE,
    SKLEARN,
    XGBOOST,
    InMemory,
    channel,
    error_of,
    processing,
    training,
    transform,
)


def nothing_found(uri: str, bucket: str, role: str = ROLE) -> str:
    return (
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that'
        " the bucket exists in the selected region (us-east-1), that objects exist under that S3"
        f' prefix, and that the role "{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
    )


def code_input(uri: str, name: str = "code", path: str = "/opt/ml/processing/code") -> Any:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": path,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }


def output(uri: str, name: str = "train") -> Any:
    return {
        "OutputName": name,
        "S3Output": {
            "S3Uri": uri,
            "LocalPath": f"/opt/ml/processing/{name}",
            "S3UploadMode": "EndOfJob",
        },
    }


def refused(sagemaker: InMemory, word: str, request: Any) -> str:
    code, message = error_of(sagemaker.call, f"Create{word}Job", **request)
    assert code == "ValidationException"
    return message


@pytest.mark.parametrize("uri", [f"s3://{BUCKET}/nothing", "s3://no-such-bucket/train/x.csv"])
def test_a_training_channel_without_objects_is_refused(sagemaker: InMemory, uri: str) -> None:
    bucket = uri.split("/")[2]
    request = training(InputDataConfig=[channel(uri)])
    assert refused(sagemaker, "Training", request) == nothing_found(uri, bucket)


@pytest.mark.parametrize("uri", [f"s3://{BUCKET}/nothing", "s3://no-such-bucket/train/x.csv"])
def test_a_processing_input_without_objects_is_refused(sagemaker: InMemory, uri: str) -> None:
    bucket = uri.split("/")[2]
    request = processing(ProcessingInputs=[code_input(uri)])
    assert refused(sagemaker, "Processing", request) == nothing_found(uri, bucket)


def test_a_prefix_of_an_object_is_enough(sagemaker: InMemory) -> None:
    sagemaker.put("train/one.csv")
    request = training(InputDataConfig=[channel(f"s3://{BUCKET}/tra")])
    assert "TrainingJobArn" in sagemaker.call("CreateTrainingJob", **request)


def test_an_output_in_a_bucket_that_does_not_exist_is_refused(sagemaker: InMemory) -> None:
    request = training(OutputDataConfig={"S3OutputPath": "s3://no-such-bucket/models"})
    assert refused(sagemaker, "Training", request) == (
        'The S3 bucket "no-such-bucket" of the output address "s3://no-such-bucket/models" does'
        " not exist in the selected region (us-east-1). Create it first."
    )


def test_an_unknown_image_is_refused_with_the_way_to_map_it(sagemaker: InMemory) -> None:
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-own:1"
    request = processing(AppSpecification={"ImageUri": image})
    message = refused(sagemaker, "Processing", request)
    assert (image in message, "NACRE_IMAGES" in message) == (True, True)


def test_a_transform_of_a_model_that_there_is_not_is_refused(sagemaker: InMemory) -> None:
    sagemaker.put("batch/one.csv")
    assert refused(sagemaker, "Transform", transform()) == (
        'Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/abalone".'
    )


def test_a_transform_without_objects_is_refused(sagemaker: InMemory) -> None:
    sagemaker.call(
        "CreateModel",
        ModelName="abalone",
        PrimaryContainer={"Image": XGBOOST},
        ExecutionRoleArn=ROLE,
    )
    uri = f"s3://{BUCKET}/batch"
    assert refused(sagemaker, "Transform", transform()) == nothing_found(uri, BUCKET)


def test_everything_that_is_wrong_is_said_at_once(sagemaker: InMemory) -> None:
    request = processing(
        AppSpecification={"ImageUri": "my-own:1"},
        ProcessingInputs=[code_input("s3://no-such-bucket/a")],
        ProcessingOutputConfig={"Outputs": [output("s3://no-other-bucket/b")]},
    )
    message = refused(sagemaker, "Processing", request)
    words = ["'my-own:1'", '"s3://no-such-bucket/a"', '"no-other-bucket"']
    assert [word in message for word in words] == [True, True, True]


def test_two_inputs_cannot_share_a_name_or_a_place(sagemaker: InMemory) -> None:
    uri = sagemaker.put("a")
    request = processing(ProcessingInputs=[code_input(uri), code_input(uri)])
    assert refused(sagemaker, "Processing", request) == (
        "ProcessingInputs: the InputName 'code' is given 2 times; each must be unique."
        " ProcessingInputs: the LocalPath '/opt/ml/processing/code' is given 2 times; each must be"
        " unique."
    )


def test_two_channels_cannot_share_a_name(sagemaker: InMemory) -> None:
    uri = sagemaker.put("a")
    request = training(InputDataConfig=[channel(uri), channel(uri)])
    assert "the ChannelName 'train' is given 2 times" in refused(sagemaker, "Training", request)


@pytest.mark.parametrize("wait", [{}, {"MaxWaitTimeInSeconds": 59}])
def test_spot_training_waits_at_least_as_long_as_it_runs(
    sagemaker: InMemory, wait: dict[str, int]
) -> None:
    request = training(
        EnableManagedSpotTraining=True, StoppingCondition={"MaxRuntimeInSeconds": 60, **wait}
    )
    assert refused(sagemaker, "Training", request) == (
        "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to"
        " MaxRuntimeInSeconds."
    )


def test_only_spot_training_waits(sagemaker: InMemory) -> None:
    request = training(StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90})
    assert refused(sagemaker, "Training", request) == (
        "MaxWaitTimeInSeconds can only be set if EnableManagedSpotTraining is true."
    )


def test_data_from_elsewhere_than_s3_is_refused_by_name(sagemaker: InMemory) -> None:
    source = {
        "FileSystemDataSource": {
            "FileSystemId": "fs-01234567890",
            "FileSystemAccessMode": "ro",
            "FileSystemType": "EFS",
            "DirectoryPath": "/data",
        }
    }
    request = training(InputDataConfig=[{"ChannelName": "train", "DataSource": source}])
    assert refused(sagemaker, "Training", request) == (
        "Channel train: the local SageMaker reads channels from S3 only. Give its DataSource an"
        " S3DataSource."
    )


def test_a_marketplace_algorithm_is_refused_by_name(sagemaker: InMemory) -> None:
    algorithm = {"AlgorithmName": "forest", "TrainingInputMode": "File"}
    message = refused(sagemaker, "Training", training(AlgorithmSpecification=algorithm))
    assert message.startswith("AlgorithmSpecification has no TrainingImage:")


def test_a_training_job_names_what_it_lacks(sagemaker: InMemory) -> None:
    request = training()
    del request["ResourceConfig"], request["StoppingCondition"]
    message = refused(sagemaker, "Training", request)
    assert ("Missing ResourceConfig:" in message, "Missing StoppingCondition:" in message) == (
        True,
        True,
    )


def test_more_instances_than_an_account_has_are_over_its_limit(sagemaker: InMemory) -> None:
    request = training()
    request["ResourceConfig"]["InstanceCount"] = 21
    code, message = error_of(sagemaker.call, "CreateTrainingJob", **request)
    assert (
        code,
        message.startswith("The account-level service limit 'ml.m5.large for training"),
    ) == (
        "ResourceLimitExceeded",
        True,
    )


def test_a_model_whose_data_is_missing_is_refused(sagemaker: InMemory) -> None:
    container = {"Image": XGBOOST, "ModelDataUrl": f"s3://{BUCKET}/no/model.tar.gz"}
    request = {"ModelName": "m", "PrimaryContainer": container, "ExecutionRoleArn": ROLE}
    assert error_of(sagemaker.call, "CreateModel", **request) == (
        "ValidationException",
        f"Could not find model data at s3://{BUCKET}/no/model.tar.gz.",
    )


@pytest.mark.parametrize("key", ["../../etc/passwd", "a//b", "."])
def test_a_key_that_no_file_can_have_names_no_object(sagemaker: InMemory, key: str) -> None:
    uri = f"s3://{BUCKET}/{key}"
    request = training(InputDataConfig=[channel(uri)])
    assert refused(sagemaker, "Training", request) == nothing_found(uri, BUCKET)


def test_a_known_image_of_another_region_is_known(sagemaker: InMemory) -> None:
    image = SKLEARN.replace("us-east-1", "eu-central-1")
    request = processing(AppSpecification={"ImageUri": image})
    assert "ProcessingJobArn" in sagemaker.call("CreateProcessingJob", **request)
