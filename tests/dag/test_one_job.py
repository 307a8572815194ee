"""One job of each generation: retries adopt it, clears and failures start the next."""

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowRuntimeError, AirflowTaskTimeout, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse

from include.nacre.dag.faults import StepFailed
from include.nacre.dag.jobrun import JobRun
from include.nacre.dag.kinds import PROCESSING
from include.nacre.dag.operators import JobOperator
from include.nacre.dag.trigger import JobTrigger
from include.nacre.definition.authoring import Asset, Model, RegisterModel
from tests.dag.runs import Outcome, clear_and_run, jobs_of, run
from tests.dag.steps import IMAGE, SLEEP, dag_of, reporting, script
from tests.support.local_sagemaker import BUCKET, ROLE, LocalSageMaker

pytestmark = pytest.mark.usefixtures("airflow")


def statuses(service: LocalSageMaker, outcome: Outcome, step: str = "Work") -> list[str]:
    return [job["ProcessingJobStatus"] for job in jobs_of(service, outcome, step)]


def names(service: LocalSageMaker, outcome: Outcome, step: str = "Work") -> list[str]:
    return [job["ProcessingJobName"] for job in jobs_of(service, outcome, step)]


def broken_once() -> Any:
    """What ends a task's first try after its job has been launched, as a lost worker does."""
    broken = iter([True])

    def hook(*_: Any) -> None:
        if next(broken, False):
            raise RuntimeError("the worker is lost")

    return hook


def test_a_retry_adopts_the_job_of_the_try_before(sagemaker: LocalSageMaker) -> None:
    lost = {"Work": {"post_execute": broken_once()}}
    outcome = run(dag_of(script("Work"), retries=1, step_args=lost))
    assert (outcome.state, outcome.task("Work").try_number) == ("success", 2)
    assert statuses(sagemaker, outcome) == ["Completed"]


def test_a_retry_after_a_failed_job_starts_another_with_another_name(
    sagemaker: LocalSageMaker,
) -> None:
    always = {"retry_policy": None}
    step = script("Work", "raise SystemExit(1)")
    outcome = run(dag_of(step, retries=2, default_args=always))
    assert (outcome.state, statuses(sagemaker, outcome)) == ("failed", ["Failed"] * 3)
    assert len(set(names(sagemaker, outcome))) == 3


def work_after_another() -> list[Any]:
    """A step that writes to the same place when it is cleared: a first one does not."""
    return [script("First"), script("Work", depends_on=["First"])]


def test_a_cleared_task_starts_another_job(sagemaker: LocalSageMaker) -> None:
    outcome = clear_and_run(run(dag_of(*work_after_another())), "Work")
    assert (outcome.state, statuses(sagemaker, outcome)) == ("success", ["Completed"] * 2)


def test_a_task_that_is_cleared_with_retries_left_starts_another_job(
    sagemaker: LocalSageMaker,
) -> None:
    outcome = run(dag_of(*work_after_another(), retries=3))
    for _ in range(2):
        outcome = clear_and_run(outcome, "Work")
    assert (outcome.state, statuses(sagemaker, outcome)) == ("success", ["Completed"] * 3)


def test_a_cleared_task_gives_later_steps_its_new_result(sagemaker: LocalSageMaker) -> None:
    outcome = run(dag_of(*work_after_another()))
    before = outcome.result("Work")["name"]
    outcome = clear_and_run(outcome, "Work")
    assert [before, outcome.result("Work")["name"]] == names(sagemaker, outcome)


def test_a_run_that_is_deleted_and_made_again_starts_another_job(
    sagemaker: LocalSageMaker,
) -> None:
    dag, at = dag_of(script("Work")), datetime(2026, 11, 1, tzinfo=UTC)
    first, second = run(dag, at=at), run(dag, at=at)
    assert (second.run.run_id, second.state) == (first.run.run_id, "success")
    assert statuses(sagemaker, second) == ["Completed"] * 2


