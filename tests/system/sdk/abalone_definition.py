"""Prints the definition that the SageMaker SDK makes of include/pipelines/abalone's pipeline."""

import sys
from pathlib import Path

from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.transformer import Transformer
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.workflow.entities import PipelineVariable
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import ProcessingStep, TrainingStep, TransformStep

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
BUCKET = "sagemaker-us-east-1-123456789012"
REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
XGBOOST = f"{REGISTRY}/sagemaker-xgboost:3.2-0"
SCIKIT_LEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.9-0-cpu-py3"
HYPERPARAMETERS = {
    "objective": "reg:squarederror",
    "num_round": 50,
    "max_depth": 5,
    "eta": 0.2,
    "gamma": 4,
    "min_child_weight": 6,
    "subsample": 0.7,
}
SCRIPTS = Path(sys.argv[1])

session = PipelineSession()

processing_type = ParameterString("ProcessingInstanceType", "ml.m5.xlarge")
processing_count = ParameterInteger("ProcessingInstanceCount", 1)
training_type = ParameterString("TrainingInstanceType", "ml.m5.xlarge")
input_data = ParameterString("InputData", f"s3://{BUCKET}/abalone/raw/")
batch_data = ParameterString("BatchData", f"s3://{BUCKET}/abalone/batch/")
approval = ParameterString(
    "ModelApprovalStatus",
    "PendingManualApproval",
    enum_values=["PendingManualApproval", "Approved", "Rejected"],
)
threshold = ParameterFloat("MseThreshold", 6.0)
seed = ParameterInteger("SplitSeed", 0)
until = ParameterString("DataUntil", "")


def run_folder(*names: str) -> Join:
    """An address of the execution's own."""
    execution = ExecutionVariables.PIPELINE_EXECUTION_ID
    return Join("/", [f"s3://{BUCKET}/abalone/runs", execution, *names])


def output(step: str, name: str) -> ProcessingOutput:
    return ProcessingOutput(
        output_name=name,
        source=f"/opt/ml/processing/{name}",
        destination=run_folder(step, name),
    )


def source(name: str, address: PipelineVariable) -> ProcessingInput:
    return ProcessingInput(
        input_name=name, source=address, destination=f"/opt/ml/processing/input/{name}"
    )


def address_of(step: ProcessingStep, name: str) -> PipelineVariable:
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def processor(image: str, count: int | ParameterInteger) -> ScriptProcessor:
    return ScriptProcessor(
        image_uri=image,
        command=["python3"],
        role=ROLE,
        instance_count=count,
        instance_type=processing_type,
        max_runtime_in_seconds=3600,
        sagemaker_session=session,
    )


preparation = PropertyFile("PreparationReport", output_name="report", path="report.json")
process = ProcessingStep(
    "AbaloneProcess",
    step_args=processor(SCIKIT_LEARN, processing_count).run(
        code=str(SCRIPTS / "preprocess.py"),
        inputs=[source("raw", input_data), source("batch", batch_data)],
        outputs=[
            output("AbaloneProcess", name)
            for name in (
                "train",
                "validation",
                "test",
                "raw_test",
                "batch",
                "preprocessor",
                "baseline",
                "report",
            )
        ],
        arguments=["--seed", seed.to_string(), "--until", until],
    ),
    property_files=[preparation],
)


def found(path: str) -> Join:
    """What the preparation says about its rows, as text."""
    return Join("", [JsonGet(process.name, property_file=preparation, json_path=path)])


estimator = Estimator(
    image_uri=XGBOOST,
    role=ROLE,
    instance_count=1,
    instance_type=training_type,
    output_path=run_folder("AbaloneTrain"),
    max_run=3600,
    hyperparameters=HYPERPARAMETERS,
    sagemaker_session=session,
)
train = TrainingStep(
    "AbaloneTrain",
    step_args=estimator.fit(
        {
            name: TrainingInput(address_of(process, name), content_type="text/csv")
            for name in ("train", "validation")
        }
    ),
)
artifacts = train.properties.ModelArtifacts.S3ModelArtifacts

report = PropertyFile("EvaluationReport", output_name="evaluation", path="evaluation.json")
evaluation = ProcessingStep(
    "AbaloneEval",
    step_args=processor(XGBOOST, 1).run(
        code=str(SCRIPTS / "evaluate.py"),
        inputs=[source("model", artifacts), source("test", address_of(process, "test"))],
        outputs=[output("AbaloneEval", "evaluation")],
    ),
    property_files=[report],
)
mse = JsonGet(evaluation.name, property_file=report, json_path="regression_metrics.mse.value")

model = Model(image_uri=XGBOOST, model_data=artifacts, role=ROLE, sagemaker_session=session)
register = ModelStep(
    "AbaloneRegisterModel",
    step_args=model.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.t2.medium", "ml.m5.xlarge"],
        transform_instances=["ml.m5.xlarge"],
        model_package_group_name="abalone",
        description="Rings of an abalone from its sex, size and weights",
        approval_status=approval,
        model_metrics=ModelMetrics(
            model_statistics=MetricsSource(
                s3_uri=Join("/", [address_of(evaluation, "evaluation"), "evaluation.json"]),
                content_type="application/json",
            )
        ),
        customer_metadata_properties={
            "InputData": input_data,
            "DataUntil": found("data_until"),
            "DataFrom": found("partitions.first"),
            "Partitions": found("partitions.count"),
            "Rows": found("rows"),
            "TrainingRows": found("train_rows"),
            "ValidationRows": found("validation_rows"),
            "TestRowCount": found("test_rows"),
            "SplitSeed": Join("", [seed]),
            "Baseline": Join("/", [address_of(process, "baseline"), "baseline.json"]),
            "TestRows": address_of(process, "raw_test"),
            "Preprocessor": Join("/", [address_of(process, "preprocessor"), "preprocessor.joblib"]),
            "EvaluationPicture": Join(
                "/", [address_of(evaluation, "evaluation"), "evaluation.png"]
            ),
        },
    ),
)
create = ModelStep("AbaloneCreateModel", step_args=model.create())

transformer = Transformer(
    model_name=create.properties.ModelName,
    instance_count=1,
    instance_type=training_type,
    output_path=run_folder("AbaloneTransform"),
    accept="text/csv",
    assemble_with="Line",
    sagemaker_session=session,
)
transform = TransformStep(
    "AbaloneTransform",
    step_args=transformer.transform(
        address_of(process, "batch"), content_type="text/csv", split_type="Line"
    ),
)

refuse = FailStep(
    "AbaloneMSEFail",
    error_message=Join(
        "",
        [
            "MSE ",
            mse,
            " is above the threshold ",
            threshold,
            " (parameter MseThreshold): the model is not good enough and was not registered.",
        ],
    ),
)
good_enough = ConditionStep(
    "AbaloneMSECond",
    conditions=[ConditionLessThanOrEqualTo(left=mse, right=threshold)],
    if_steps=[register, create, transform],
    else_steps=[refuse],
)

pipeline = Pipeline(
    "AbalonePipeline",
    parameters=[
        processing_type,
        processing_count,
        training_type,
        input_data,
        batch_data,
        approval,
        threshold,
        seed,
        until,
    ],
    steps=[process, train, evaluation, good_enough],
    sagemaker_session=session,
)
print(pipeline.definition())
