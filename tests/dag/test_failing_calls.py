"""Three of ten calls to SageMaker fail: what a pipeline comes to stays the same, nothing is done
twice.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from include.nacre.dag import PipelineDag
from include.nacre.definition.authoring import (
    Condition,
    Fail,
    Join,
    Model,
    Pipeline,
    RegisterModel,
    Training,
    less_than,
    pipeline,
)
from tests.dag.outcomes.bodies import IMAGE, TRAIN, cluster
from tests.dag.outcomes.courses import Ledger
from tests.dag.runs import Outcome, run
from tests.dag.steps import reporting, script
from tests.support.local_sagemaker import BUCKET, ROLE, LocalSageMaker
from tests.unit.local_service.faulty import asked, put

pytestmark = pytest.mark.usefixtures("airflow")

WAYS = ("throttle", "internal", "unavailable", "drop", "drop_after")
SHARE = 0.0689
"""Of each of the five ways: together they let three of ten calls fail."""
CREATIONS = {
    "steps": (
        "CreateProcessingJob",
        "CreateTrainingJob",
        "CreateModel",
        "CreateModelPackageGroup",
        "CreateModelPackage",
    ),
    "native": ("CreatePipeline", "StartPipelineExecution"),
}
"""The calls that must not be made twice, by the mode. The first answer of each is lost."""


@pytest.fixture(autouse=True)
def _in_order_afterwards(sagemaker: LocalSageMaker) -> Iterator[None]:
    yield
    put(sagemaker)


def train(name: str, source: Any) -> Training:
    channel = {"S3DataType": "S3Prefix", "S3Uri": source}
    return Training(
        name,
        {
            "RoleArn": ROLE,
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python3", "-c", TRAIN],
            },
            "HyperParameters": {"text": "a", "score": "1", "exit": "0"},
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": channel}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/failing-calls"},
            "ResourceConfig": cluster(),
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )


def small_abalone(name: str) -> Pipeline:
    """The shape of the abalone pipeline: process, train, evaluate, and register what is good."""
    process = reporting("Process", "4.9")
    model = train("Train", process.output("report"))
    evaluate = reporting("Evaluate", "4.9", inputs=[model.ModelArtifacts.S3ModelArtifacts])
    container = {"Image": IMAGE, "ModelDataUrl": model.ModelArtifacts.S3ModelArtifacts}
    register = RegisterModel(
        "Register",
        {
            "ModelPackageGroupName": name,
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        },
    )
    create = Model("Create", {"ExecutionRoleArn": ROLE, "PrimaryContainer": container})
    score = script("Score", depends_on=[create])
    good = Condition(
        "Good",
        [less_than(evaluate.json("Report", "value"), 6)],
        if_steps=[register, create, score],
        else_steps=[Fail("Bad", Join(" ", ["no", "good"]))],
    )
    return pipeline(name, steps=[process, model, evaluate, good])


MADE = {"Processing": 3, "Training": 1, "Model": 1, "RegisterModel": 1}


def failing_run(service: LocalSageMaker, name: str, mode: str, *, deferrable: bool) -> Outcome:
    """A run of the pipeline without a single retry, while calls fail."""
    lost = ({"call": call, "do": "drop_after", "times": 1} for call in CREATIONS[mode])
    put(service, *lost, *({"call": "*", "do": way, "share": SHARE} for way in WAYS), seed=5)
    defaults = {"deferrable": deferrable, "retries": 0}
    dag = PipelineDag(name, small_abalone(name), mode, schedule=None, default_args=defaults)
    outcome = run(dag)
    _, scenario = asked(service, "GET", "/faults")
    put(service)
    assert scenario["acted"][: len(CREATIONS[mode])] == [1] * len(CREATIONS[mode])
    return outcome


def counted(ledger: Ledger) -> Counter[str]:
    """How many of each kind were created."""
    return Counter(item.type for item in ledger.new().values())


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in the worker"])
def test_step_by_step(deferrable: bool, sagemaker: LocalSageMaker) -> None:
    ledger = Ledger(sagemaker)
    outcome = failing_run(sagemaker, f"Failing{deferrable:d}", "steps", deferrable=deferrable)
    tries = [ti.try_number for ti in outcome.run.get_task_instances() if ti.task_id != "Bad"]
    assert (outcome.state, outcome.states["Bad"], set(tries)) == ("success", "skipped", {1})
    assert counted(ledger) == MADE


def test_natively(sagemaker: LocalSageMaker) -> None:
    ledger = Ledger(sagemaker)
    outcome = failing_run(sagemaker, "FailingNative", "native", deferrable=True)
    client = sagemaker.client("sagemaker")
    executions = client.list_pipeline_executions(PipelineName="FailingNative")
    assert (outcome.state, len(executions["PipelineExecutionSummaries"])) == ("success", 1)
    assert counted(ledger) == MADE
