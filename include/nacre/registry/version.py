"""A version of a model: what the registry says of it, and which one of several is meant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

PENDING, APPROVED, REJECTED = "PendingManualApproval", "Approved", "Rejected"

# Keys of the customer metadata that a pipeline of ours leaves at its versions.
DATA_UNTIL = "DataUntil"
"""The last partition of the data that the version was trained on; `undated` without dates."""
TEST_ROWS = "TestRows"
"""The address of its test rows as they were, before any preprocessor."""
PREPROCESSOR = "Preprocessor"
"""The address of what rows must pass before the model sees them."""
PICTURE = "EvaluationPicture"
"""The address of a picture that shows how well it predicts its test rows."""
SPLIT_SEED = "SplitSeed"
"""Which rows are test rows: those of equal seeds are so in both versions."""


@dataclass(frozen=True)
class Version:
    """A model package of a group, as DescribeModelPackage knows it."""

    arn: str
    group: str
    number: int
    status: str
    """One of PENDING, APPROVED, REJECTED."""
    created: datetime
    image: str = ""
    """What serves it, and with `model_data` what CreateModel takes."""
    model_data: str = ""
    """The address of model.tar.gz."""
    statistics: str = ""
    """The address of its model quality statistics, "" if it has none."""
    approval: str = ""
    """The ApprovalDescription: who decided, and why."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The CustomerMetadataProperties."""

    @property
    def name(self) -> str:
        """What people call it: `abalone/3`."""
        return f"{self.group}/{self.number}"

    @property
    def data_until(self) -> str:
        """The date of the newest partition that it was trained on, "" if its data has no dates, or
        if what stands there is none: such versions are neither older nor newer than others.
        """
        try:
            return date.fromisoformat(self.metadata.get(DATA_UNTIL, "")).isoformat()
        except ValueError:
            return ""


def read_version(described: Mapping[str, Any]) -> Version:
    """Return the version in a DescribeModelPackage response. ValueError if it is in no group."""
    if "ModelPackageVersion" not in described:
        raise ValueError(f"{described['ModelPackageArn']} is no version of a model package group")
    containers = described.get("InferenceSpecification", {}).get("Containers", [])
    container = containers[0] if containers else {}
    quality = described.get("ModelMetrics", {}).get("ModelQuality", {})
    return Version(
        arn=described["ModelPackageArn"],
        group=described["ModelPackageGroupName"],
        number=described["ModelPackageVersion"],
        status=described["ModelApprovalStatus"],
        # botocore gives the time in the machine's own zone.
        created=described["CreationTime"].astimezone(UTC),
        image=container.get("Image", ""),
        model_data=container.get("ModelDataUrl", ""),
        statistics=quality.get("Statistics", {}).get("S3Uri", ""),
        approval=described.get("ApprovalDescription", ""),
        metadata=described.get("CustomerMetadataProperties", {}),
    )


def champion(versions: Iterable[Version]) -> Version | None:
    """Return the version in production: the newest of the approved ones. None if there is none.

    To go back to the one before, reject this one.
    """
    approved = [version for version in versions if version.status == APPROVED]
    return max(approved, key=lambda version: version.number, default=None)
