"""The table of operations: what the local SageMaker runs, by the service's own names."""

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType

from include.nacre.local.api import (
    callbacks,
    execution_steps,
    executions,
    jobs,
    models,
    packages,
    pipelines,
    search,
    tags,
    versions,
)
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
        "CreatePipeline": pipelines.create_pipeline,
        "UpdatePipeline": pipelines.update_pipeline,
        "DescribePipeline": pipelines.describe_pipeline,
        "ListPipelines": pipelines.list_pipelines,
        "DeletePipeline": pipelines.delete_pipeline,
        "ListPipelineVersions": versions.list_versions,
        "UpdatePipelineVersion": versions.update_version,
        "StartPipelineExecution": executions.start_execution,
        "StopPipelineExecution": executions.stop_execution,
        "RetryPipelineExecution": executions.retry_execution,
        "DescribePipelineExecution": executions.describe_execution,
        "UpdatePipelineExecution": executions.update_execution,
        "ListPipelineExecutions": executions.list_executions,
        "ListPipelineExecutionSteps": execution_steps.list_steps,
        "ListPipelineParametersForExecution": execution_steps.list_parameters,
        "DescribePipelineDefinitionForExecution": execution_steps.describe_definition,
        "SendPipelineExecutionStepSuccess": callbacks.send_success,
        "SendPipelineExecutionStepFailure": callbacks.send_failure,
        "AddTags": tags.add_tags,
        "ListTags": tags.list_tags,
        "DeleteTags": tags.delete_tags,
        "Search": search.search,
    }
)


# The service has no such call for transform jobs.
_DELETABLE = ("Training", "Processing")


def operations(world: World) -> Mapping[str, Operation]:
    """Every operation, bound to the world that it acts on."""
    table = {name: functools.partial(run, world) for name, run in _OPERATIONS.items()}
    for kind in KINDS.values():
        table[f"Create{kind.word}Job"] = functools.partial(jobs.create_job, world, kind)
        table[f"Describe{kind.word}Job"] = functools.partial(jobs.describe_job, world, kind)
        table[f"List{kind.word}Jobs"] = functools.partial(jobs.list_jobs, world, kind)
        table[f"Stop{kind.word}Job"] = functools.partial(jobs.stop_job, world, kind)
        if kind.word in _DELETABLE:
            table[f"Delete{kind.word}Job"] = functools.partial(jobs.delete_job, world, kind)
    return table
