"""Versions for tests, as short as they can be written."""

from datetime import UTC, datetime

from include.nacre.registry.version import PENDING, Version

GROUP_ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/abalone"


def version(
    number: int, until: str = "", status: str = PENDING, approval: str = "", **metadata: str
) -> Version:
    return Version(
        arn=f"{GROUP_ARN}/{number}",
        group="abalone",
        number=number,
        status=status,
        created=datetime(2026, 11, number, 6, 30, tzinfo=UTC),
        model_data=f"s3://b/{number}/model.tar.gz",
        approval=approval,
        metadata={"DataUntil": until or "undated", **metadata},
    )
