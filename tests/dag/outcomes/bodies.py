"""Bodies of requests for jobs that are quick, the scripts that they run, and what they leave."""

from typing import Any

from include.pipelines.images import SCIKIT_LEARN, image_uri
from tests.support.local_sagemaker import BUCKET

Json = Any

IMAGE = image_uri(SCIKIT_LEARN, "us-east-1")
REPORT = "ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"
ARTIFACTS = "ModelArtifacts.S3ModelArtifacts"
#: Leaves its first argument, a JSON document, and the others as the report; fails if it says so.
PROCESS = (
    "import json, sys; found = json.loads(sys.argv[1]) | {'given': sys.argv[2:]}; "
    "json.dump(found, open('/opt/ml/processing/report/report.json', 'w')); sys.exit(found['exit'])"
)
TRAIN = (
    "import json, sys; found = json.load(open('/opt/ml/input/config/hyperparameters.json')); "
    "open('/opt/ml/model/model.txt', 'w').write(found['text']); "
    "print('score=' + found['score'] + ';'); sys.exit(int(found['exit']))"
)
FACTS_PATHS = {
    "text": "text",
    "number": "number",
    "whole": "number",
    "flag": "flag",
    "many[1]": "text",
    "$.map['a b']": "number",
}
TIMES = ({"Get": "Execution.StartDateTime"}, {"Get": "Execution.CurrentDateTime"})
PROCESSING_PROPERTIES = {
    REPORT: "name",
    "ProcessingJobArn": "name",
    "ProcessingJobName": "name",
    "ProcessingJobStatus": "text",
    "ProcessingResources.ClusterConfig.InstanceCount": "number",
    "AppSpecification.ContainerEntrypoint[0]": "text",
    "NetworkConfig.EnableNetworkIsolation": "flag",
    "CreationTime": "name",
}
TRAINING_PROPERTIES = {
    ARTIFACTS: "name",
    "TrainingJobName": "name",
    "TrainingJobStatus": "text",
    "FinalMetricDataList['score'].Value": "number",
    "HyperParameters['text']": "name",
    "SecondaryStatusTransitions[0].Status": "text",
    "EnableNetworkIsolation": "flag",
}


def join(on: str, values: list[Json]) -> Json:
    return {"Std:Join": {"On": on, "Values": values}}


def folder(name: str) -> Json:
    run = {"Get": "Execution.PipelineExecutionId"}
    return join("/", ["s3:/", BUCKET, "outcomes", run, name])


def cluster() -> Json:
    return {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}


def job_input(name: str, uri: Json) -> Json:
    source = {
        "S3Uri": uri,
        "LocalPath": f"/opt/ml/processing/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {"InputName": name, "S3Input": source}


def job_output(name: str) -> Json:
    target = {
        "S3Uri": folder(name),
        "LocalPath": "/opt/ml/processing/report",
        "S3UploadMode": "EndOfJob",
    }
    return {"OutputName": "report", "S3Output": target}


def channel(name: str, uri: Json) -> Json:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}
