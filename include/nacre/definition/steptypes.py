"""What differs between step types, as one table (sections 4, 5, 7 and 8 of the reference).

A type's `Arguments` are mostly the request of one AWS operation, less what the service fills in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Retries(Enum):
    """Which `RetryPolicies` a step type takes."""

    NONE = "none"
    STEP_ERRORS = "only exceptions of the Step. kind"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Operation:
    """The AWS operation that a step's `Arguments` are the request of.

    `name_key` is the name that the service gives the thing when the request has none; `excluded`
    are members of the request that a definition cannot set.
    """

    service: str
    name: str
    name_key: str | None = None
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepType:
    """What the language says about one step type.

    `keys` and `argument_keys` map the keys beside and inside `Arguments` to whether they are
    required; `argument_keys` is None where the arguments are a request or a map of one's own.
    `cached_by` are the paths, in the arguments or beside them, whose values decide whether an
    earlier run's result is reused; without any, none is. `echoed` are the lists of the request
    whose elements the Describe response repeats.
    """

    name: str
    operation: Operation | None = None
    keys: Mapping[str, bool] = field(default_factory=dict)
    argument_keys: Mapping[str, bool] | None = None
    cacheable: bool = False
    cached_by: tuple[str, ...] = ()
    retries: Retries = Retries.NONE
    arguments_required: bool = True
    echoed: tuple[str, ...] = ()


def _sagemaker(name: str, name_key: str | None = None, *excluded: str) -> Operation:
    return Operation("sagemaker", name, name_key, excluded)


_CHECK_KEYS = {
    "CheckType": True,
    "SkipCheck": False,
    "FailOnViolation": False,
    "RegisterNewBaseline": False,
    "ModelPackageGroupName": False,
    "SuppliedBaselineConstraints": False,
}
_PROCESSING = _sagemaker("CreateProcessingJob", "ProcessingJobName")
_PROCESSING_SIGNATURE = ("AppSpecification", "Environment", "ProcessingInputs")
_PROCESSING_LISTS = ("ProcessingInputs", "ProcessingOutputConfig.Outputs")
# "Check and job configuration", says the reference.
_CHECK_SIGNATURE = (
    *_PROCESSING_SIGNATURE,
    "CheckType",
    "SkipCheck",
    "RegisterNewBaseline",
    "ModelPackageGroupName",
    "SuppliedBaselineConstraints",
)

_TYPES = (
    StepType(
        "Processing",
        _PROCESSING,
        keys={"PropertyFiles": False},
        cacheable=True,
        cached_by=_PROCESSING_SIGNATURE,
        retries=Retries.ALL,
        echoed=_PROCESSING_LISTS,
    ),
    StepType(
        "Training",
        _sagemaker("CreateTrainingJob", "TrainingJobName"),
        cacheable=True,
        cached_by=(
            "AlgorithmSpecification",
            "CheckpointConfig",
            "DebugHookConfig",
            "DebugRuleConfigurations",
            "Environment",
            "HyperParameters",
            "InputDataConfig",
        ),
        retries=Retries.ALL,
        echoed=("InputDataConfig",),
    ),
    StepType(
        "Tuning",
        _sagemaker("CreateHyperParameterTuningJob", "HyperParameterTuningJobName"),
        cacheable=True,
        cached_by=(
            "HyperParameterTuningJobConfig",
            "TrainingJobDefinition.AlgorithmSpecification",
            "TrainingJobDefinition.HyperParameterRanges",
            "TrainingJobDefinition.InputDataConfig",
            "TrainingJobDefinition.StaticHyperParameters",
            "TrainingJobDefinition.TuningObjective",
            "TrainingJobDefinitions",
        ),
        retries=Retries.ALL,
    ),
    StepType(
        "Transform",
        _sagemaker("CreateTransformJob", "TransformJobName"),
        cacheable=True,
        cached_by=("DataProcessing", "Environment", "ModelName", "TransformInput"),
        retries=Retries.ALL,
    ),
    StepType(
        "AutoML",
        _sagemaker(
            "CreateAutoMLJob",
            "AutoMLJobName",
            "ModelDeployConfig",
            "GenerateCandidateDefinitionsOnly",
        ),
        cacheable=True,
        cached_by=(
            "AutoMLJobConfig.CompletionCriteria",
            "AutoMLJobConfig.CandidateGenerationConfig",
            "AutoMLJobConfig.DataSplitConfig",
            "AutoMLJobConfig.Mode",
            "AutoMLJobObjective",
            "InputDataConfig",
            "ProblemType",
        ),
        retries=Retries.ALL,
    ),
    StepType("Model", _sagemaker("CreateModel", "ModelName"), retries=Retries.STEP_ERRORS),
    StepType(
        "RegisterModel",
        _sagemaker("CreateModelPackage", "ModelPackageName", "CertifyForMarketplace"),
        retries=Retries.STEP_ERRORS,
    ),
    StepType("Condition", argument_keys={"Conditions": True, "IfSteps": False, "ElseSteps": False}),
    StepType("Fail", argument_keys={"ErrorMessage": True}),
    StepType(
        "Lambda",
        keys={"FunctionArn": True, "OutputParameters": False},
        cacheable=True,
        arguments_required=False,
    ),
    StepType(
        "Callback",
        keys={"SqsQueueUrl": True, "OutputParameters": False},
        cacheable=True,
        arguments_required=False,
    ),
    StepType(
        "ClarifyCheck",
        _PROCESSING,
        keys={**_CHECK_KEYS, "ModelName": False},
        cacheable=True,
        cached_by=_CHECK_SIGNATURE,
        echoed=_PROCESSING_LISTS,
    ),
    StepType(
        "QualityCheck",
        _PROCESSING,
        keys={**_CHECK_KEYS, "SuppliedBaselineStatistics": False},
        cacheable=True,
        cached_by=(*_CHECK_SIGNATURE, "SuppliedBaselineStatistics"),
        echoed=_PROCESSING_LISTS,
    ),
    StepType(
        "EMR",
        argument_keys={
            "StepConfig": True,
            "ClusterId": False,
            "ClusterConfig": False,
            "ExecutionRoleArn": False,
        },
        cacheable=True,
        cached_by=("ClusterId", "StepConfig"),
        retries=Retries.ALL,
    ),
    StepType(
        "EMRServerless",
        argument_keys={
            "ExecutionRoleArn": True,
            "JobConfig": True,
            "ApplicationId": False,
            "ApplicationConfig": False,
        },
        cacheable=True,
        retries=Retries.ALL,
    ),
    StepType(
        "EndpointConfig",
        _sagemaker("CreateEndpointConfig"),
        cacheable=True,
        retries=Retries.ALL,
    ),
    StepType("Endpoint", _sagemaker("CreateEndpoint"), cacheable=True),
    StepType("InferenceComponent", _sagemaker("CreateInferenceComponent")),
    StepType(
        "Lineage",
        argument_keys={
            "Actions": False,
            "Artifacts": False,
            "Contexts": False,
            "Associations": False,
        },
    ),
    StepType("Job", _sagemaker("CreateJob", "JobName"), cacheable=True, retries=Retries.ALL),
    StepType(
        "ForEach",
        argument_keys={
            "IterableItems": True,
            "ForEachBody": True,
            "MaxConcurrency": False,
            "Selector": False,
        },
    ),
    StepType("Cleanup", argument_keys={"Resources": True}),
)

STEP_TYPES: Mapping[str, StepType] = {item.name: item for item in _TYPES}

COMMON_KEYS = ("Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description")

# The service lists steps of these kinds in its executions, but no SDK can write them and their
# form in a definition is not published.
UNPUBLISHED_TYPES = frozenset(
    {
        "Athena",
        "HubContent",
        "BedrockCustomModel",
        "BedrockCustomModelDeployment",
        "BedrockProvisionedModelThroughput",
        "BedrockModelImport",
    }
)

RETRY_EXCEPTIONS = (
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
    "Emr.RESOURCE_LIMIT",
)

# What an author calls a step class, by the type that the definition has for it.
SDK_CLASSES: Mapping[str, str] = {
    "NotebookJob": "Training",
    "MonitorBatchTransform": "Transform and QualityCheck or ClarifyCheck",
    "EstimatorTransformer": "Model and Transform",
    "CreateModel": "Model",
}
