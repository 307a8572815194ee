"""The abalone pipeline: prepare, train, evaluate; register and score if the model is good enough.

`get_pipeline()` is its definition in the language that SageMaker reads: `json.dumps` of it is what
the service takes. docs/abalone.md explains it.
"""

import os
from pathlib import Path
from typing import Any

from include.nacre.definition.authoring import (
    Asset,
    Condition,
    Fail,
    Float,
    Integer,
    Join,
    JsonGet,
    Model,
    Pipeline,
    Processing,
    PropertyFile,
    RegisterModel,
    String,
    Training,
    Transform,
    less_than_or_equal,
    pipeline,
)
from include.pipelines.abalone.layout import (
    BATCH,
    MODEL_PACKAGE_GROUP,
    PREFIX,
    RAW,
    address,
)
from include.pipelines.images import SCIKIT_LEARN, XGBOOST
from include.pipelines.requests import (
    EVALUATION,
    csv_channel,
    model_quality,
    script_job,
    training_job,
)
from include.pipelines.site import Site, find_site

PREPARATION = PropertyFile("PreparationReport", "report", "report.json")
"""What the preparation leaves about its rows (see preprocess.py)."""
# Built-in XGBoost takes text alone.
HYPERPARAMETERS = {
    "objective": "reg:squarederror",
    "num_round": "50",
    "max_depth": "5",
    "eta": "0.2",
    "gamma": "4",
    "min_child_weight": "6",
    "subsample": "0.7",
}

PROCESSING_INSTANCE_TYPE = String(
    "ProcessingInstanceType",
    "ml.m5.xlarge",
    description="What preparation and evaluation run on",
)
PROCESSING_INSTANCE_COUNT = Integer(
    "ProcessingInstanceCount",
    1,
    description="Machines of the preparation; one of them does the work, however many there are",
)
TRAINING_INSTANCE_TYPE = String(
    "TrainingInstanceType",
    "ml.m5.xlarge",
    description="What training and batch transform run on",
)
MODEL_APPROVAL_STATUS = String(
    "ModelApprovalStatus",
    "PendingManualApproval",
    enum_values=("PendingManualApproval", "Approved", "Rejected"),
    description="Of the model version that a good enough model becomes",
)
MSE_THRESHOLD = Float(
    "MseThreshold", 6.0, description="The largest mean squared error that is good enough"
)
SPLIT_SEED = Integer("SplitSeed", 0, description="Which split into train, validation and test rows")
DATA_UNTIL = String(
    "DataUntil",
    "",
    description="The last date (YYYY-MM-DD) whose rows count; every row where this is empty",
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
        "InputData",
        address(site, f"{RAW}/"),
        description="S3 prefix of the labelled rows: files, or folders named by their dates",
    )
    batch_data = String(
        "BatchData",
        address(site, f"{BATCH}/"),
        description="S3 prefix of the rows to score; of dated folders the newest up to the date",
    )
    scripts = {name: script(name) for name in ("preprocess.py", "evaluate.py")}

    process = prepare_data(site, scripts["preprocess.py"], input_data, batch_data)
    train = train_model(site, process)
    evaluation = evaluate_model(site, scripts["evaluate.py"], process, train)
    mse = evaluation.json("EvaluationReport", "regression_metrics.mse.value")
    model = create_model(site, train)
    good_enough = Condition(
        "AbaloneMSECond",
        [less_than_or_equal(mse, MSE_THRESHOLD)],
        if_steps=[
            register_model(site, process, train, evaluation, input_data),
            model,
            score_batch(site, process, model),
        ],
        else_steps=[refuse_model(mse)],
        description="Is the model good enough?",
    )
    return pipeline(
        "AbalonePipeline",
        parameters=[
            PROCESSING_INSTANCE_TYPE,
            PROCESSING_INSTANCE_COUNT,
            TRAINING_INSTANCE_TYPE,
            input_data,
            batch_data,
            MODEL_APPROVAL_STATUS,
            MSE_THRESHOLD,
            SPLIT_SEED,
            DATA_UNTIL,
        ],
        steps=[process, train, evaluation, good_enough],
        assets={site.code(item): item for item in scripts.values()},
    )


# The steps. Each holds the body of the boto3 call that its name says, less the job's name.


def prepare_data(site: Site, code: Asset, input_data: String, batch_data: String) -> Processing:
    """Raw rows to train, validation and test data, and batch rows to what the model reads."""
    request = script_job(
        site,
        "AbaloneProcess",
        code,
        image=SCIKIT_LEARN,
        inputs={"raw": input_data, "batch": batch_data},
        outputs=[
            "train",
            "validation",
            "test",
            "raw_test",
            "batch",
            "preprocessor",
            "baseline",
            PREPARATION.output_name,
        ],
        instance_type=PROCESSING_INSTANCE_TYPE,
        instance_count=PROCESSING_INSTANCE_COUNT,
        arguments=["--seed", Join("", [SPLIT_SEED]), "--until", DATA_UNTIL],
    )
    return Processing(
        "AbaloneProcess",
        request,
        property_files=[PREPARATION],
        description="Impute, scale, one-hot encode, split 70/15/15",
    )