def test_a_model_and_a_package_are_made_once_even_if_their_task_is_tried_again(
    sagemaker: LocalSageMaker,
) -> None:
    container = {"Image": IMAGE}
    inference = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    group = {"ModelPackageGroupName": "tried-again", "InferenceSpecification": inference}
    steps = [
        Model("CreateOnce", {"ExecutionRoleArn": ROLE, "PrimaryContainer": container}),
        RegisterModel("Register", group),
    ]
    lost = {name: {"post_execute": broken_once()} for name in ("CreateOnce", "Register")}
    outcome = run(dag_of(*steps, retries=1, step_args=lost))
    client = sagemaker.client("sagemaker")
    models = client.list_models(NameContains="tests-create-once")["Models"]
    packages = client.list_model_packages(ModelPackageGroupName="tried-again")
    assert (outcome.state, len(models), len(packages["ModelPackageSummaryList"])) == (
        "success",
        1,
        1,
    )
    arn = packages["ModelPackageSummaryList"][0]["ModelPackageArn"]
    assert outcome.result("Register")["name"] == arn


def test_assets_are_uploaded_once_before_the_job(sagemaker: LocalSageMaker) -> None:
    asset = Asset("code.py", b"print('hello')")
    uri = asset.uri(f"s3://{BUCKET}/dag-tests")
    from dataclasses import replace

    from include.nacre.dag import PipelineDag
    from tests.dag.steps import made

    pipeline = replace(made(script("Work", inputs=[uri])), assets={uri: asset})
    outcome = run(PipelineDag("with_assets", pipeline, schedule=None))
    key = uri.removeprefix(f"s3://{BUCKET}/")
    stored = sagemaker.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert (outcome.state, stored) == ("success", asset.content)


def log_of(service: LocalSageMaker, name: str) -> list[str]:
    """The lines that a processing job has written so far."""
    logs, group = service.client("logs"), "/aws/sagemaker/ProcessingJobs"
    try:
        found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [
        event["message"]
        for stream in found["logStreams"]
        for event in logs.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
        )["events"]
    ]


def stop_when_it_runs(service: LocalSageMaker, prefix: str) -> threading.Thread:
    """Stop the job whose name begins so, as a person in the console would."""

    def stop() -> None:
        client = service.client("sagemaker")
        for _ in range(600):
            for job in client.list_processing_jobs(NameContains=prefix)["ProcessingJobSummaries"]:
                name = job["ProcessingJobName"]
                if "listening" in log_of(service, name):
                    client.stop_processing_job(ProcessingJobName=name)
                    return
            time.sleep(0.1)

    thread = threading.Thread(target=stop, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in the worker"])
def test_a_stopped_job_is_a_failure(
    deferrable: bool, sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    name = f"Stopme{deferrable:d}"
    stopping = stop_when_it_runs(sagemaker, f"tests-{name.lower()}")
    outcome = run(dag_of(script(name, SLEEP), deferrable=deferrable))
    stopping.join()
    assert (outcome.state, statuses(sagemaker, outcome, name)) == ("failed", ["Stopped"])
    assert "was stopped" in capfd.readouterr().out


class Store(dict[str, Any]):
    """Airflow's state store of a task, in memory."""

    def set(self, key: str, value: Any, **_: Any) -> None:
        self[key] = value


def started(task: JobOperator) -> tuple[JobRun, dict[str, Any]]:
    """A task whose job runs, and its context."""
    ti = SimpleNamespace(
        dag_id="by_hand",
        run_id=f"r{time.monotonic()}",
        task_id=task.task_id,
        map_index=-1,
        try_number=1,
        max_tries=0,
        start_date=datetime.now(UTC),
        xcom_push=lambda *_: None,
        get_task_states=lambda **of: {of["run_ids"][0]: {task.task_id: "failed"}},
    )
    context: dict[str, Any] = {"ti": ti, "task": task, "task_state_store": Store()}
    job = JobRun(task, context)  # type: ignore[arg-type]
    job.launch()
    return job, context


def sleeper() -> JobOperator:
    """A task of a job that sleeps, its request resolved."""
    task = dag_of(script("Work", SLEEP)).get_task("Work")
    assert isinstance(task, JobOperator)
    request: Any = task.request.value
    address = f"s3://{BUCKET}/dag-tests/by-hand"
    request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] = address
    task.request = request
    return task


def test_a_job_that_failed_while_nobody_waited_is_not_followed_by_another_unasked() -> None:
    task = sleeper()
    task.retry_policy = None
    first, again, after = fails_three_times(task)
    assert (again == first, after == first) == (True, False)


def test_a_job_whose_failure_no_try_is_to_follow_stays_the_last_one() -> None:
    """As for a process that is lost when the failure is told, but not to Airflow yet."""
    first, *later = fails_three_times(sleeper())
    assert later == [first, first]


def fails_three_times(task: JobOperator) -> list[str]:
    """The names of the jobs of three tries of a task whose script fails: of the first one, which is
    lost, and of two that fail.
    """
    request: Any = task.request
    request["AppSpecification"]["ContainerEntrypoint"][2] = "raise SystemExit(1)"
    first, context = started(task)
    first._waiting().to_the_end()
    names = [first.name]
    for _ in range(2):
        job = JobRun(task, context)  # type: ignore[arg-type]
        with pytest.raises(StepFailed, match="AlgorithmError"):
            job.execute()
        names.append(job.name)
    return names


def is_stopped(service: LocalSageMaker, name: str) -> bool:
    """Whether the service was told to stop the job; the end itself may take minutes."""
    job = service.client("sagemaker").describe_processing_job(ProcessingJobName=name)
    return job["ProcessingJobStatus"] in {"Stopping", "Stopped"}


def test_a_task_that_is_killed_in_the_worker_stops_its_job(sagemaker: LocalSageMaker) -> None:
    job, _ = started(sleeper())
    job.kill()
    assert is_stopped(sagemaker, job.name)


def silent(**_: Any) -> Any:
    error: Any = ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"message": "away"})
    raise AirflowRuntimeError(error)


