"""`json.dumps(get_pipeline())` beside what the SageMaker SDK makes of the same pipeline.

`fixtures/sdk/abalone.json` is what SDK 2.257.7 writes for tests/system/sdk/abalone_definition.py
(tests/system/test_sdk.py holds that it still does). `fixtures/definitions/abalone.json` is what it
writes for the pipeline of AWS's own notebook, of which ours is a grown-up version.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from include.pipelines.abalone.pipeline import get_pipeline
from tests.support.definitions import FIXTURES, sdk_definition
from tests.support.local_sagemaker import BUCKET, ROLE

Json = Any

RECORDED = FIXTURES.parent / "sdk" / "abalone.json"
# The SDK's ModelStep adds what it does to the step's name.
MODEL_STEPS = {
    "AbaloneRegisterModel": "AbaloneRegisterModel-RegisterModel",
    "AbaloneCreateModel": "AbaloneCreateModel-CreateModel",
}


def ours() -> Json:
    return json.loads(json.dumps(get_pipeline(role=ROLE, bucket=BUCKET, region="us-east-1")))


# What the SDK adds to the requests that its user writes. All of it is what SageMaker assumes where
# a request is silent, so we are silent.


def with_processing_defaults(request: Json) -> None:
    for item in request["ProcessingInputs"]:
        item["AppManaged"] = False
        item["S3Input"]["S3CompressionType"] = "None"
    for item in request["ProcessingOutputConfig"]["Outputs"]:
        item["AppManaged"] = False


def with_training_defaults(request: Json) -> None:
    """The debugger's and the profiler's files would go beside the model; there are none."""
    address = request["OutputDataConfig"]["S3OutputPath"]
    request["DebugHookConfig"] = {"S3OutputPath": address, "CollectionConfigurations": []}
    request["ProfilerConfig"] = {"S3OutputPath": address, "DisableProfiler": False}


def with_package_defaults(request: Json) -> None:
    request["SkipModelValidation"] = "None"
    request["ModelMetrics"] |= {"Bias": {}, "Explainability": {}}
    for container in request["InferenceSpecification"]["Containers"]:
        container["Environment"] = {}


def with_model_defaults(request: Json) -> None:
    request["PrimaryContainer"]["Environment"] = {}


def with_no_defaults(_: Json) -> None: ...


SDK_DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "Processing": with_processing_defaults,
    "Training": with_training_defaults,
    "RegisterModel": with_package_defaults,
    "Model": with_model_defaults,
    "Transform": with_no_defaults,
    "Condition": with_no_defaults,
    "Fail": with_no_defaults,
}


def in_the_sdks_words(definition: Json) -> Json:
    """Our definition as the SDK would write it: every difference there is stands here."""
    text = json.dumps(definition)
    for name, theirs in MODEL_STEPS.items():
        text = re.sub(rf'(?<=["\.]){name}(?=["\.])', theirs, text)
    # The SDK hashes paths and content together, and its prefix is the pipeline's name.
    text = re.sub(r"/abalone/code/[0-9a-f]{64}/", "/AbalonePipeline/code/<digest>/", text)
    changed = json.loads(text)
    for step in steps_of(changed["Steps"]):
        step.pop("Description", None)  # the SDK's program gives none
        SDK_DEFAULTS[step["Type"]](step["Arguments"])
    for parameter in changed["Parameters"]:
        parameter.pop("Description", None)  # the SDK has no descriptions of parameters
    # What the service does for a definition that is silent about it.
    changed["PipelineExperimentConfig"] = {
        "ExperimentName": {"Get": "Execution.PipelineName"},
        "TrialName": {"Get": "Execution.PipelineExecutionId"},
    }
    return in_order(changed)


def in_order(value: Json) -> Json:
    """JSON whose lists of named things are sorted by name: their order means nothing."""
    if isinstance(value, dict):
        return {key: in_order(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted(map(in_order, value), key=name_of)
    return value


def name_of(item: Json) -> str:
    keys = ("InputName", "OutputName", "ChannelName", "Name")
    named = isinstance(item, dict)
    return next((item[key] for key in keys if key in item), "") if named else ""


def steps_of(steps: Json) -> Iterator[Json]:
    for step in steps:
        yield step
        inner = step["Arguments"].get("IfSteps", []) + step["Arguments"].get("ElseSteps", [])
        yield from steps_of(inner)


def test_the_sdk_makes_the_same_of_the_same_pipeline() -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    assert in_the_sdks_words(ours()) == in_order(recorded)


# Beside the pipeline of AWS's notebook.

ABSENT = "absent"
_BUCKETS = {
    "amzn-demo-ml-bucket": BUCKET,
    "arn:aws:iam::111122223333:role/SageMakerExecutionRole": ROLE,
}


def notebook() -> Json:
    text = json.dumps(sdk_definition("abalone"))
    for theirs, here in _BUCKETS.items():
        text = text.replace(theirs, here)
    return in_order(json.loads(re.sub(r"/code/[0-9a-f]{64}/", "/code/<digest>/", text)))


def leaves(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Every value of JSON with its path; a reference is one value."""
    if isinstance(value, dict) and value and not value.keys() & {"Get", "Std:Join", "Std:JsonGet"}:
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{name_of(item) or index}]")
    else:
        yield path, value


def jobs(definition: Json) -> dict[str, dict[str, Json]]:
    """The leaves of each job's request, by the name of its step."""
    found = {}
    for step in steps_of(definition["Steps"]):
        request = {k: v for k, v in step["Arguments"].items() if k not in ("IfSteps", "ElseSteps")}
        found[step["Name"].partition("-")[0]] = dict(leaves(request))
    return found


