"""Every form that a value, a condition or a dependency can have: both executors read it alike."""

import json
from collections.abc import Iterator
from typing import Any

from include.nacre.definition.authoring import (
    CURRENT_TIME,
    EXECUTION_ID,
    PIPELINE_NAME,
    PROCESSING_JOB_NAME,
    START_TIME,
    TRAINING_JOB_NAME,
    Boolean,
    Condition,
    Dependency,
    ExperimentConfig,
    Fail,
    Float,
    Integer,
    Join,
    JsonGet,
    Model,
    Pipeline,
    RegisterModel,
    S3Source,
    Step,
    String,
    Training,
    and_,
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
from include.nacre.definition.expressions import ExperimentVariable
from tests.dag.outcomes.bodies import IMAGE
from tests.dag.outcomes.courses import differences
from tests.dag.outcomes.executors import natively, step_by_step
from tests.dag.steps import SLEEP, script
from tests.support.local_sagemaker import BUCKET, ROLE, LocalSageMaker

TEXT, COUNT = String("Text", "{{ ds }}"), Integer("Count", 3)
SHARE, FLAG = Float("Share", 2), Boolean("Flag", default=False)
FOUND = {"text": "a", "number": 0.5, "none": None, "many": [{"x y": 1}], "deep": {"flag": True}}
WRITES = f"import json; json.dump({FOUND!r}, open('/opt/ml/processing/report/report.json', 'w'))"
BROKEN = "raise SystemExit('no luck')"


def text(*values: Any) -> Join:
    return Join("", values)


def check(service: LocalSageMaker, made: Pipeline, **values: Any) -> dict[str, str]:
    """Both executors make the same of a pipeline; the steps that ran, with their ends."""
    stepwise = step_by_step(service, made, values)
    assert differences(stepwise, natively(service, made, values)) == []
    return {name: done["state"] for name, done in stepwise["steps"].items()}


def succeeded(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "Succeeded")


def forms(*steps: Step) -> Pipeline:
    return pipeline(
        "Forms",
        parameters=[TEXT, COUNT, SHARE, FLAG],
        steps=steps,
        experiment=ExperimentConfig("experiment", Join("-", ["trial", EXECUTION_ID])),
    )


def training(name: str, **hyperparameters: Any) -> Training:
    code = "print('score=0.25;'); open('/opt/ml/model/m', 'w').write('')"
    return Training(
        name,
        {
            "RoleArn": ROLE,
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python3", "-c", code],
                "MetricDefinitions": [{"Name": "score", "Regex": "score=(.*?);"}],
            },
            "HyperParameters": hyperparameters,
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/forms"},
            "ResourceConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": COUNT,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "EnableNetworkIsolation": FLAG,
        },
    )