def train_model(site: Site, process: Processing) -> Training:
    request = training_job(
        site,
        "AbaloneTrain",
        image=XGBOOST,
        hyperparameters=HYPERPARAMETERS,
        channels=[csv_channel(name, process) for name in ("train", "validation")],
        instance_type=TRAINING_INSTANCE_TYPE,
    )
    return Training("AbaloneTrain", request, description="Built-in XGBoost, 50 rounds")


def evaluate_model(site: Site, code: Asset, process: Processing, train: Training) -> Processing:
    request = script_job(
        site,
        "AbaloneEval",
        code,
        image=XGBOOST,
        inputs={"model": train.ModelArtifacts.S3ModelArtifacts, "test": process.output("test")},
        outputs=["evaluation"],
        instance_type=PROCESSING_INSTANCE_TYPE,
    )
    return Processing(
        "AbaloneEval",
        request,
        property_files=[EVALUATION],
        description="MSE, MAE and R2 on the test rows, and a picture",
    )


def register_model(
    site: Site, process: Processing, train: Training, evaluation: Processing, input_data: String
) -> RegisterModel:
    """A version in the model registry, with all that its approver and its user must find."""
    request = {
        "ModelPackageGroupName": MODEL_PACKAGE_GROUP,
        "ModelPackageDescription": "Rings of an abalone from its sex, size and weights",
        "ModelApprovalStatus": MODEL_APPROVAL_STATUS,
        "ModelMetrics": model_quality(evaluation),
        "InferenceSpecification": {
            "Containers": [
                {
                    "Image": site.image(XGBOOST),
                    "ModelDataUrl": train.ModelArtifacts.S3ModelArtifacts,
                }
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.t2.medium", "ml.m5.xlarge"],
            "SupportedTransformInstanceTypes": ["ml.m5.xlarge"],
        },
        "CustomerMetadataProperties": metadata(process, evaluation, input_data),
    }
    return RegisterModel("AbaloneRegisterModel", request)


def metadata(process: Processing, evaluation: Processing, input_data: String) -> dict[str, Any]:
    """What approval and scoring find at a version. Keys and values are text, 256 letters long."""

    def found(path: str) -> Join:
        return Join("", [process.json(PREPARATION.name, path)])

    return {
        "InputData": input_data,
        "DataUntil": found("data_until"),
        "DataFrom": found("partitions.first"),
        "Partitions": found("partitions.count"),
        "Rows": found("rows"),
        "TrainingRows": found("train_rows"),
        "ValidationRows": found("validation_rows"),
        "TestRowCount": found("test_rows"),
        "SplitSeed": Join("", [SPLIT_SEED]),
        # Rows must pass this very preprocessor before the model sees them.
        "Preprocessor": Join("/", [process.output("preprocessor"), "preprocessor.joblib"]),
        "Baseline": Join("/", [process.output("baseline"), "baseline.json"]),
        # The folder of test.csv: as they were, so that another version can be measured on them.
        "TestRows": process.output("raw_test"),
        "EvaluationPicture": Join("/", [evaluation.output("evaluation"), "evaluation.png"]),
    }


def create_model(site: Site, train: Training) -> Model:
    request = {
        "ExecutionRoleArn": site.role,
        "PrimaryContainer": {
            "Image": site.image(XGBOOST),
            "ModelDataUrl": train.ModelArtifacts.S3ModelArtifacts,
        },
    }
    return Model("AbaloneCreateModel", request)


def score_batch(site: Site, process: Processing, model: Model) -> Transform:
    """One predicted number of rings a line, in the order of the batch rows."""
    source = {"S3DataType": "S3Prefix", "S3Uri": process.output("batch")}
    request = {
        "ModelName": model.ModelName,
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": site.folder("AbaloneTransform"),
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": TRAINING_INSTANCE_TYPE, "InstanceCount": 1},
    }
    return Transform("AbaloneTransform", request)


def refuse_model(mse: JsonGet) -> Fail:
    # The numbers first: Airflow's page of a failed task shows the beginning of a long line.
    message = Join(
        "",
        [
            "MSE ",
            mse,
            " is above the threshold ",
            MSE_THRESHOLD,
            " (parameter MseThreshold): the model is not good enough and was not registered.",
        ],
    )
    return Fail("AbaloneMSEFail", message)


def script(name: str) -> Asset:
    """A job script of this folder."""
    return Asset(name, Path(__file__).with_name(name).read_bytes())
