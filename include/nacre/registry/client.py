"""The calls to the model registry, and to where the evidence lies. They raise what botocore raises.

Below, `sagemaker` and `s3` are boto3's clients.
"""

import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from include.nacre.registry.quality import Quality, QualityError, read_quality
from include.nacre.registry.version import APPROVED, Version, champion, read_version

Answer = dict[str, Any]

NO_SUCH_NAME = frozenset({"ValidationException", "ResourceNotFound"})
"""How Describe says that nothing has the name: the name is the whole request."""
NO_SUCH_OBJECT = frozenset({"NoSuchKey", "NoSuchBucket", "404"})
PAGE_SIZE = 100
BUCKET_NAME = re.compile(r"[A-Za-z0-9._-]{1,255}")
"""What botocore sends; to anything else it raises an error of its own."""


def describe(sagemaker: Any, arn: str) -> Version:
    """Return a version by its ARN. ValueError if that is no version of a group."""
    return read_version(sagemaker.describe_model_package(ModelPackageName=arn))


def find(sagemaker: Any, arn: str) -> Version | None:
    """Return the version that has an ARN, or None if it is gone."""
    found = _unless_missing(lambda: sagemaker.describe_model_package(ModelPackageName=arn))
    return None if found is None else read_version(found)


def numbered(sagemaker: Any, group: str, number: int) -> Version | None:
    """Return a group's version by its number, or None if there is none."""
    opened = _group(sagemaker, group)
    if opened is None:
        return None
    kind, name = ":model-package-group/", ":model-package/"
    return find(sagemaker, f"{opened['ModelPackageGroupArn'].replace(kind, name)}/{number}")


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


def update(sagemaker: Any, arn: str, status: str, description: str) -> None:
    """Write a version's approval status, and who says so and why."""
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=description
    )


def output_of(sagemaker: Any, job: str, output: str) -> str:
    """Return the address that an output of a processing job was written to; KeyError if the job
    has none of that name.
    """
    described = sagemaker.describe_processing_job(ProcessingJobName=job)
    outputs = described["ProcessingOutputConfig"]["Outputs"]
    return str({item["OutputName"]: item["S3Output"]["S3Uri"] for item in outputs}[output])


def measured(s3: Any, address: str) -> Quality:
    """Return the model quality statistics at an S3 address. QualityError if there are none."""
    if not address:
        raise QualityError("it was registered without model quality statistics")
    try:
        bucket, key = split_address(address)
        content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return read_quality(json.loads(content))
    except ClientError as error:
        if error.response["Error"]["Code"] not in NO_SUCH_OBJECT:
            raise
        raise QualityError(f"{address} does not exist") from error
    except ValueError as error:
        raise QualityError(f"{address} holds no model quality statistics: {error}") from error


def link_to(s3: Any, address: str, seconds: int) -> str:
    """Return a link by which a browser may read an S3 object for so long (a week at most), or as
    long as the credentials last that sign it. ValueError if the address is none.
    """
    bucket, key = split_address(address)
    link: str = s3.generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=seconds
    )
    return link


def split_address(address: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://` address; ValueError if it is none."""
    scheme, _, rest = address.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not BUCKET_NAME.fullmatch(bucket) or not key:
        raise ValueError(f"{address!r} is no address of an S3 object: s3://bucket/key")
    return bucket, key


def _listed(sagemaker: Any, group: str, status: str | None) -> Iterator[Answer]:
    if _group(sagemaker, group) is None:
        return
    request = {"ModelPackageGroupName": group, "SortBy": "CreationTime", "SortOrder": "Descending"}
    if status is not None:
        request["ModelApprovalStatus"] = status
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        **request, PaginationConfig={"PageSize": PAGE_SIZE}
    )
    for page in pages:
        yield from page["ModelPackageSummaryList"]


def _group(sagemaker: Any, name: str) -> Answer | None:
    return _unless_missing(
        lambda: sagemaker.describe_model_package_group(ModelPackageGroupName=name)
    )


def _unless_missing(call: Callable[[], Answer]) -> Answer | None:
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in NO_SUCH_NAME:
            return None
        raise
