"""What DescribeModelPackage says, as a record; and which version is in production."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from include.nacre.registry.version import (
    APPROVED,
    PENDING,
    REJECTED,
    Version,
    champion,
    read_version,
)
from tests.unit.registry.made import GROUP_ARN, version

CREATED = datetime(2026, 11, 21, tzinfo=UTC)


def test_a_description_becomes_a_version() -> None:
    described = {
        "ModelPackageArn": f"{GROUP_ARN}/3",
        "ModelPackageGroupName": "abalone",
        "ModelPackageVersion": 3,
        "ModelApprovalStatus": "Approved",
        "ApprovalDescription": "Approved by Ada",
        "CreationTime": CREATED,
        "InferenceSpecification": {
            "Containers": [{"Image": "xgboost:3.2-0", "ModelDataUrl": "s3://b/model.tar.gz"}]
        },
        "ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": "s3://b/evaluation.json"}}},
        "CustomerMetadataProperties": {"DataUntil": "2026-11-20"},
    }
    assert read_version(described) == Version(
        arn=f"{GROUP_ARN}/3",
        group="abalone",
        number=3,
        status="Approved",
        created=CREATED,
        image="xgboost:3.2-0",
        model_data="s3://b/model.tar.gz",
        statistics="s3://b/evaluation.json",
        approval="Approved by Ada",
        metadata={"DataUntil": "2026-11-20"},
    )


def test_a_version_of_which_little_is_known_has_empty_fields() -> None:
    found = read_version(
        {
            "ModelPackageArn": f"{GROUP_ARN}/1",
            "ModelPackageGroupName": "abalone",
            "ModelPackageVersion": 1,
            "ModelApprovalStatus": "PendingManualApproval",
            "CreationTime": CREATED,
        }
    )
    assert (found.model_data, found.statistics, found.data_until) == ("", "", "")
    assert (found.name, dict(found.metadata)) == ("abalone/1", {})


def test_a_package_outside_of_a_group_is_no_version() -> None:
    with pytest.raises(ValueError, match="model-package/lonely is no version of a model package"):
        read_version({"ModelPackageArn": "arn:aws:sagemaker:eu:1:model-package/lonely"})


def test_the_champion_is_the_approved_version_with_the_highest_number() -> None:
    versions = [
        version(1, status=APPROVED),
        version(4, status=APPROVED),
        version(5, status=REJECTED),
        version(6, status=PENDING),
    ]
    assert champion(versions) == versions[1]


def test_without_an_approved_version_there_is_no_champion() -> None:
    assert champion([version(1), version(2, status=REJECTED)]) is None


@pytest.mark.parametrize(("said", "expected"), [("2026-11-01", "2026-11-01"), ("undated", "")])
def test_data_ends_with_a_date_or_has_none(said: str, expected: str) -> None:
    assert version(1, said).data_until == expected


def test_a_time_is_told_in_utc_wherever_the_machine_is() -> None:
    described = {
        "ModelPackageArn": f"{GROUP_ARN}/3",
        "ModelPackageGroupName": "abalone",
        "ModelPackageVersion": 3,
        "ModelApprovalStatus": "Approved",
        "CreationTime": CREATED.astimezone(timezone(timedelta(hours=-5))),
    }
    assert f"{read_version(described).created:%Y-%m-%d %H:%M}" == "2026-11-21 00:00"