# Which members of each job are not those of AWS's notebook, and why. A member that ends in `*`
# stands for all below it.
DIFFERENCES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "images that SageMaker still maintains": {
        "AbaloneProcess": ("AppSpecification.ImageUri",),
        "AbaloneTrain": ("AlgorithmSpecification.TrainingImage",),
        "AbaloneEval": ("AppSpecification.ImageUri",),
        "AbaloneRegisterModel": ("InferenceSpecification.Containers[0].Image",),
        "AbaloneCreateModel": ("PrimaryContainer.Image",),
    },
    "scripts of our own, which read their inputs below their names": {
        "AbaloneProcess": (
            "AppSpecification.ContainerEntrypoint",
            "ProcessingInputs[code].S3Input.S3Uri",
            "ProcessingInputs[input-1]*",
            "ProcessingInputs[raw]*",
        ),
        "AbaloneEval": (
            "AppSpecification.ContainerEntrypoint",
            "ProcessingInputs[code].S3Input.S3Uri",
            "ProcessingInputs[input-1]*",
            "ProcessingInputs[input-2]*",
            "ProcessingInputs[model]*",
            "ProcessingInputs[test]*",
        ),
    },
    "batch rows pass the very preprocessor of the training rows": {
        "AbaloneProcess": (
            "ProcessingInputs[batch]*",
            "ProcessingOutputConfig.Outputs[batch]*",
            "ProcessingOutputConfig.Outputs[preprocessor]*",
        ),
        "AbaloneTransform": (
            "TransformInput.DataSource.S3DataSource.S3Uri",
            "TransformInput.ContentType",
            "TransformInput.SplitType",
            "TransformOutput.Accept",
            "TransformOutput.AssembleWith",
        ),
    },
    "every run writes to addresses of its own, in the pipeline's folder": {
        "AbaloneProcess": (
            "ProcessingOutputConfig.Outputs[train].S3Output.S3Uri",
            "ProcessingOutputConfig.Outputs[validation].S3Output.S3Uri",
            "ProcessingOutputConfig.Outputs[test].S3Output.S3Uri",
        ),
        "AbaloneTrain": (
            "OutputDataConfig.S3OutputPath",
            "DebugHookConfig.S3OutputPath",
            "ProfilerConfig.S3OutputPath",
        ),
        "AbaloneEval": ("ProcessingOutputConfig.Outputs[evaluation].S3Output.S3Uri",),
        "AbaloneTransform": ("TransformOutput.S3OutputPath",),
    },
    "jobs of minutes end within the hour, whatever happens": {
        "AbaloneProcess": ("StoppingCondition.MaxRuntimeInSeconds",),
        "AbaloneTrain": ("StoppingCondition.MaxRuntimeInSeconds",),
        "AbaloneEval": ("StoppingCondition.MaxRuntimeInSeconds",),
    },
    "XGBoost 1.0's names, which 3.2 no longer knows": {
        "AbaloneTrain": ("HyperParameters.objective", "HyperParameters.silent"),
    },
    "parameters of ours: seed, last date, threshold, the transform's instance type": {
        "AbaloneProcess": ("AppSpecification.ContainerArguments",),
        "AbaloneMSECond": ("Conditions[0].RightValue",),
        "AbaloneTransform": ("TransformResources.InstanceType",),
    },
    "what an approver and a user of the model must find": {
        "AbaloneProcess": (
            "ProcessingOutputConfig.Outputs[raw_test]*",
            "ProcessingOutputConfig.Outputs[baseline]*",
            "ProcessingOutputConfig.Outputs[report]*",
        ),
        "AbaloneRegisterModel": (
            "ModelPackageGroupName",
            "ModelPackageDescription",
            "CustomerMetadataProperties*",
        ),
    },
    "the run of a weak model fails; the notebook's just ends": {
        "AbaloneMSEFail": ("ErrorMessage",),
    },
}


def explained(job: str, path: str) -> bool:
    patterns = [pattern for jobs_ in DIFFERENCES.values() for pattern in jobs_.get(job, ())]
    return any(
        path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
        for pattern in patterns
    )


@pytest.fixture(scope="module")
def differing() -> dict[str, set[str]]:
    """The members of each job that are not equal, or that only one of the two has."""
    theirs, here = jobs(notebook()), jobs(in_the_sdks_words(ours()))
    found = {}
    for job in theirs | here:
        left, right = theirs.get(job, {}), here.get(job, {})
        found[job] = {k for k in left | right if left.get(k, ABSENT) != right.get(k, ABSENT)}
    return found


def test_every_difference_from_awss_notebook_has_a_reason(differing: dict[str, set[str]]) -> None:
    every = {(job, path) for job, paths in differing.items() for path in paths}
    unexplained = {(job, path) for job, path in every if not explained(job, path)}
    assert unexplained == set()


def test_every_reason_explains_a_difference(differing: dict[str, set[str]]) -> None:
    idle = {
        (job, pattern)
        for jobs_ in DIFFERENCES.values()
        for job, patterns in jobs_.items()
        for pattern in patterns
        if not any(path.startswith(pattern.rstrip("*")) for path in differing[job])
    }
    assert idle == set()


def test_the_notebooks_parameters_are_ours_too() -> None:
    theirs = {(item["Name"], item["Type"]) for item in notebook()["Parameters"]}
    here = {(item["Name"], item["Type"]) for item in ours()["Parameters"]}
    assert here - theirs == {
        ("MseThreshold", "Float"),
        ("SplitSeed", "Integer"),
        ("DataUntil", "String"),
    }
    assert theirs - here == set()
