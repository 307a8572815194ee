"""Files in S3: the JSON files that steps write for later steps, and the scripts that jobs need."""

from collections.abc import Callable, Mapping
from functools import partial

from include.nacre.dag.aws import Aws
from include.nacre.dag.patience import CREATE_SECONDS, Patience, aws_errors
from include.nacre.dag.troubles import Trouble, understood
from include.nacre.definition.expressions import EvaluationError, Json
from include.nacre.definition.records import Asset


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Return (bucket, key) of `s3://bucket/key`."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key:
        raise EvaluationError(f"{uri!r} is no address of an object in S3")
    return bucket, key


def read_json(aws: Aws, uri: str, tell: Callable[[str], None]) -> Json:
    """Return the content of a JSON file in S3; EvaluationError if there is none."""
    bucket, key = split_s3_uri(uri)
    try:
        return Patience(tell, CREATE_SECONDS).call(lambda: aws.read_json(bucket, key))
    except ValueError as error:
        raise EvaluationError(f"{uri} is no JSON file: {error}") from None
    except aws_errors() as error:
        said = understood(error)
        if said.trouble is not Trouble.MISSING:
            raise
        raise EvaluationError(
            f"there is no file {uri} ({said.code}): the step that should have written it did not"
        ) from None


def upload_missing(
    aws: Aws, assets: Mapping[str, Asset], patience: Patience, tell: Callable[[str], None]
) -> None:
    """Upload the assets, by their addresses, that S3 does not hold yet."""
    for uri, asset in assets.items():
        if patience.call(partial(_upload, aws, uri, asset)):
            tell(f"Uploaded {asset.name} ({len(asset.content):,} bytes) to {uri}")


def _upload(aws: Aws, uri: str, asset: Asset) -> bool:
    bucket, key = split_s3_uri(uri)
    return aws.put_if_missing(bucket, key, asset.content)
