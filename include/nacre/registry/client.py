"""The calls to the model registry. They raise what botocore raises."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from include.nacre.registry.version import APPROVED, Version, champion, read_version

NO_SUCH_GROUP = frozenset({"ValidationException", "ResourceNotFound"})
"""How Describe says that nothing has the name: the name is the whole request."""
PAGE_SIZE = 100


def describe(sagemaker: Any, arn: str) -> Version:
    """Return a version by its ARN. ValueError if that is no version of a group."""
    return read_version(sagemaker.describe_model_package(ModelPackageName=arn))


def versions(
    sagemaker: Any, group: str, status: str | None = None, limit: int | None = None
) -> list[Version]:
    """Return the versions of a group, the newest first: those of one approval status, if that is
    given, and no more than `limit`. A group that does not exist has none.

    Each costs a call: List does not tell the metadata.
    """
    found = islice(_listed(sagemaker, group, status), limit)
    return [describe(sagemaker, summary["ModelPackageArn"]) for summary in found]


def latest_approved(sagemaker: Any, group: str) -> Version | None:
    """Return the group's champion (see `champion`), or None."""
    return champion(versions(sagemaker, group, status=APPROVED, limit=1))


def _listed(sagemaker: Any, group: str, status: str | None) -> Iterator[dict[str, Any]]:
    if not _exists(sagemaker, group):
        return
    request = {"ModelPackageGroupName": group, "SortBy": "CreationTime", "SortOrder": "Descending"}
    if status is not None:
        request["ModelApprovalStatus"] = status
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        **request, PaginationConfig={"PageSize": PAGE_SIZE}
    )
    for page in pages:
        yield from page["ModelPackageSummaryList"]


def _exists(sagemaker: Any, group: str) -> bool:
    try:
        sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    except ClientError as error:
        if error.response["Error"]["Code"] in NO_SUCH_GROUP:
            return False
        raise
    return True
