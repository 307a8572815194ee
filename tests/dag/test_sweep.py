"""The sweep, over jobs and executions of the local SageMaker and Airflow's own database."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import pytest
from airflow import settings
from airflow.models.taskinstance import TaskInstance
from airflow.sdk import DAG, task

from include.nacre.__main__ import main
from include.nacre.dag.identity import Generation, TaskKey, job_name
from include.nacre.dag.tags import Origin, described, tags_of
from include.nacre.native.upsert import tag_list
from tests.dag.receivers import slack
from tests.dag.runs import Outcome, register, run
from tests.dag.steps import IMAGE, made, script
from tests.support.local_sagemaker import BUCKET, PROJECT, ROLE, LocalSageMaker
from tests.unit.local_service.faulty import put

FIRST = Generation(0, 1)
CLEARED = count(100)
"""No two jobs of these tests are of one generation: names can never be used again."""
GONE = "its task does not exist any more (the DAG, the run or the task was deleted)"
CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large"}
STATES = {
    "waits": "deferred",
    "runs": "running",
    "again": "up_for_retry",
    "cleared": None,
    "failed": "failed",
    "skipped": "skipped",
}
"""The states of tasks, by their ids."""


pytestmark = pytest.mark.usefixtures("airflow")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__NACRE__CALLS_PER_SECOND", "1000")


@pytest.fixture(scope="module")
def swept(airflow: None) -> Outcome:  # noqa: ARG001 (its database)
    """A run whose tasks are in all kinds of states."""
    with DAG("swept", schedule=None) as dag:
        for name in (*STATES, "mapped_1", "succeeds"):
            task(lambda: None, task_id=name)()
        task(lambda number: number, task_id="mapped").expand(number=[1, 2])
    outcome = run(dag)
    for name, state in STATES.items():
        set_state(outcome, name, state)
    set_state(outcome, "mapped", "running", map_index=0)
    return outcome


def set_state(outcome: Outcome, task_id: str, state: str | None, map_index: int = -1) -> None:
    with settings.Session() as session:
        session.query(TaskInstance).filter_by(
            run_id=outcome.run.run_id, task_id=task_id, map_index=map_index
        ).update({"state": state})
        session.commit()


@dataclass
class Jobs:
    """Jobs that are said to be those of tasks; they start for ever. `kinds` are by name."""

    service: LocalSageMaker
    run_id: str
    kinds: dict[str, str] = field(default_factory=dict)

    def start(
        self,
        task_id: str,
        kind: str = "processing",
        generation: Generation | None = None,
        name: str | None = None,
        **key: Any,
    ) -> str:
        """Start a job with a task's tags; its name."""
        whose = TaskKey("tests", "swept", self.run_id, task_id)
        origin = Origin(replace(whose, **key), generation or Generation(next(CLEARED), 1))
        name = name or job_name(origin.key, origin.generation, f"swept-{task_id}")
        create = getattr(self.service.client("sagemaker"), f"create_{kind}_job")
        create(Tags=tag_list(tags_of(origin)), **REQUESTS[kind](name))
        self.kinds[name] = kind
        return name

    def stop(self, name: str) -> None:
        self._call("stop", name)

    def status(self, name: str) -> str:
        word = self.kinds[name].capitalize()
        return str(self._call("describe", name)[f"{word}JobStatus"])

    def _call(self, verb: str, name: str) -> Any:
        kind = self.kinds[name]
        call = getattr(self.service.client("sagemaker"), f"{verb}_{kind}_job")
        return call(**{f"{kind.capitalize()}JobName": name})


def processing(name: str) -> dict[str, Any]:
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE},
        "ProcessingResources": {"ClusterConfig": {**CLUSTER, "VolumeSizeInGB": 1}},
    }


def training(name: str) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/swept"},
        "ResourceConfig": {**CLUSTER, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


REQUESTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "processing": processing,
    "training": training,
}


@pytest.fixture
def jobs(sagemaker: LocalSageMaker, swept: Outcome) -> Iterator[Jobs]:
    put(sagemaker, {"job": "*", "name": "*swept-*", "do": "slow_start", "seconds": 3600})
    some = Jobs(sagemaker, swept.run.run_id)
    yield some
    for name in some.kinds:
        if some.status(name) == "InProgress":
            some.stop(name)
    put(sagemaker)


def sweep(**conf: Any) -> Outcome:
    """What the DAG's file does, young jobs included."""
    from airflow.dag_processing.dagbag import BundleDagBag

    file = PROJECT / "dags" / "nacre_sweep.py"
    bag = BundleDagBag(dag_folder=str(file), bundle_path=file.parent, bundle_name="dags-folder")
    assert bag.import_errors == {}
    dag = bag.dags["nacre_sweep"]
    dag.get_task("sweep").retries = 0
    register(dag)
    return Outcome(dag, dag.test(run_conf={"GraceMinutes": 0, **conf}))


def found(outcome: Outcome) -> dict[str, str]:
    """Why each job is a stray, by its name; of these tests' own, whatever others have left."""
    return {item["name"]: item["why"] for item in own(outcome)}


def own(outcome: Outcome) -> list[dict[str, Any]]:
    return [item for item in outcome.result("sweep") if "swept" in item["name"]]


def test_jobs_of_tasks_that_have_ended_or_are_gone_are_strays(jobs: Jobs) -> None:
    strays = {
        jobs.start("succeeds"): "its task has ended (success)",
        jobs.start("failed"): "its task has ended (failed)",
        jobs.start("skipped", "training"): "its task has ended (skipped)",
        jobs.start("mapped_1"): "its task has ended (success)",
        jobs.start("mapped", map_index=1): "its task has ended (success)",
        jobs.start("mapped", map_index=2): GONE,
        jobs.start("renamed"): GONE,
        jobs.start("waits", run_id="deleted"): GONE,
        jobs.start("waits", run_id="\N{SPIRAL SHELL}" * 250): GONE,
        jobs.start("waits", dag_id="deleted"): GONE,
    }
    assert found(sweep()) == strays