@pytest.mark.parametrize(
    ("says", "tries"),
    [("none", 0), ("running", 1), ("up_for_retry", 0), (silent, 1)],
    ids=["a scheduler died", "its worker shuts down", "taken for lost", "the API server is away"],
)
def test_a_process_that_others_follow_leaves_its_job_to_them(
    sagemaker: LocalSageMaker, says: Any, tries: int
) -> None:
    job, context = started(sleeper())
    context["ti"].max_tries = tries
    state = None if says == "none" else says
    context["ti"].get_task_states = (
        says if callable(says) else lambda **of: {of["run_ids"][0]: {"Work": state}}
    )
    job.kill()
    stopped = is_stopped(sagemaker, job.name)
    with pytest.raises(StepFailed, match="is waited for no longer"):
        job.resume(job.name)
    job.kill(out_of_time=True)
    assert (stopped, is_stopped(sagemaker, job.name)) == (False, True)


def test_a_task_whose_time_in_the_worker_is_over_stops_its_job_although_tries_are_left(
    sagemaker: LocalSageMaker,
) -> None:
    job, context = started(sleeper())
    context["ti"].max_tries = 1
    context["ti"].get_task_states = lambda **of: {of["run_ids"][0]: {"Work": "running"}}
    job.task._launched = job
    try:
        raise AirflowTaskTimeout("as Airflow's own timer does")
    except AirflowTaskTimeout:
        job.task.on_kill()
    assert is_stopped(sagemaker, job.name)


def test_a_task_that_is_killed_while_deferred_stops_its_job(sagemaker: LocalSageMaker) -> None:
    job, _ = started(sleeper())
    trigger = JobTrigger(
        kind=PROCESSING.step_type,
        name=job.name,
        created=time.time(),
        aws_conn_id="aws_default",
        region_name=None,
    )
    asyncio.run(trigger.on_kill())
    assert is_stopped(sagemaker, job.name)


def test_a_deferred_task_whose_time_is_over_stops_its_job(sagemaker: LocalSageMaker) -> None:
    task = sleeper()
    task.execution_timeout = timedelta(hours=1)
    job, context = started(task)
    timeout = {"error": "Trigger timeout"}
    with pytest.raises(StepFailed, match="within the task's execution_timeout of 1:00:00"):
        task.resume_execution("__fail__", timeout, context)  # type: ignore[arg-type]
    assert is_stopped(sagemaker, job.name)


def test_a_task_whose_trigger_broke_waits_on_in_the_worker() -> None:
    task = reporting("Work", "1")
    operator = dag_of(task).get_task("Work")
    assert isinstance(operator, JobOperator)
    operator.request = sleeper().request
    operator.request["AppSpecification"]["ContainerEntrypoint"][2] = "pass"
    job, context = started(operator)
    broken = {"error": "Trigger failure", "traceback": ["KeyError"]}
    result = operator.resume_execution("__fail__", broken, context)  # type: ignore[arg-type]
    assert (result["name"], result["status"]) == (job.name, "Completed")
