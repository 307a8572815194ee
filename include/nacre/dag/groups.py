"""Model package groups: the service makes a missing one for a native pipeline; CreateModelPackage
does not.
"""

from collections.abc import Callable, Mapping

from include.nacre.dag.aws import Aws
from include.nacre.dag.patience import Patience, aws_errors
from include.nacre.native.upsert import tag_list


def ensure_group(
    aws: Aws,
    name: str,
    tags: Mapping[str, str],
    patience: Patience,
    tell: Callable[[str], None],
) -> None:
    """Create a model package group, with tags, unless there is one. Safe when others do the
    same.
    """
    if name.startswith("arn:") or _exists(aws, name, patience):
        return
    try:
        patience.call(
            lambda: aws.call(
                "CreateModelPackageGroup", ModelPackageGroupName=name, Tags=tag_list(tags)
            )
        )
    except aws_errors():
        # No code of its own says that somebody else was faster; the group does.
        if not _exists(aws, name, patience):
            raise
    else:
        tell(f"Created model package group {name}")


def _exists(aws: Aws, name: str, patience: Patience) -> bool:
    return patience.call(lambda: aws.describe_group(name)) is not None
