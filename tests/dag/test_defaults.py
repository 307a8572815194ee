"""What jobs have beside their step's request: defaults given once, and the tags of their origin."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from airflow import settings
from airflow.models.variable import Variable
from airflow.sdk.exceptions import ErrorType
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import (
    ErrorResponse,
    GetVariable,
    GetVariableKeys,
    VariableKeysResult,
)

from include.nacre.dag import PipelineDag
from include.nacre.dag.dressing import VARIABLE, deployment_defaults
from include.nacre.dag.faults import StepFailed
from include.nacre.dag.identity import Generation, TaskKey
from include.nacre.dag.kinds import PROCESSING
from include.nacre.dag.tags import Origin, origin_in, origin_of
from include.nacre.definition.authoring import Model, RegisterModel
from include.nacre.definition.jobdefaults import JobDefaultsError
from tests.dag.runs import Outcome, clear_and_run, jobs_of, run
from tests.dag.steps import IMAGE, dag_of, made, script
from tests.support.local_sagemaker import ROLE, LocalSageMaker

pytestmark = pytest.mark.usefixtures("airflow")
VPC = {"Subnets": ["subnet-0a1"], "SecurityGroupIds": ["sg-0a1"]}


@pytest.fixture
def defaults(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the variable for the runs of one test."""

    def set_to(document: Any) -> None:
        text = document if isinstance(document, str) else json.dumps(document)
        monkeypatch.setenv("AIRFLOW_VAR_NACRE_DEFAULTS", text)

    return set_to


def tags_of_arn(service: LocalSageMaker, arn: str) -> dict[str, str]:
    pages = service.client("sagemaker").get_paginator("list_tags").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def job_tags(service: LocalSageMaker, outcome: Outcome, step: str = "Work") -> dict[str, str]:
    return tags_of_arn(service, jobs_of(service, outcome, step)[-1]["ProcessingJobArn"])


def own(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that are not ours."""
    return {key: value for key, value in tags.items() if not key.startswith("nacre:")}


def test_a_jobs_tags_say_which_task_of_which_run_has_started_it(sagemaker: LocalSageMaker) -> None:
    outcome = run(dag_of(script("First"), script("Work", depends_on=["First"])))
    key = TaskKey("tests", outcome.dag.dag_id, outcome.run.run_id, "Work")
    first = origin_of(job_tags(sagemaker, outcome))
    second = origin_of(job_tags(sagemaker, clear_and_run(outcome, "Work")))
    assert (first, second) == (Origin(key, Generation(0, 1)), Origin(key, Generation(1, 1)))
    name = jobs_of(sagemaker, outcome, "Work")[-1]["ProcessingJobName"]
    assert second is not None
    assert second.has_made(name, PROCESSING.name_limit)


def test_models_and_groups_of_versions_have_tags_too(
    sagemaker: LocalSageMaker, defaults: Any
) -> None:
    defaults({"Tags": {"team": "ml"}})
    inference = {
        "Containers": [{"Image": IMAGE}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    group = {"ModelPackageGroupName": "tagged", "InferenceSpecification": inference}
    model = {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}}
    outcome = run(dag_of(Model("Create", model), RegisterModel("Register", group)))
    client = sagemaker.client("sagemaker")
    arn = client.describe_model_package_group(ModelPackageGroupName="tagged")
    origin = origin_of(tags_of_arn(sagemaker, outcome.result("Create")["arn"]))
    assert (origin and origin.key.task_id, tags_of_arn(sagemaker, arn["ModelPackageGroupArn"])) == (
        "Create",
        {"team": "ml", "nacre:installation": "tests", "nacre:dag_id": outcome.dag.dag_id},
    )


def test_defaults_come_into_the_request_and_the_log_tells_them(
    sagemaker: LocalSageMaker, defaults: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    defaults({"VpcConfig": VPC, "OutputKmsKeyId": "alias/ml", "Tags": {"team": "ml", "stage": "x"}})
    tags = [{"Key": "team", "Value": "own"}]
    outcome = run(dag_of(script("Work", request={"Tags": tags})))
    (job,) = jobs_of(sagemaker, outcome, "Work")
    found = (job["NetworkConfig"], job["ProcessingOutputConfig"]["KmsKeyId"])
    assert found == ({"VpcConfig": VPC}, "alias/ml")
    assert own(job_tags(sagemaker, outcome)) == {"team": "own", "stage": "x"}
    given = {"VpcConfig": VPC, "OutputKmsKeyId": "alias/ml", "Tags": {"stage": "x"}}
    assert json.dumps(given) in capfd.readouterr().out.replace("\\", "")


def test_a_dag_and_a_step_win_over_the_variable(sagemaker: LocalSageMaker, defaults: Any) -> None:
    defaults({"EnableNetworkIsolation": True, "Tags": {"stage": "all"}})
    dag = dag_of(
        script("A"),
        script("B", request={"NetworkConfig": {"EnableNetworkIsolation": False}}),
        default_args={"job_defaults": {"Tags": {"stage": "this"}}},
        step_args={"B": {"job_defaults": {"Tags": {"stage": None}}}},
    )
    outcome = run(dag)
    found = {
        step: (
            jobs_of(sagemaker, outcome, step)[0]["NetworkConfig"]["EnableNetworkIsolation"],
            own(job_tags(sagemaker, outcome, step)),
        )
        for step in "AB"
    }
    assert found == {"A": (True, {"stage": "this"}), "B": (False, {})}


def variable(text: str) -> None:
    """Put the variable into Airflow's database."""
    with settings.Session() as session:
        session.query(Variable).filter_by(key=VARIABLE).delete()
        session.add(Variable(key=VARIABLE, val=text))
        session.commit()


@pytest.fixture
def in_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(f"AIRFLOW_VAR_{VARIABLE.upper()}")
    yield
    with settings.Session() as session:
        session.query(Variable).filter_by(key=VARIABLE).delete()
        session.commit()


@pytest.mark.usefixtures("in_database")
def test_the_variable_is_read_when_a_job_is_created_and_need_not_exist(
    sagemaker: LocalSageMaker,
) -> None:
    dag = dag_of(script("Work"))
    without = own(job_tags(sagemaker, run(dag)))
    variable('{"Tags": {"team": "ml"}}')
    assert (without, own(job_tags(sagemaker, run(dag)))) == ({}, {"team": "ml"})


class BusyServer:
    """An API server that answers for the names of variables, and fails for their values."""

    def send(self, message: Any) -> Any:
        if isinstance(message, GetVariableKeys):
            return VariableKeysResult(keys=[VARIABLE], total_entries=1)
        assert isinstance(message, GetVariable)
        return ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"status_code": 500})


