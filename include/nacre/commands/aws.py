"""AWS as the command line reaches it: boto3's own settings, and errors in words."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from include.nacre.commands.command import CommandError

if TYPE_CHECKING:
    from include.nacre.native.clients import Clients


def implied_region() -> dict[str, str]:
    """Return the region of boto3's settings (environment, profile), if they have one."""
    import botocore.session

    with explained():
        region = botocore.session.Session().get_config_variable("region")
    return {"region": str(region)} if region else {}


def clients(options: argparse.Namespace) -> "Clients":
    """Return the clients of the account and region that boto3's settings say."""
    import boto3

    from include.nacre.native.clients import Clients

    with explained():
        session = boto3.Session(region_name=options.region)
        try:
            return Clients(session.client("sagemaker"), session.client("s3"))
        except ValueError as error:  # an endpoint that is no URL
            raise CommandError(f"{error}: see AWS_ENDPOINT_URL and the profile") from error


@contextmanager
def explained() -> Iterator[None]:
    """Raise what AWS refuses, or what hinders us to ask it, as a CommandError."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        refused = error.response.get("Error", {})
        raise CommandError(
            f"{error.operation_name}: {refused.get('Code', '')}: {refused.get('Message', '')}"
        ) from error
    except BotoCoreError as error:
        raise CommandError(f"{str(error).rstrip('.')}. {_advice(error)}".rstrip()) from error


def _advice(error: Exception) -> str:
    url = getattr(error, "kwargs", {}).get("endpoint_url") or ""
    if urlsplit(url).hostname in _LOOPBACK:
        return "Is the local SageMaker (make local) running there?"
    return _ADVICE.get(type(error).__name__, "")


_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# By the names of botocore's exceptions.
_ADVICE = {
    "NoRegionError": "Give --region, or set AWS_DEFAULT_REGION.",
    "NoCredentialsError": "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
}
