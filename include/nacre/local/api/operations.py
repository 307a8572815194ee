"""The table of operations: what the local SageMaker runs, by the service's own names."""

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType

from include.nacre.local.api import jobs, models, packages, search, tags
from include.nacre.local.jobrecord import KINDS
from include.nacre.local.protocol.core import Operation, Request, Response
from include.nacre.local.world import World

_OPERATIONS: Mapping[str, Callable[[World, Request], Response]] = MappingProxyType(
    {
        "CreateModel": models.create_model,
        "DescribeModel": models.describe_model,
        "ListModels": models.list_models,
        "DeleteModel": models.delete_model,
        "CreateModelPackageGroup": packages.create_group,
        "DescribeModelPackageGroup": packages.describe_group,
        "ListModelPackageGroups": packages.list_groups,
        "DeleteModelPackageGroup": packages.delete_group,
        "CreateModelPackage": packages.create_package,
        "DescribeModelPackage": packages.describe_package,
        "ListModelPackages": packages.list_packages,
        "UpdateModelPackage": packages.update_package,
        "DeleteModelPackage": packages.delete_package,
        "AddTags": tags.add_tags,
        "ListTags": tags.list_tags,
        "DeleteTags": tags.delete_tags,
        "Search": search.search,
    }
)


def operations(world: World) -> Mapping[str, Operation]:
    """Every operation, bound to the world that it acts on."""
    table = {name: functools.partial(run, world) for name, run in _OPERATIONS.items()}
    for kind in KINDS.values():
        table[f"Create{kind.word}Job"] = functools.partial(jobs.create_job, world, kind)
        table[f"Describe{kind.word}Job"] = functools.partial(jobs.describe_job, world, kind)
        table[f"List{kind.word}Jobs"] = functools.partial(jobs.list_jobs, world, kind)
        table[f"Stop{kind.word}Job"] = functools.partial(jobs.stop_job, world, kind)
    return table