def test_defaults_that_are_there_and_cannot_be_read_are_not_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(f"AIRFLOW_VAR_{VARIABLE.upper()}")
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", BusyServer(), raising=False)
    with pytest.raises(StepFailed, match="nacre_defaults cannot be read at the moment"):
        deployment_defaults()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"Tags": ', "the Airflow variable nacre_defaults is not JSON: line 1, column 10"),
        ('{"VpcConfg": {}}', 'unknown key "VpcConfg" — Did you mean "VpcConfig"?'),
    ],
)
def test_wrong_defaults_start_no_job_and_are_not_tried_again(
    text: str,
    message: str,
    sagemaker: LocalSageMaker,
    defaults: Any,
    capfd: pytest.CaptureFixture[str],
) -> None:
    defaults(text)
    outcome = run(dag_of(script("Work"), retries=2))
    assert (outcome.state, outcome.task("Work").try_number) == ("failed", 1)
    assert (jobs_of(sagemaker, outcome, "Work"), message in capfd.readouterr().out) == ([], True)


def test_wrong_defaults_of_a_dag_are_found_while_it_is_parsed() -> None:
    with pytest.raises(JobDefaultsError, match="job_defaults of Work has 1 fault"):
        dag_of(script("Work"), default_args={"job_defaults": {"Tags": ["team"]}})


def test_a_job_without_room_for_our_tags_starts_without_them(
    sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    tags = [{"Key": f"own{number}", "Value": "x"} for number in range(48)]
    outcome = run(dag_of(script("Work", request={"Tags": tags})))
    assert (outcome.state, len(job_tags(sagemaker, outcome))) == ("success", 48)
    assert "Without the tags that the sweep knows its jobs by" in capfd.readouterr().out


def test_native_mode_sends_the_same_defaults_with_the_pipeline(
    sagemaker: LocalSageMaker, defaults: Any
) -> None:
    defaults({"VpcConfig": VPC, "Tags": {"team": "ml", "stage": "all"}})
    dag = PipelineDag(
        "native_defaults",
        made(script("Work")),
        mode="native",
        schedule=None,
        native_args={"role_arn": ROLE, "tags": {"stage": "own"}, "execution_description": "Why"},
    )
    outcome = run(dag)
    client = sagemaker.client("sagemaker")
    arn = outcome.result("Tests")["arn"]
    description = client.describe_pipeline_execution(PipelineExecutionArn=arn)
    (step,) = client.list_pipeline_execution_steps(PipelineExecutionArn=arn)[
        "PipelineExecutionSteps"
    ]
    job_arn = step["Metadata"]["ProcessingJob"]["Arn"]
    job = client.describe_processing_job(ProcessingJobName=job_arn.rpartition("/")[2])
    assert (job["NetworkConfig"], tags_of_arn(sagemaker, job_arn)["team"]) == (
        {"VpcConfig": VPC},
        "ml",
    )
    pipeline_tags = tags_of_arn(sagemaker, description["PipelineArn"])
    assert pipeline_tags == {"team": "ml", "stage": "own"}
    said = description["PipelineExecutionDescription"]
    key = TaskKey("tests", "native_defaults", outcome.run.run_id, "Tests")
    assert (said.startswith("Why "), origin_in(said)) == (True, Origin(key, Generation(0, 1)))
