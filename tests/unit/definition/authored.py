"""Two of the SDK's own pipelines, written in the authoring layer."""

from typing import Any

from include.nacre.definition.authoring import (
    CURRENT_TIME,
    EXECUTION_ARN,
    EXECUTION_ID,
    PIPELINE_NAME,
    START_TIME,
    Boolean,
    CacheConfig,
    Condition,
    ExperimentConfig,
    Fail,
    Float,
    Integer,
    Join,
    Model,
    Pipeline,
    Processing,
    PropertyFile,
    RegisterModel,
    RetryPolicy,
    String,
    Training,
    Transform,
    equals,
    greater_than,
    greater_than_or_equal,
    in_,
    less_than,
    less_than_or_equal,
    not_,
    or_,
    pipeline,
)
from include.nacre.definition.expressions import StepProperty

ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
BUCKET = "amzn-demo-ml-bucket"
ACCOUNT = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
SKLEARN = f"{ACCOUNT}/sagemaker-scikit-learn:0.23-1-cpu-py3"
XGBOOST = f"{ACCOUNT}/sagemaker-xgboost:1.0-1-cpu-py3"
DEMO = "111122223333.dkr.ecr.us-east-1.amazonaws.com/demo:1"
CODE = "/opt/ml/processing/input/code"


def s3_input(name: str, uri: Any, path: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "AppManaged": False,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": path,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


def code(pipeline_name: str, digest: str, script: str) -> dict[str, Any]:
    return s3_input("code", f"s3://{BUCKET}/{pipeline_name}/code/{digest}/{script}", CODE)


def s3_output(name: str, uri: Any) -> dict[str, Any]:
    path = f"/opt/ml/processing/{name}"
    output = {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "AppManaged": False, "S3Output": output}


def run_output(pipeline_name: str, step: str, name: str) -> dict[str, Any]:
    parts = ["s3:/", BUCKET, pipeline_name, EXECUTION_ID, step, "output", name]
    return s3_output(name, Join("/", parts))


def cluster(instance_type: Any, count: Any = 1) -> dict[str, Any]:
    return {
        "ClusterConfig": {
            "InstanceType": instance_type,
            "InstanceCount": count,
            "VolumeSizeInGB": 30,
        }
    }


def s3_source(uri: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {"S3DataSource": {**source, "S3DataDistributionType": "FullyReplicated"}}


def abalone() -> Pipeline:
    """abalone.json: the classic example."""
    count = Integer("ProcessingInstanceCount", 1)
    processing_type = String("ProcessingInstanceType", "ml.m5.xlarge")
    training_type = String("TrainingInstanceType", "ml.m5.xlarge")
    approval = String("ModelApprovalStatus", "PendingManualApproval")
    data = String("InputData", f"s3://{BUCKET}/abalone/abalone-dataset.csv")
    batch = String("BatchData", f"s3://{BUCKET}/abalone/abalone-dataset-batch")

    process = Processing(
        "AbaloneProcess",
        {
            "ProcessingResources": cluster(processing_type, count),
            "AppSpecification": {
                "ImageUri": SKLEARN,
                "ContainerEntrypoint": ["python3", f"{CODE}/preprocessing.py"],
            },
            "RoleArn": ROLE,
            "ProcessingInputs": [
                s3_input("input-1", data, "/opt/ml/processing/input"),
                code(
                    "AbalonePipeline",
                    "c2764c1df4f32b8fcf82ff5898a4bf95139dd22d70e3b31b04913f2e91c5f253",
                    "preprocessing.py",
                ),
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    run_output("AbalonePipeline", "AbaloneProcess", name)
                    for name in ("train", "validation", "test")
                ]
            },
        },
    )
    train = Training("AbaloneTrain", abalone_training(process, training_type))
    evaluate = Processing(
        "AbaloneEval",
        {
            "ProcessingResources": cluster(processing_type),
            "AppSpecification": {
                "ImageUri": XGBOOST,
                "ContainerEntrypoint": ["python3", f"{CODE}/evaluation.py"],
            },
            "RoleArn": ROLE,
            "ProcessingInputs": [
                s3_input(
                    "input-1", train.ModelArtifacts.S3ModelArtifacts, "/opt/ml/processing/model"
                ),
                s3_input("input-2", process.output("test"), "/opt/ml/processing/test"),
                code(
                    "AbalonePipeline",
                    "5c1c4c7d38bf113d9096216eaf819b908d7bb0cb424d40dfa1bfb618786e3c7f",
                    "evaluation.py",
                ),
            ],
            "ProcessingOutputConfig": {
                "Outputs": [run_output("AbalonePipeline", "AbaloneEval", "evaluation")]
            },
        },
        property_files=[PropertyFile("EvaluationReport", "evaluation", "evaluation.json")],
    )
    mse = evaluate.json("EvaluationReport", "regression_metrics.mse.value")
    container = {
        "Image": XGBOOST,
        "Environment": {},
        "ModelDataUrl": train.ModelArtifacts.S3ModelArtifacts,
    }
    model = Model(
        "AbaloneCreateModel-CreateModel",
        {"ExecutionRoleArn": ROLE, "PrimaryContainer": container},
    )
    fork = Condition(
        "AbaloneMSECond",
        [less_than_or_equal(mse, 6.0)],
        if_steps=[
            RegisterModel(
                "AbaloneRegisterModel-RegisterModel",
                abalone_package(evaluate, container, approval),
            ),
            model,
            Transform(
                "AbaloneTransform",
                {
                    "ModelName": model.ModelName,
                    "TransformInput": {
                        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": batch}}
                    },
                    "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/AbaloneTransform"},
                    "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge"},
                },
            ),
        ],
    )
    return pipeline(
        "AbalonePipeline",
        parameters=[count, processing_type, training_type, approval, data, batch],
        steps=[process, train, evaluate, fork],
        experiment=ExperimentConfig(PIPELINE_NAME, EXECUTION_ID),
    )


