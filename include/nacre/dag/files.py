"""Files in S3 that steps write for later steps."""

from collections.abc import Callable

from include.nacre.dag.aws import Aws
from include.nacre.dag.patience import CREATE_SECONDS, Patience, aws_errors
from include.nacre.dag.troubles import Trouble, understood
from include.nacre.definition.expressions import EvaluationError, Json
from include.nacre.native.objects import split_s3_uri


def read_json(aws: Aws, uri: str, tell: Callable[[str], None]) -> Json:
    """Return the content of a JSON file in S3; EvaluationError if there is none."""
    bucket, key = _bucket_and_key(uri)
    try:
        return Patience(tell, CREATE_SECONDS).call(lambda: aws.read_json(bucket, key))
    except (ValueError, RecursionError) as error:  # the latter: nested too deep
        raise EvaluationError(f"{uri} is no JSON file: {error}") from None
    except aws_errors() as error:
        said = understood(error)
        if said.trouble is not Trouble.MISSING:
            raise
        raise EvaluationError(
            f"there is no file {uri} ({said.code}): the step that should have written it did not"
        ) from None


def _bucket_and_key(uri: str) -> tuple[str, str]:
    try:
        return split_s3_uri(uri)
    except ValueError as error:
        raise EvaluationError(str(error)) from None
