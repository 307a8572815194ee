"""Where a pipeline's jobs run and keep their files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.nacre.definition.authoring import EXECUTION_ID, Asset, Join
from include.pipelines.images import image_uri

# What the environment may set, and what holds where it is silent: the local SageMaker, which has
# moto's account and the SDK's name for a default bucket.
ENVIRONMENT = {
    "role": ("SAGEMAKER_ROLE_ARN", "arn:aws:iam::123456789012:role/SageMakerExecutionRole"),
    "bucket": ("SAGEMAKER_BUCKET", "sagemaker-us-east-1-123456789012"),
    "region": ("AWS_DEFAULT_REGION", "us-east-1"),
}


@dataclass(frozen=True)
class Site:
    """The execution role, the bucket, the region; `prefix` is the pipeline's folder there."""

    role: str
    bucket: str
    region: str
    prefix: str

    def image(self, name: str) -> str:
        """The address of one of SageMaker's images (see images.py)."""
        return image_uri(name, self.region)

    def code(self, script: Asset) -> str:
        """Where a script lies: equal scripts share an address, and none is ever overwritten."""
        return script.uri(f"s3://{self.bucket}/{self.prefix}")

    def prefix_of(self, key: str) -> str:
        """The address of a key's folder; its slash keeps neighbours (`raw2/`) out of it."""
        return f"s3://{self.bucket}/{key.rpartition('/')[0]}/"

    def folder(self, *names: Any) -> Join:
        """An address of this run's own, so that runs and backfills never overwrite each other."""
        return Join("/", [f"s3://{self.bucket}/{self.prefix}/runs", EXECUTION_ID, *names])


def find_site(environment: Mapping[str, str], prefix: str, **given: str | None) -> Site:
    """What is given (`role`, `bucket`, `region`), else what the environment says, else local."""
    found = {
        name: given.get(name) or environment.get(variable) or default
        for name, (variable, default) in ENVIRONMENT.items()
    }
    return Site(prefix=prefix, **found)
