"""Models of versions: what SageMaker's jobs name when they predict with a version.

A version is served by a model resource that names it (`ModelPackageName`). It is made when a
version is first used, under a name that follows from the version, and removed when another one is
in production and no job uses it. Only what carries the tags of this installation and group is ever
removed.

The calls raise what botocore raises.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from botocore.exceptions import ClientError

from include.nacre.registry.version import Version

INSTALLATION_TAG = "nacre:installation"
VERSION_TAG = "nacre:model-version"

NO_SUCH_MODEL = frozenset({"ValidationException", "ResourceNotFound"})
"""How Describe and Delete say that nothing has the name: the name is the whole request."""
UNFINISHED = ("InProgress", "Stopping")
_GROUP_LENGTH, _DIGEST_LENGTH = 40, 10


@dataclass(frozen=True)
class Removal:
    """What became of the models that are not in production any more, by name."""

    removed: tuple[str, ...]
    in_use: tuple[str, ...]
    """Those that stay, as a transform job still predicts with them."""


@dataclass(frozen=True)
class Models:
    """The models that one installation keeps for the versions of a group.

    `sagemaker` is boto3's client; `installation` tells apart who shares an account.
    """

    sagemaker: Any
    group: str
    installation: str

    def name_of(self, version: Version) -> str:
        """Return the name of a version's model: `abalone-v3-` and a digest.

        A group that was deleted and made anew counts from 1 again: the digest tells its versions
        from the earlier ones.
        """
        made = version.created.astimezone(UTC).isoformat()
        text = json.dumps([self.installation, version.arn, made])
        digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]
        return f"{self._beginning}{version.number}-{digest}"

    def ensure(self, version: Version, role: str) -> tuple[str, bool]:
        """Make a version's model unless there is one. Safe when others do the same.

        `role` is the ARN of the role that its containers run with. Returns the model's name, and
        whether it was made now.
        """
        name = self.name_of(version)
        if self._exists(name):
            return name, False
        tags = {INSTALLATION_TAG: self.installation, VERSION_TAG: version.arn}
        try:
            self.sagemaker.create_model(
                ModelName=name,
                ExecutionRoleArn=role,
                PrimaryContainer={"ModelPackageName": version.arn},
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
        except ClientError:
            # No code of its own says that somebody else was faster; the model does.
            if self._exists(name):
                return name, False
            raise
        return name, True

    def remove_unused(self, kept: str) -> Removal:
        """Delete this installation's models of the group but `kept` and those in use by a job."""
        others = [name for name in self._ours() if name != kept]
        used = set(self._used()) if others else set()
        removed = [name for name in others if name not in used]
        for name in removed:
            self._delete(name)
        return Removal(tuple(removed), tuple(name for name in others if name in used))

    @property
    def _beginning(self) -> str:
        return f"{self.group[:_GROUP_LENGTH].rstrip('-')}-v"

    def _exists(self, name: str) -> bool:
        try:
            self.sagemaker.describe_model(ModelName=name)
        except ClientError as error:
            if _code(error) in NO_SUCH_MODEL:
                return False
            raise
        return True

    def _delete(self, name: str) -> None:
        try:
            self.sagemaker.delete_model(ModelName=name)
        except ClientError as error:
            if _code(error) not in NO_SUCH_MODEL:  # somebody else was faster
                raise

    def _ours(self) -> Iterator[str]:
        """The names of our models, the newest first. Names alone prove nothing: tags decide."""
        pages = self.sagemaker.get_paginator("list_models").paginate(NameContains=self._beginning)
        for page in pages:
            for model in page["Models"]:
                if self._is_ours(self._tags(model["ModelArn"])):
                    yield model["ModelName"]

    def _is_ours(self, tags: Mapping[str, str]) -> bool:
        # An ARN has the group's name in lower case.
        of_group = f":model-package/{self.group}/".lower()
        return tags.get(INSTALLATION_TAG) == self.installation and of_group in tags.get(
            VERSION_TAG, ""
        )

    def _tags(self, arn: str) -> dict[str, str]:
        pages = self.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}

    def _used(self) -> Iterator[str]:
        """The models of all transform jobs that have not ended. List does not tell them."""
        for status in UNFINISHED:
            pages = self.sagemaker.get_paginator("list_transform_jobs")
            for page in pages.paginate(StatusEquals=status):
                for job in page["TransformJobSummaries"]:
                    described = self.sagemaker.describe_transform_job(
                        TransformJobName=job["TransformJobName"]
                    )
                    yield described["ModelName"]


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