def abalone_training(process: Processing, instance_type: String) -> dict[str, Any]:
    output = f"s3://{BUCKET}/AbaloneTrain"
    return {
        "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": XGBOOST},
        "OutputDataConfig": {"S3OutputPath": output},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        "ResourceConfig": {
            "VolumeSizeInGB": 30,
            "InstanceCount": 1,
            "InstanceType": instance_type,
        },
        "RoleArn": ROLE,
        "InputDataConfig": [
            {
                "DataSource": s3_source(process.output(name)),
                "ContentType": "text/csv",
                "ChannelName": name,
            }
            for name in ("train", "validation")
        ],
        "HyperParameters": {
            "objective": "reg:linear",
            "num_round": "50",
            "max_depth": "5",
            "eta": "0.2",
            "gamma": "4",
            "min_child_weight": "6",
            "subsample": "0.7",
            "silent": "0",
        },
        "DebugHookConfig": {"S3OutputPath": output, "CollectionConfigurations": []},
        "ProfilerConfig": {"S3OutputPath": output, "DisableProfiler": False},
    }


def abalone_package(evaluate: Processing, container: Any, approval: String) -> dict[str, Any]:
    statistics = Join("/", [evaluate.output("evaluation"), "evaluation.json"])
    return {
        "ModelPackageGroupName": "AbaloneModelPackageGroupName",
        "ModelMetrics": {
            "ModelQuality": {
                "Statistics": {"ContentType": "application/json", "S3Uri": statistics}
            },
            "Bias": {},
            "Explainability": {},
        },
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.t2.medium", "ml.m5.xlarge"],
            "SupportedTransformInstanceTypes": ["ml.m5.xlarge"],
        },
        "ModelApprovalStatus": approval,
        "SkipModelValidation": "None",
    }


# control.json: of its eight steps the layer has all kinds but Tuning, Lambda and Callback.

STAGE = String("Environment", "dev", enum_values=["dev", "stage", "prod"])
PREFIX = String("Prefix", "runs")
MAX_JOBS = Integer("MaxJobs", 6)
AUC_FLOOR = Float("AucFloor", 0.8)
STRICT = Boolean("Strict", default=False)
NOTIFY = String("NotifyAddress")
CONTROL_PARAMETERS = (STAGE, PREFIX, MAX_JOBS, AUC_FLOOR, STRICT, NOTIFY)

TUNE, GATE, APPROVE = (StepProperty(name, ()) for name in ("Tune", "Gate", "Approve"))
RUN_FOLDER = Join("/", ["s3:/", BUCKET, PREFIX, PIPELINE_NAME, START_TIME, EXECUTION_ID])
TUNED_MODEL = Join(
    "/",
    ["s3:/", BUCKET, "models", TUNE.TrainingJobSummaries[0].TrainingJobName, "output/model.tar.gz"],
)
CAPACITY = RetryPolicy(
    ("SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR"), 30, 1.5, max_attempts=10
)
THROTTLING = RetryPolicy(("Step.SERVICE_FAULT", "Step.THROTTLING"), 10, 2.0, expire_after_min=5)
LIMITS = RetryPolicy(("SageMaker.RESOURCE_LIMIT",), 60, 2.0, expire_after_min=120)
NOW = CURRENT_TIME


