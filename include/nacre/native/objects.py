"""Objects in S3: what pipelines need there, uploaded once."""

from collections.abc import Callable, Mapping
from typing import Any

from include.nacre.definition.records import Asset
from include.nacre.native.clients import code_of

NOT_THERE = "404"
"""How S3 answers a HEAD of a missing object: it has no body that a code could be in."""


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Return (bucket, key) of `s3://bucket/key`; ValueError if it is no object's address."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key:
        raise ValueError(f"{uri!r} is no address of an object in S3")
    return bucket, key


def put_if_missing(s3: Any, uri: str, content: bytes) -> bool:
    """Upload an object, unless the address has one already. Returns whether it was uploaded."""
    from botocore.exceptions import ClientError

    bucket, key = split_s3_uri(uri)
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if code_of(error) != NOT_THERE:
            raise
        s3.put_object(Bucket=bucket, Key=key, Body=content)
        return True
    return False


def upload_missing(s3: Any, assets: Mapping[str, Asset], tell: Callable[[str], None]) -> None:
    """Upload the assets, by their addresses, that S3 does not hold yet."""
    for uri, asset in assets.items():
        if put_if_missing(s3, uri, asset.content):
            tell(f"Uploaded {asset.name} ({len(asset.content):,} bytes) to {uri}")