def test_jobs_that_a_task_waits_for_or_takes_up_again_are_none(jobs: Jobs) -> None:
    for name in ("waits", "runs", "again", "cleared"):
        jobs.start(name)
    jobs.start("mapped", map_index=0)
    assert found(sweep()) == {}


def test_an_earlier_job_of_a_task_that_runs_another_is_a_stray(jobs: Jobs) -> None:
    # The run was deleted and made again: its generations begin anew.
    earlier = jobs.start("waits", generation=Generation(4, 1))
    later = jobs.start("waits", "training", generation=Generation(0, 2))
    assert found(sweep()) == {earlier: f"its task has started {later} since"}


def test_jobs_of_others_are_left_alone(jobs: Jobs, sagemaker: LocalSageMaker) -> None:
    jobs.start("failed", installation="another")
    jobs.start("failed", name="a-copy-of-swept-failed")
    jobs.start("failed", name=f"swept-copied-{'a' * 16}")
    request = processing(f"swept-not-tagged-{'b' * 16}")
    sagemaker.client("sagemaker").create_processing_job(**request)
    jobs.kinds[request["ProcessingJobName"]] = "processing"
    assert found(sweep()) == {}


def test_young_jobs_are_left_alone(jobs: Jobs) -> None:
    jobs.start("failed")
    assert found(sweep(GraceMinutes=10)) == {}


def test_strays_are_stopped_on_request_and_nothing_else_is(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    strays = [jobs.start("failed"), jobs.start("succeeds", "training")]
    live = jobs.start("waits")
    outcome = sweep(Stop=True)
    assert {name: jobs.status(name) for name in (*strays, live)} == {
        **dict.fromkeys(strays, "Stopped"),
        live: "InProgress",
    }
    assert {item["name"]: item["stopped"] for item in own(outcome)} == dict.fromkeys(strays, True)
    assert "task failed: its task has ended (failed). It was told to stop." in caplog.text


def test_a_report_names_the_job_and_its_task_and_tells_people(
    jobs: Jobs, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = jobs.start("mapped", map_index=1)
    with slack() as (bodies, connection):
        monkeypatch.setenv("AIRFLOW_CONN_NACRE_ALERTS", json.dumps(connection))
        sweep()
    line = (
        f"processing job {name}, which has been running for 0 min, of DAG swept, run {jobs.run_id},"
        " task mapped[1]: its task has ended (success). It still runs."
    )
    assert line in caplog.text
    ((_, body),) = bodies
    subject, *lines = body["text"].splitlines()
    assert ("running on SageMaker for no task*" in subject, line in lines) == (True, True)


def test_an_account_that_cannot_be_swept_keeps_no_other_from_it(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = jobs.start("failed")
    monkeypatch.setenv("AIRFLOW_CONN_NOWHERE", json.dumps({"conn_type": "aws"}))  # has no region
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable, raising=False)
    outcome = sweep(Connections=["nowhere", "aws_default"], Stop=True)
    assert (outcome.state, jobs.status(name)) == ("failed", "Stopped")


def test_an_execution_that_nobody_waits_for_is_a_stray(
    jobs: Jobs, sagemaker: LocalSageMaker
) -> None:
    client = sagemaker.client("sagemaker")
    client.create_pipeline(
        PipelineName="Swept",
        PipelineDefinition=json.dumps(made(script("Work"))),
        RoleArn=ROLE,
    )
    put(sagemaker, {"job": "*", "name": "*", "do": "slow_start", "seconds": 3600})
    arns = {}
    for task_id in ("failed", "waits"):
        origin = Origin(TaskKey("tests", "swept", jobs.run_id, task_id), FIRST)
        started = client.start_pipeline_execution(
            PipelineName="Swept",
            PipelineExecutionDescription=described(f"Why {task_id}", origin),
        )
        arns[task_id] = started["PipelineExecutionArn"]
    reason = "its task has ended (failed)"
    assert found(sweep(Stop=True)) == {arns["failed"]: reason}
    statuses = {
        name: client.describe_pipeline_execution(PipelineExecutionArn=arn)[
            "PipelineExecutionStatus"
        ]
        for name, arn in arns.items()
    }
    assert (statuses["failed"] in {"Stopping", "Stopped"}, statuses["waits"]) == (True, "Executing")
    client.stop_pipeline_execution(PipelineExecutionArn=arns["waits"])


@pytest.fixture
def command(
    sagemaker: LocalSageMaker,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str, str]]:
    """Runs the command with boto3's settings; its status, output and errors."""
    for name, value in sagemaker.environment().items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["sweep", *arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def test_the_command_reports_and_its_status_says_whether_any_still_runs(
    jobs: Jobs, command: Callable[..., tuple[int, str, str]]
) -> None:
    stray, live = jobs.start("mapped", map_index=1), jobs.start("mapped", map_index=0)
    gone = jobs.start("mapped", map_index=2)
    status, out, err = command("--grace", "0")
    found = [line.split(",")[0] for line in out.splitlines() if "swept-" in line]
    assert (status, err.splitlines()[0]) == (1, "Airflow 'tests'")
    assert sorted(found) == sorted(f"processing job {name}" for name in (stray, gone))
    assert (command("--grace", "0", "--stop")[0], jobs.status(stray), jobs.status(live)) == (
        0,
        "Stopped",
        "InProgress",
    )
    status, out, _ = command("--grace", "0")
    assert (status, "0 of them belong to no task any more" in out) == (0, True)
