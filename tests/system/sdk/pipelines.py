"""A pipeline's life, as a user of the SageMaker SDK leads it; prints what came of each call."""

import json
import time
from typing import Any

from botocore.exceptions import ClientError, WaiterError
from sagemaker.image_uris import retrieve
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.parallelism_config import ParallelismConfiguration
from sagemaker.workflow.parameters import ParameterInteger, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.selective_execution_config import SelectiveExecutionConfig
from sagemaker.workflow.steps import ProcessingStep

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
OUT = "/opt/ml/processing/out"
WRITE = f"echo '{{\"rows\": '$0'}}' > {OUT}/report.json"

session = PipelineSession()
client = session.sagemaker_client
logs = session.boto_session.client("logs")
facts = {}


def processor(command: str) -> Processor:
    return Processor(
        image_uri=retrieve("sklearn", session.boto_region_name, "1.2-1"),
        role=ROLE,
        entrypoint=["sh", "-c", command],
        instance_count=1,
        instance_type="ml.m5.large",
        sagemaker_session=session,
    )


def outputs() -> list[ProcessingOutput]:
    return [ProcessingOutput(output_name="out", source=OUT)]


rows = ParameterInteger("Rows", 10)
word = ParameterString("Word", "plain", enum_values=["plain", "odd"])
report = PropertyFile("Report", output_name="out", path="report.json")
prepare = ProcessingStep(
    "Prepare",
    step_args=processor(WRITE).run(outputs=outputs(), arguments=[rows.to_string()]),
    property_files=[report],
)
made = prepare.properties.ProcessingOutputConfig.Outputs["out"].S3Output.S3Uri
use = ProcessingStep(
    "Use",
    step_args=processor(f"cat /opt/ml/processing/in/report.json > {OUT}/copy.json").run(
        inputs=[ProcessingInput(source=made, destination="/opt/ml/processing/in")],
        outputs=outputs(),
    ),
)
count = JsonGet("Prepare", property_file=report, json_path="rows")
refuse = FailStep("Refuse", error_message=Join(" ", ["only", count, word, "rows"]))
enough = ConditionStep(
    "Enough",
    conditions=[ConditionGreaterThanOrEqualTo(left=count, right=5)],
    if_steps=[use],
    else_steps=[refuse],
)
pipeline = Pipeline(
    "SdkPipeline", parameters=[rows, word], steps=[prepare, enough], sagemaker_session=session
)


def statuses(execution: Any) -> dict[str, str]:
    return {step["StepName"]: step["StepStatus"] for step in execution.list_steps()}


def end_of(execution: Any) -> dict[str, Any]:
    """Wait as the SDK does; its waiter raises where an execution fails."""
    try:
        execution.wait(delay=1, max_attempts=60)
    except WaiterError as error:
        facts["waiter"] = str(error).split(":")[0]
    return execution.describe()


def log_of(execution: Any) -> list[str]:
    """What the only job of an execution has said so far."""
    for step in execution.list_steps():
        name = step.get("Metadata", {}).get("ProcessingJob", {}).get("Arn", "").rpartition("/")[2]
        job = name and client.describe_processing_job(ProcessingJobName=name)["ProcessingJobName"]
        found = logs.filter_log_events(
            logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix=f"{job}/"
        )
        return [event["message"] for event in found["events"]]
    return []


# Created, and changed.
created = pipeline.upsert(role_arn=ROLE, description="First", tags=[{"Key": "a", "Value": "1"}])
pipeline.upsert(
    role_arn=ROLE,
    description="Second",
    tags=[{"Key": "b", "Value": "2"}],
    parallelism_config=ParallelismConfiguration(2),
)
described = pipeline.describe()
facts["pipeline"] = [described["PipelineDescription"], described["ParallelismConfiguration"]]
facts["definition"] = json.loads(described["PipelineDefinition"]) == json.loads(
    pipeline.definition()
)
tags = client.list_tags(ResourceArn=created["PipelineArn"])["Tags"]
facts["tags"] = sorted(tag["Key"] for tag in tags)

# A good execution.
good = pipeline.start(
    parameters={"Rows": 7},
    execution_display_name="seven",
    execution_description="Seven rows",
)
answer = end_of(good)
facts["good"] = [answer["PipelineExecutionStatus"], answer["PipelineExecutionDisplayName"]]
facts["steps"] = statuses(good)
facts["parameters"] = {
    item["Name"]: item["Value"] for item in good.list_parameters()["PipelineParameters"]
}
facts["metadata"] = {step["StepName"]: [*step["Metadata"]] for step in good.list_steps()}

# One that fails, and says why.
bad = pipeline.start(parameters={"Rows": 3, "Word": "odd"})
answer = end_of(bad)
facts["bad"] = [answer["PipelineExecutionStatus"], statuses(bad)]
facts["reason"] = next(
    step["FailureReason"] for step in bad.list_steps() if step["StepName"] == "Refuse"
)

# What the first one made, used by one step of another.
again = pipeline.start(
    selective_execution_config=SelectiveExecutionConfig(
        selected_steps=["Use"], source_pipeline_execution_arn=good.arn
    )
)
end_of(again)
facts["selected"] = statuses(again)

# One that is stopped.
listening = "trap 'exit 1' TERM; echo asleep; sleep 60 & wait"
sleeper = Pipeline(
    "SdkSleeper",
    steps=[ProcessingStep("Sleep", step_args=processor(listening).run())],
    sagemaker_session=session,
)
sleeper.create(role_arn=ROLE)
asleep = sleeper.start()
while "asleep" not in log_of(asleep):
    time.sleep(0.1)
asleep.stop()
while asleep.describe()["PipelineExecutionStatus"] == "Stopping":  # the SDK's waiter goes on
    time.sleep(0.1)
facts["stopped"] = [asleep.describe()["PipelineExecutionStatus"], statuses(asleep)]

# What the service refuses.
try:
    pipeline.start(parameters={"Rows": "many"})
except ClientError as error:
    facts["refused"] = error.response["Error"]["Code"]

# Another version of it; the first can still be started.
facts["same again"] = pipeline.build_parameters_from_execution(good.arn, {"Rows": 8})
pipeline.parameters = [ParameterInteger("Rows", 12), word]
pipeline.update(role_arn=ROLE)
versions = client.list_pipeline_versions(PipelineName="SdkPipeline")["PipelineVersionSummaries"]
facts["versions"] = [version["PipelineVersionId"] for version in versions]
end_of(newest := pipeline.start())
end_of(oldest := pipeline.start(pipeline_version_id=1))
facts["defaults"] = [
    execution.list_parameters()["PipelineParameters"][0]["Value"] for execution in (newest, oldest)
]

facts["executions"] = len(pipeline.list_executions()["PipelineExecutionSummaries"])
pipeline.delete()
try:
    pipeline.describe()
except ClientError as error:
    facts["deleted"] = error.response["Error"]["Code"]

print(json.dumps(facts))
