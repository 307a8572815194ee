"""Models, and the model registry."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.local.memory import BUCKET, ROLE, SKLEARN, START, XGBOOST, InMemory, error_of

GROUP_ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/abalone"
PACKAGE_ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/abalone"
MODEL_ARN = "arn:aws:sagemaker:us-east-1:123456789012:model/abalone"


def model(sagemaker: InMemory, **changes: Any) -> dict[str, Any]:
    data = sagemaker.put("models/model.tar.gz")
    return {
        "ModelName": "abalone",
        "PrimaryContainer": {"Image": XGBOOST, "ModelDataUrl": data, "Environment": {"A": "1"}},
        "ExecutionRoleArn": ROLE,
        **changes,
    }


def package(sagemaker: InMemory, **changes: Any) -> dict[str, Any]:
    data = sagemaker.put("models/model.tar.gz")
    return {
        "ModelPackageGroupName": "abalone",
        "InferenceSpecification": {
            "Containers": [{"Image": XGBOOST, "ModelDataUrl": data, "Environment": {"P": "1"}}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        **changes,
    }


@pytest.fixture
def registry(sagemaker: InMemory) -> InMemory:
    sagemaker.call("CreateModelPackageGroup", ModelPackageGroupName="abalone")
    return sagemaker


def register(registry: InMemory, **changes: Any) -> str:
    return str(
        registry.call("CreateModelPackage", **package(registry, **changes))["ModelPackageArn"]
    )


def describe(registry: InMemory, name: str) -> dict[str, Any]:
    return registry.call("DescribeModelPackage", ModelPackageName=name)


def test_a_model_is_described_as_it_was_made(sagemaker: InMemory) -> None:
    request = model(sagemaker)
    made = sagemaker.call("CreateModel", **request)
    found = sagemaker.call("DescribeModel", ModelName="abalone")
    container = {**request["PrimaryContainer"], "Mode": "SingleModel"}
    assert (made, found) == (
        {"ModelArn": MODEL_ARN},
        {
            **request,
            "PrimaryContainer": container,
            "EnableNetworkIsolation": False,
            "ModelArn": MODEL_ARN,
            "CreationTime": datetime.fromtimestamp(START + 1, UTC),
        },
    )


def test_a_model_is_found_by_the_name_in_its_arn(sagemaker: InMemory) -> None:
    arn = sagemaker.call("CreateModel", **model(sagemaker, ModelName="Rings"))["ModelArn"]
    found = sagemaker.call("DescribeModel", ModelName=arn.rpartition("/")[2])
    assert found["ModelName"] == "Rings"


def test_a_model_exists_once(sagemaker: InMemory) -> None:
    sagemaker.call("CreateModel", **model(sagemaker))
    assert error_of(sagemaker.call, "CreateModel", **model(sagemaker)) == (
        "ValidationException",
        f'Cannot create already existing model "{MODEL_ARN}".',
    )


def test_a_deleted_models_name_is_free_again(sagemaker: InMemory) -> None:
    sagemaker.call("CreateModel", **model(sagemaker))
    sagemaker.call("DeleteModel", ModelName="abalone")
    assert sagemaker.call("CreateModel", **model(sagemaker)) == {"ModelArn": MODEL_ARN}


@pytest.mark.parametrize("call", ["DescribeModel", "DeleteModel"])
def test_a_model_that_there_is_not_is_a_validation_error(sagemaker: InMemory, call: str) -> None:
    assert error_of(sagemaker.call, call, ModelName="abalone") == (
        "ValidationException",
        f'Could not find model "{MODEL_ARN}".',
    )


def test_models_are_listed_newest_first(sagemaker: InMemory) -> None:
    for name in ("one", "two", "three"):
        sagemaker.call("CreateModel", **model(sagemaker, ModelName=name))
    found = sagemaker.call("ListModels", NameContains="t")["Models"]
    assert [item["ModelName"] for item in found] == ["three", "two"]


@pytest.mark.parametrize("containers", [{}, {"Containers": [{"Image": XGBOOST}]}])
def test_a_model_has_one_container_or_a_list_of_them(
    sagemaker: InMemory, containers: dict[str, Any]
) -> None:
    request = model(sagemaker)
    if not containers:
        del request["PrimaryContainer"]
    code, message = error_of(sagemaker.call, "CreateModel", **{**request, **containers})
    assert (code, message) == (
        "ValidationException",
        "Give either PrimaryContainer or Containers, and not both of them.",
    )


def test_a_model_of_an_approved_package_has_its_image_and_data(registry: InMemory) -> None:
    arn = register(registry, ModelApprovalStatus="Approved")
    container = {"ModelPackageName": arn, "Environment": {"A": "1"}}
    registry.call("CreateModel", **model(registry, PrimaryContainer=container))
    found = registry.call("DescribeModel", ModelName="abalone")["PrimaryContainer"]
    assert found == {
        "Image": XGBOOST,
        "ModelDataUrl": f"s3://{BUCKET}/models/model.tar.gz",
        "Environment": {"P": "1", "A": "1"},
        "ModelPackageName": arn,
        "Mode": "SingleModel",
    }


def test_a_package_that_nobody_approved_is_no_model(registry: InMemory) -> None:
    arn = register(registry)
    request = model(registry, PrimaryContainer={"ModelPackageName": arn})
    code, message = error_of(registry.call, "CreateModel", **request)
    assert (code, message.startswith(f"Model Package {arn} is not approved")) == (
        "ValidationException",
        True,
    )


def approved_model(registry: InMemory, arn: str, **container: Any) -> dict[str, Any]:
    """A model of a version: its only container, as it is described."""
    named = {"ModelPackageName": arn, **container}
    registry.call("CreateModel", **model(registry, PrimaryContainer=named))
    found = registry.call("DescribeModel", ModelName="abalone")
    return dict(found["PrimaryContainer"])


def test_a_model_keeps_what_its_version_was_when_it_was_made(registry: InMemory) -> None:
    arn = register(registry, ModelApprovalStatus="Approved")
    made = approved_model(registry, arn)
    registry.call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    assert registry.call("DescribeModel", ModelName="abalone")["PrimaryContainer"] == made


def test_a_version_says_more_of_its_container_than_a_model_does(registry: InMemory) -> None:
    specification = dict(package(registry)["InferenceSpecification"])
    specification["Containers"] = [
        {**specification["Containers"][0], "Framework": "XGBOOST", "ContainerHostname": "host"}
    ]
    arn = register(registry, InferenceSpecification=specification, ModelApprovalStatus="Approved")
    assert sorted(approved_model(registry, arn)) == [
        *("Environment", "Image", "Mode", "ModelDataUrl", "ModelPackageName"),
    ]


def test_a_further_inference_specification_is_chosen_by_its_name(registry: InMemory) -> None:
    further = {
        "Name": "other",
        "Containers": [{"Image": SKLEARN, "ModelDataUrl": registry.put("other/model.tar.gz")}],
    }
    arn = register(
        registry, AdditionalInferenceSpecifications=[further], ModelApprovalStatus="Approved"
    )
    found = approved_model(registry, arn, InferenceSpecificationName="other")
    assert (found["Image"], found["ModelDataUrl"]) == (
        SKLEARN,
        f"s3://{BUCKET}/other/model.tar.gz",
    )


def test_every_reason_why_a_version_is_no_model_is_in_one_answer(registry: InMemory) -> None:
    specification = dict(package(registry)["InferenceSpecification"])
    data = registry.put("gone/model.tar.gz")
    specification["Containers"] = [{"Image": "unknown:1", "ModelDataUrl": data}] * 2
    arn = register(registry, InferenceSpecification=specification)
    registry.objects.delete(data)
    container = {"ModelPackageName": arn, "Image": XGBOOST}
    code, message = error_of(
        registry.call, "CreateModel", **model(registry, PrimaryContainer=container)
    )
    reasons = [
        f"Model Package {arn} is not approved",
        "Both Image and ModelPackageName are given in a container: give one of them.",
        f"Model Package {arn} has 2 containers: the local SageMaker serves models of one.",
        "unknown:1",
        f"Could not find model data at {data}, the data of Model Package {arn}.",
    ]
    assert code == "ValidationException"
    assert [reason for reason in reasons if reason not in message] == []


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, "has no InferenceSpecification: nothing says how to serve it."),
        (
            {"InferenceSpecificationName": "other"},
            "has no inference specification 'other': nothing says how to serve it.",
        ),
    ],
)
def test_a_version_that_says_not_how_to_serve_it_is_no_model(
    registry: InMemory, chosen: dict[str, str], expected: str
) -> None:
    request = package(registry, ModelApprovalStatus="Approved")
    del request["InferenceSpecification"]
    arn = registry.call("CreateModelPackage", **request)["ModelPackageArn"]
    container = {"ModelPackageName": arn, **chosen}
    assert error_of(
        registry.call, "CreateModel", **model(registry, PrimaryContainer=container)
    ) == ("ValidationException", f"Model Package {arn} {expected}")


def test_a_group_is_described_as_it_was_made(sagemaker: InMemory) -> None:
    request = {"ModelPackageGroupName": "abalone", "ModelPackageGroupDescription": "Ages"}
    made = sagemaker.call("CreateModelPackageGroup", **request)
    found = sagemaker.call("DescribeModelPackageGroup", ModelPackageGroupName="abalone")
    assert (made["ModelPackageGroupArn"], found) == (
        GROUP_ARN,
        {
            **request,
            "ModelPackageGroupArn": GROUP_ARN,
            "CreationTime": datetime.fromtimestamp(START + 1, UTC),
            "CreatedBy": {"UserProfileName": "local"},
            "ModelPackageGroupStatus": "Completed",
        },
    )


def test_a_group_exists_once_in_the_words_that_the_provider_looks_for(registry: InMemory) -> None:
    assert error_of(registry.call, "CreateModelPackageGroup", ModelPackageGroupName="abalone") == (
        "ValidationException",
        f"Model Package Group already exists: {GROUP_ARN}",
    )


def test_a_group_is_found_by_its_arn(registry: InMemory) -> None:
    found = registry.call("DescribeModelPackageGroup", ModelPackageGroupName=GROUP_ARN)
    assert found["ModelPackageGroupName"] == "abalone"


def test_versions_count_up_in_their_group(registry: InMemory) -> None:
    arns = [register(registry), register(registry)]
    assert arns == [f"{PACKAGE_ARN}/1", f"{PACKAGE_ARN}/2"]


def test_a_deleted_version_is_not_given_out_again(registry: InMemory) -> None:
    registry.call("DeleteModelPackage", ModelPackageName=register(registry))
    assert register(registry) == f"{PACKAGE_ARN}/2"


def test_a_group_in_capitals_is_found_by_its_arn_in_lower_case(sagemaker: InMemory) -> None:
    made = sagemaker.call("CreateModelPackageGroup", ModelPackageGroupName="AbaloneModels")
    arn = register(sagemaker, ModelPackageGroupName="AbaloneModels")
    found = describe(sagemaker, arn)["ModelPackageGroupName"]
    by_arn = listed(sagemaker, ModelPackageGroupName=made["ModelPackageGroupArn"])
    assert (found, by_arn) == ("AbaloneModels", ["model-package/abalonemodels/1"])


def test_a_group_named_by_its_arn_is_the_same_group(registry: InMemory) -> None:
    assert register(registry, ModelPackageGroupName=GROUP_ARN) == f"{PACKAGE_ARN}/1"


def test_a_version_waits_for_approval_unless_it_comes_with_one(registry: InMemory) -> None:
    register(registry)
    register(registry, ModelApprovalStatus="Rejected")
    found = [describe(registry, f"{PACKAGE_ARN}/{n}")["ModelApprovalStatus"] for n in (1, 2)]
    assert found == ["PendingManualApproval", "Rejected"]


def test_a_version_is_described_with_its_metrics_and_metadata(registry: InMemory) -> None:
    said = {
        "ModelMetrics": {
            "ModelQuality": {
                "Statistics": {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/e.json"}
            }
        },
        "CustomerMetadataProperties": {"mse": "4.7"},
    }
    found = describe(registry, register(registry, **said))
    assert {key: found[key] for key in (*said, "ModelPackageVersion", "ModelPackageStatus")} == {
        **said,
        "ModelPackageVersion": 1,
        "ModelPackageStatus": "Completed",
    }


def test_a_version_needs_its_group(sagemaker: InMemory) -> None:
    assert error_of(sagemaker.call, "CreateModelPackage", **package(sagemaker)) == (
        "ValidationException",
        f"ModelPackageGroup {GROUP_ARN} does not exist.",
    )


def test_a_package_needs_a_name_or_a_group(registry: InMemory) -> None:
    request = package(registry)
    del request["ModelPackageGroupName"]
    code, message = error_of(registry.call, "CreateModelPackage", **request)
    assert (code, message.startswith("Missing ARN.")) == ("ValidationException", True)


def test_a_package_has_a_name_or_a_group_and_not_both(registry: InMemory) -> None:
    request = package(registry, ModelPackageName="mine")
    _, message = error_of(registry.call, "CreateModelPackage", **request)
    assert message == (
        "Both ModelPackageName and ModelPackageGroupName are provided in the input."
        " Cannot determine which one to use."
    )


def test_a_version_has_its_groups_tags_and_none_of_its_own(registry: InMemory) -> None:
    request = package(registry, Tags=[{"Key": "a", "Value": "b"}])
    assert error_of(registry.call, "CreateModelPackage", **request) == (
        "ValidationException",
        "Tags cannot be given for a version: it has those of its model package group.",
    )


def test_a_package_whose_data_is_missing_is_refused(registry: InMemory) -> None:
    specification = {
        "Containers": [{"Image": XGBOOST, "ModelDataUrl": f"s3://{BUCKET}/none"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    request = package(registry, InferenceSpecification=specification)
    assert error_of(registry.call, "CreateModelPackage", **request) == (
        "ValidationException",
        f"Could not find model data at s3://{BUCKET}/none.",
    )


def test_the_same_call_with_the_same_token_registers_once(registry: InMemory) -> None:
    arns = [register(registry, ClientToken="run-1") for _ in range(3)]
    assert (arns, register(registry)) == ([f"{PACKAGE_ARN}/1"] * 3, f"{PACKAGE_ARN}/2")


def test_a_token_belongs_to_one_request(registry: InMemory) -> None:
    register(registry, ClientToken="run-1")
    request = package(registry, ClientToken="run-1", ModelPackageDescription="another")
    assert error_of(registry.call, "CreateModelPackage", **request)[0] == "ConflictException"


def test_an_approval_is_kept_with_who_and_when(registry: InMemory) -> None:
    arn = register(registry)
    registry.call(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="good",
    )
    found = describe(registry, arn)
    kept = ("ModelApprovalStatus", "ApprovalDescription", "LastModifiedTime", "LastModifiedBy")
    assert [found.get(key) for key in kept] == [
        "Approved",
        "good",
        datetime.fromtimestamp(START + 3, UTC),
        {"UserProfileName": "local"},
    ]


def test_a_version_without_metadata_is_updated_again_and_again(registry: InMemory) -> None:
    arn = register(registry)
    for status in ("Approved", "Rejected"):
        registry.call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus=status)
    assert describe(registry, arn)["ModelApprovalStatus"] == "Rejected"


def test_metadata_is_merged_and_removed_by_key(registry: InMemory) -> None:
    arn = register(registry, CustomerMetadataProperties={"a": "1", "b": "2"})
    registry.call(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        CustomerMetadataProperties={"b": "3", "c": "4"},
        CustomerMetadataPropertiesToRemove=["a", "z"],
    )
    assert describe(registry, arn)["CustomerMetadataProperties"] == {"b": "3", "c": "4"}


@pytest.mark.parametrize("call", ["DescribeModelPackage", "DeleteModelPackage"])
def test_a_package_that_there_is_not_is_a_validation_error(registry: InMemory, call: str) -> None:
    assert error_of(registry.call, call, ModelPackageName=f"{PACKAGE_ARN}/9") == (
        "ValidationException",
        f"ModelPackage {PACKAGE_ARN}/9 does not exist.",
    )


def listed(registry: InMemory, **request: Any) -> list[str]:
    found = registry.call("ListModelPackages", **request)["ModelPackageSummaryList"]
    return [item["ModelPackageArn"].rpartition(":")[2] for item in found]


def test_versions_are_listed_by_their_group(registry: InMemory) -> None:
    for _ in range(3):
        register(registry)
    found = listed(registry, ModelPackageGroupName="abalone", SortOrder="Descending", MaxResults=2)
    assert found == ["model-package/abalone/3", "model-package/abalone/2"]


def test_versions_are_listed_by_their_approval(registry: InMemory) -> None:
    register(registry)
    approved = register(registry, ModelApprovalStatus="Approved")
    found = listed(registry, ModelPackageGroupName="abalone", ModelApprovalStatus="Approved")
    assert found == [approved.rpartition(":")[2]]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["model-package/alone"]),
        ({"ModelPackageType": "Versioned"}, ["model-package/abalone/1"]),
        ({"ModelPackageType": "Both"}, ["model-package/abalone/1", "model-package/alone"]),
    ],
)
def test_packages_without_a_group_are_listed_apart(
    registry: InMemory, request_: dict[str, Any], expected: list[str]
) -> None:
    register(registry)
    alone = package(registry, ModelPackageName="alone")
    del alone["ModelPackageGroupName"]
    registry.call("CreateModelPackage", **alone)
    assert listed(registry, **request_) == expected


def test_a_group_that_has_versions_cannot_be_deleted(registry: InMemory) -> None:
    register(registry)
    code, _ = error_of(registry.call, "DeleteModelPackageGroup", ModelPackageGroupName="abalone")
    assert code == "ConflictException"


def test_an_empty_group_can_be_deleted(registry: InMemory) -> None:
    registry.call("DeleteModelPackage", ModelPackageName=register(registry))
    registry.call("DeleteModelPackageGroup", ModelPackageGroupName="abalone")
    assert registry.call("ListModelPackageGroups") == {"ModelPackageGroupSummaryList": []}
