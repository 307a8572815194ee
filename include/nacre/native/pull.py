"""The definition of a pipeline that the account has already."""

from dataclasses import dataclass
from typing import Any

EXECUTION = "/execution/"
"""What stands in the ARN of an execution, between the pipeline's name and the execution's id."""


@dataclass(frozen=True)
class Pulled:
    """A definition as the service has it, and the pipeline's name."""

    name: str
    definition: str


def pull(sagemaker: Any, wanted: str) -> Pulled:
    """Return the definition of a pipeline (its name or ARN), or the one that an execution ran
    (its ARN). Raises what botocore raises.
    """
    if EXECUTION in wanted:
        answer = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=wanted)
        return Pulled(pipeline_name(wanted), str(answer["PipelineDefinition"]))
    answer = sagemaker.describe_pipeline(PipelineName=wanted)
    return Pulled(str(answer["PipelineName"]), str(answer["PipelineDefinition"]))


def pipeline_name(arn: str) -> str:
    """Return the name in the ARN of a pipeline or an execution.

    The service writes names in ARNs in lower case, and takes them in any.
    """
    return arn.partition(":pipeline/")[2].partition("/")[0]


def execution_id(arn: str) -> str:
    """Return the id in the ARN of an execution."""
    return arn.rpartition("/")[2]