def prepare() -> Processing:
    return Processing(
        "Prepare",
        {
            "ProcessingResources": cluster("ml.m5.xlarge"),
            "AppSpecification": {
                "ImageUri": DEMO,
                "ContainerArguments": [
                    "--jobs",
                    Join("", [MAX_JOBS]),
                    "--floor",
                    Join("", [AUC_FLOOR]),
                    "--exec",
                    EXECUTION_ARN,
                ],
                "ContainerEntrypoint": ["python3", f"{CODE}/join.py"],
            },
            "RoleArn": ROLE,
            "ProcessingInputs": [
                s3_input("raw", f"s3://{BUCKET}/raw", "/opt/ml/processing/input"),
                code(
                    "ControlPipeline",
                    "d0b76c2d271263aa07bb2bc526eb7a19a20265c936961221dbbe7480d60bf7eb",
                    "join.py",
                ),
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    s3_output(name, Join("/", [RUN_FOLDER, name])) for name in ("data", "hints")
                ]
            },
            "Environment": {"STAGE": STAGE},
        },
        display_name="Prepare data",
        description="writes data and hints.json",
        retry_policies=[THROTTLING, LIMITS, CAPACITY],
        cache=CacheConfig(enabled=True, expire_after="P30D"),
        property_files=[PropertyFile("Suggested", "hints", "hints.json")],
    )


def repack() -> Training:
    output = f"s3://{BUCKET}/pytorch-inference-2026-11-20-22-54-49-112"
    sources = f"s3://{BUCKET}/sagemaker-scikit-learn-2026-11-20-22-54-49-344/source"
    return Training(
        "Register-RepackModel-0",
        {
            "AlgorithmSpecification": {
                "TrainingInputMode": "File",
                "TrainingImage": f"{ACCOUNT}/sagemaker-scikit-learn:1.2-1-cpu-py3",
            },
            "OutputDataConfig": {"S3OutputPath": output},
            "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
            "ResourceConfig": {
                "VolumeSizeInGB": 30,
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
            },
            "RoleArn": ROLE,
            "InputDataConfig": [{"DataSource": s3_source(TUNED_MODEL), "ChannelName": "training"}],
            "HyperParameters": {
                "inference_script": '"inference.py"',
                "model_archive": TUNED_MODEL,
                "dependencies": "null",
                "source_dir": '"torch"',
                "sagemaker_submit_directory": f'"{sources}/sourcedir.tar.gz"',
                "sagemaker_program": '"_repack_script_launcher.sh"',
                "sagemaker_container_log_level": "20",
                "sagemaker_region": '"us-east-1"',
            },
            "DebugHookConfig": {"S3OutputPath": output, "CollectionConfigurations": []},
            "ProfilerConfig": {"DisableProfiler": True},
        },
        description="Used to repack a model with customer scripts for a register/create model step",
        retry_policies=[CAPACITY],
    )


def register(repacked: Training) -> RegisterModel:
    return RegisterModel(
        "Register-RegisterModel",
        {
            "ModelPackageGroupName": "demo-group",
            "CustomerMetadataProperties": {"exec": EXECUTION_ID},
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference"
                        ":2.0.0-cpu-py310",
                        "Environment": {
                            "SAGEMAKER_PROGRAM": "inference.py",
                            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                            "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
                            "SAGEMAKER_REGION": "us-east-1",
                        },
                        "ModelDataUrl": repacked.ModelArtifacts.S3ModelArtifacts,
                        "Framework": "PYTORCH",
                        "FrameworkVersion": "2.0.0",
                    }
                ],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
                "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
                "SupportedTransformInstanceTypes": ["ml.m5.large"],
            },
            "ModelApprovalStatus": "Approved",
            "SkipModelValidation": "None",
        },
        retry_policies=[THROTTLING],
    )


def good_enough() -> Condition:
    auc = TUNE.BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value
    answers = GATE.OutputParameters
    repacked = repack()
    return Condition(
        "GoodEnough",
        [
            greater_than_or_equal(auc, AUC_FLOOR),
            not_(equals(answers["verdict"], "block")),
            or_(
                greater_than(answers["score"], 0.5),
                less_than_or_equal(answers["count"], MAX_JOBS),
                equals(answers["ok"], True),
            ),
            in_(answers["verdict"], ["pass", "warn", Join("-", ["pass", STAGE])]),
            or_(
                equals(APPROVE.OutputParameters["decision"], "approve"),
                not_(
                    or_(
                        in_(STAGE, ["prod", "stage"]),
                        less_than(APPROVE.OutputParameters["weight"], 0.5),
                    )
                ),
            ),
        ],
        if_steps=[repacked, register(repacked)],
        else_steps=[
            Fail(
                "FailAuc",
                Join(
                    " ",
                    ["AUC under", AUC_FLOOR, "in", STAGE, "verdict", answers["verdict"]],
                ),
            )
        ],
        depends_on=["Approve"],
    )