def test_values(service: LocalSageMaker) -> None:
    variables = [PIPELINE_NAME, EXECUTION_ID, START_TIME, CURRENT_TIME]
    experiment = [ExperimentVariable("ExperimentName"), ExperimentVariable("TrialName")]
    first = script(
        "First",
        WRITES,
        arguments=[TEXT, text(COUNT, SHARE, FLAG), *variables, *experiment, PROCESSING_JOB_NAME],
    )
    train = training("Train", eta=text(SHARE), job=TRAINING_JOB_NAME)
    file = JsonGet(S3Source(Join("/", [first.output("report"), "report.json"])), "many[0]['x y']")
    package = RegisterModel(
        "Register",
        {
            "ModelPackageGroupName": Join("-", ["forms", EXECUTION_ID]),
            "InferenceSpecification": {
                "Containers": [
                    {"Image": IMAGE, "ModelDataUrl": train.ModelArtifacts.S3ModelArtifacts}
                ],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        },
    )
    model = Model(
        "Model",
        {
            "ExecutionRoleArn": ROLE,
            "PrimaryContainer": {
                "Image": IMAGE,
                "ModelDataUrl": train.ModelArtifacts.S3ModelArtifacts,
                "Environment": {"NUMBER": text(first.json("Report", "number"))},
            },
        },
    )
    fork = Condition("Fork", [equals(1, 1)])
    properties = [
        first.ProcessingJobName,
        first.ProcessingJobStatus,
        first.CreationTime,
        first.ProcessingEndTime,
        first.AppSpecification.ContainerEntrypoint[0],
        first.ProcessingResources.ClusterConfig.InstanceCount,
        train.TrainingJobArn,
        train.TrainingStartTime,
        train.SecondaryStatusTransitions[0].Status,
        train.SecondaryStatusTransitions[0].StartTime,
        train.FinalMetricDataList["score"].Value,
        train.HyperParameters["eta"],
        train.EnableNetworkIsolation,
        train.ResourceConfig.VolumeSizeInGB,
        package.ModelPackageArn,
        package.ModelPackageVersion,
        package.ModelApprovalStatus,
        package.CreationTime,
        model.ModelName,
        model.PrimaryContainer.Environment["NUMBER"],
        fork.Outcome,
        first.json("Report", "$.deep.flag"),
        file,
    ]
    last = script(
        "Last", arguments=[text(item) for item in properties], inputs=[first.output("report")]
    )
    made = forms(last, first, train, package, model, fork)
    assert check(service, made, Text="ü 'so' {%", Count=5) == succeeded(
        "First", "Fork", "Last", "Model", "Register", "Train"
    )


def test_conditions(service: LocalSageMaker) -> None:
    first = script("First", WRITES)
    number, found = first.json("Report", "number"), first.json("Report", "text")
    conditions = [
        equals(found, "a"),
        not_(equals(FLAG, True)),
        less_than(number, SHARE),
        less_than_or_equal(0.5, number),
        greater_than("b", found),
        greater_than_or_equal(COUNT, 3),
        in_(number, [1, 0.5]),
        not_(in_(found, ["b", PIPELINE_NAME])),
        or_(equals(1, 2), not_(or_(equals(1, 2), less_than(number, 0)))),
        and_(equals(first.json("Report", "deep.flag"), True), equals(SHARE, 2.0)),
    ]
    inner = Condition(
        "Inner", [not_(equals(1, 1))], if_steps=[script("No")], else_steps=[script("Yes")]
    )
    outer = Condition("Outer", conditions, if_steps=[inner], else_steps=[Fail("Stop", "no")])
    assert check(service, forms(first, outer)) == succeeded("First", "Inner", "Outer", "Yes")


def broken() -> Iterator[Step]:
    """Steps that fail each in a way of its own, and one that does not run for each of them."""
    first = script("First", WRITES)
    yield first
    yield script("ExitCode", BROKEN)
    yield script("NoInput", inputs=[f"s3://{BUCKET}/nothing/here"])
    yield script("NoSuchMember", arguments=[first.json("Report", "no.such")])
    yield script("NoText", arguments=[text(first.json("Report", "none"))])
    yield script("NoFile", arguments=[JsonGet(S3Source(Join("/", [f"s3://{BUCKET}", "no"])), "a")])
    yield script("NotYet", arguments=[text(first.FailureReason)])
    for name, value in (("TextFor", TEXT), ("FractionFor", SHARE), ("FlagFor", FLAG)):
        limit = {"StoppingCondition": {"MaxRuntimeInSeconds": value}}
        yield script(f"{name}Whole", request=limit)
    yield script("WholeForText", request={"Environment": {"COUNT": COUNT}})
    yield script("TextForFlag", request={"NetworkConfig": {"EnableNetworkIsolation": TEXT}})
    yield script("TooLong", arguments=["x" * 300])
    yield Condition("Mixed", [equals(first.json("Report", "text"), 1)], if_steps=[script("In")])


def test_failures(service: LocalSageMaker) -> None:
    steps = list(broken())
    never = [script(f"After{step.name}", depends_on=[step]) for step in steps[1:]]
    assert check(service, forms(*steps, *never)) == {
        step.name: "Succeeded" if step.name == "First" else "Failed" for step in steps
    }


def test_ends(service: LocalSageMaker) -> None:
    def after(name: str, **ends: str) -> Step:
        return script(name, depends_on=[Dependency(*end) for end in ends.items()])

    broken = script("Broken", BROKEN)
    fork = Condition("Fork", [equals(1, 2)], if_steps=[script("Other")])
    steps = [
        script("Fine"),
        broken,
        after("Plain", Broken="Completed"),
        script(
            "Tell",
            arguments=[text(broken.FailureReason), broken.ProcessingJobStatus],
            depends_on=[Dependency("Broken", "Failed")],
        ),
        after("Clean", Broken="Failed"),
        after("Always", Broken="Any", Fine="Any"),
        after("Both", Broken="Failed", Fine="Completed"),
        after("NotNeeded", Fine="Failed"),
        script("Slow", SLEEP, request={"StoppingCondition": {"MaxRuntimeInSeconds": 1}}),
        after("OfAStop", Slow="Stopped"),
        after("OfNoStop", Broken="Stopped"),
        after("OfAStopOnly", Slow="Failed"),
        after("OfNone", Plain="Any"),
        after("OfNoFailure", Plain="Failed"),
        after("OfNoBranch", Other="Any", Fine="Completed"),
        fork,
    ]
    assert check(service, forms(*steps)) == {
        "Broken": "Failed",
        "Slow": "Stopped",
        **succeeded("Fine", "Clean", "Always", "Both", "Fork", "Tell", "OfAStop"),
    }


def test_a_fail_step_says_why(service: LocalSageMaker) -> None:
    first = script("First", WRITES)
    stop = Fail("Stop", Join(" ", ["the number is", first.json("Report", "number"), TEXT]))
    assert check(service, forms(first, stop)) == {"First": "Succeeded", "Stop": "Failed"}


def test_given_values_have_their_types(service: LocalSageMaker) -> None:
    step = script("Step", arguments=[text(item) for item in (TEXT, COUNT, SHARE, FLAG)])
    values = {"Text": json.dumps(FOUND), "Count": -7, "Share": 10**21, "Flag": True}
    assert check(service, forms(step), **values) == {"Step": "Succeeded"}
