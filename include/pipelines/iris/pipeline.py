"""The iris pipeline: split, train by a script, serve by a script, score, evaluate, register.

A straight line: no condition, every step follows the one before. `get_pipeline()` is its
definition in the language that SageMaker reads: `json.dumps` of it is what the service takes.
docs/iris.md explains it.
"""

import os
from pathlib import Path

from include.nacre.definition.authoring import (
    Asset,
    Float,
    Integer,
    Join,
    Model,
    Pipeline,
    Processing,
    RegisterModel,
    String,
    Training,
    Transform,
    pipeline,
)
from include.pipelines.images import SCIKIT_LEARN
from include.pipelines.requests import (
    EVALUATION,
    csv_channel,
    model_quality,
    script_environment,
    script_job,
    script_mode,
    training_job,
)
from include.pipelines.site import Site, find_site
from include.pipelines.sources import source_archive

PREFIX = "iris"
RAW_KEY = f"{PREFIX}/raw/iris.csv"
MODEL_PACKAGE_GROUP = "iris"

PROCESSING_INSTANCE_TYPE = String(
    "ProcessingInstanceType",
    "ml.m5.large",
    description="What the split and the evaluation run on",
)
TRAINING_INSTANCE_TYPE = String(
    "TrainingInstanceType",
    "ml.m5.large",
    description="What training and batch transform run on",
)
TEST_SHARE = Float("TestShare", 0.3, description="Which share of the rows is for the test")
RANDOM_STATE = Integer("RandomState", 0, description="Of the split and of the forest")
N_ESTIMATORS = Integer("NEstimators", 100, description="How many trees the forest has")
MAX_DEPTH = Integer("MaxDepth", 5, description="How many splits deep a tree may be")
MODEL_APPROVAL_STATUS = String(
    "ModelApprovalStatus",
    "PendingManualApproval",
    enum_values=("PendingManualApproval", "Approved", "Rejected"),
    description="Of the model version that is registered",
)


def get_pipeline(
    *, role: str | None = None, bucket: str | None = None, region: str | None = None
) -> Pipeline:
    """The pipeline for an execution role, bucket and region.

    By default they are the environment's (`SAGEMAKER_ROLE_ARN`, `SAGEMAKER_BUCKET`,
    `AWS_DEFAULT_REGION`), and where it is silent the local SageMaker's.
    """
    site = find_site(os.environ, PREFIX, role=role, bucket=bucket, region=region)
    input_data = String(
        "InputData", site.prefix_of(RAW_KEY), description="S3 prefix of the labelled rows"
    )
    preprocess, evaluate = (Asset(name, script(name)) for name in ("preprocess.py", "evaluate.py"))
    source = source_archive({name: script(name) for name in ("train.py", "inference.py")})

    process = split_data(site, preprocess, input_data)
    train = train_model(site, source, process)
    container = {
        "Image": site.image(SCIKIT_LEARN),
        "ModelDataUrl": train.ModelArtifacts.S3ModelArtifacts,
        "Environment": script_environment(site, source, "inference.py"),
    }
    model = Model("IrisCreateModel", {"ExecutionRoleArn": site.role, "PrimaryContainer": container})
    transform = score_test_rows(site, process, model)
    evaluation = evaluate_predictions(site, evaluate, transform)
    return pipeline(
        "IrisPipeline",
        parameters=[
            PROCESSING_INSTANCE_TYPE,
            TRAINING_INSTANCE_TYPE,
            input_data,
            TEST_SHARE,
            RANDOM_STATE,
            N_ESTIMATORS,
            MAX_DEPTH,
            MODEL_APPROVAL_STATUS,
        ],
        steps=[
            process,
            train,
            model,
            transform,
            evaluation,
            register_model(container, evaluation, input_data),
        ],
        assets={site.code(item): item for item in (preprocess, evaluate, source)},
    )


# The steps. Each holds the body of the boto3 call that its name says, less the job's name.


def split_data(site: Site, code: Asset, input_data: String) -> Processing:
    request = script_job(
        site,
        "IrisProcess",
        code,
        image=SCIKIT_LEARN,
        inputs={"raw": input_data},
        outputs=["train", "test"],
        instance_type=PROCESSING_INSTANCE_TYPE,
        arguments=["--test-share", text(TEST_SHARE), "--random-state", text(RANDOM_STATE)],
    )
    return Processing("IrisProcess", request, description="Check the rows, split them")


def train_model(site: Site, source: Asset, process: Processing) -> Training:
    # Those without the prefix `sagemaker_` become options of the program.
    hyperparameters = {
        "n-estimators": text(N_ESTIMATORS),
        "max-depth": text(MAX_DEPTH),
        "random-state": text(RANDOM_STATE),
        **script_mode(site, source, "train.py"),
    }
    request = training_job(
        site,
        "IrisTrain",
        image=SCIKIT_LEARN,
        hyperparameters=hyperparameters,
        channels=[csv_channel("train", process)],
        instance_type=TRAINING_INSTANCE_TYPE,
        metrics={"oob_accuracy": "oob_accuracy=([0-9.]+);"},
    )
    return Training("IrisTrain", request, description="A random forest, by train.py")


def score_test_rows(site: Site, process: Processing, model: Model) -> Transform:
    """Each test row, its species first, then the predicted species and its probability."""
    source = {"S3DataType": "S3Prefix", "S3Uri": process.output("test")}
    request = {
        "ModelName": model.ModelName,
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        # The model sees all but the label; the whole row comes back with the prediction.
        "DataProcessing": {"InputFilter": "$[1:]", "JoinSource": "Input"},
        "TransformOutput": {
            "S3OutputPath": site.folder("IrisTransform"),
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": TRAINING_INSTANCE_TYPE, "InstanceCount": 1},
    }
    return Transform("IrisTransform", request)


def evaluate_predictions(site: Site, code: Asset, transform: Transform) -> Processing:
    request = script_job(
        site,
        "IrisEval",
        code,
        image=SCIKIT_LEARN,
        inputs={"predictions": transform.TransformOutput.S3OutputPath},
        outputs=["evaluation"],
        instance_type=PROCESSING_INSTANCE_TYPE,
    )
    return Processing(
        "IrisEval",
        request,
        property_files=[EVALUATION],
        description="Accuracy and confusion matrix of the predictions",
    )


def register_model(
    container: dict[str, object], evaluation: Processing, input_data: String
) -> RegisterModel:
    """A version in the model registry, with its accuracy."""
    accuracy = "multiclass_classification_metrics.accuracy.value"
    request = {
        "ModelPackageGroupName": MODEL_PACKAGE_GROUP,
        "ModelPackageDescription": "Species of an iris from the size of its petals and sepals",
        "ModelApprovalStatus": MODEL_APPROVAL_STATUS,
        "ModelMetrics": model_quality(evaluation),
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": ["text/csv", "application/json"],
            "SupportedResponseMIMETypes": ["text/csv", "application/json"],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.t2.medium", "ml.m5.large"],
            "SupportedTransformInstanceTypes": ["ml.m5.large"],
        },
        "CustomerMetadataProperties": {
            "InputData": input_data,
            "Accuracy": Join("", [evaluation.json("EvaluationReport", accuracy)]),
        },
    }
    return RegisterModel("IrisRegisterModel", request)


def text(parameter: Float | Integer) -> Join:
    """A number where the request wants text."""
    return Join("", [parameter])


def script(name: str) -> bytes:
    """A script of this folder."""
    return Path(__file__).with_name(name).read_bytes()
