"""Moments that nobody planned for: each has its defined end."""

import asyncio
import contextlib
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk import DAG, TaskGroup, task_group

from include.nacre.dag import PipelineDag, PipelineTaskGroup
from include.nacre.dag.jobrun import JobRun
from include.nacre.dag.kinds import PROCESSING
from include.nacre.dag.tags import origin_of
from include.nacre.dag.trigger import JobTrigger
from include.nacre.definition.authoring import (
    Condition,
    Fail,
    Integer,
    Join,
    RetryPolicy,
    equals,
)
from tests.dag.runs import clear_and_run, jobs_of, output_of, run, run_as
from tests.dag.steps import SLEEP, dag_of, made, reporting, script
from tests.dag.test_one_job import broken_once, log_of, sleeper, started, statuses
from tests.support.local_sagemaker import LocalSageMaker
from tests.unit.local_service.faulty import put

pytestmark = pytest.mark.usefixtures("airflow")
HOURS = 5 * 3600


@pytest.mark.parametrize("wrong", [HOURS, -HOURS], ids=["ahead", "behind"])
def test_a_triggerer_whose_clock_is_hours_off_sees_the_end(wrong: int) -> None:
    job, _ = started(quick())
    job._waiting().to_the_end()  # a clock that is ahead makes all jobs old: it looks each 30 s
    trigger = JobTrigger(
        kind=PROCESSING.step_type,
        name=job.name,
        created=time.time() - wrong,
        aws_conn_id="aws_default",
        region_name=None,
    )
    assert asyncio.run(first_event(trigger)) == {"name": job.name, "status": "Completed"}


async def first_event(trigger: JobTrigger) -> dict[str, Any]:
    async for event in trigger.run():
        payload: dict[str, Any] = event.payload
        return payload
    raise AssertionError("the trigger ended without an event")


def quick() -> Any:
    """A task of a job that ends at once, its request resolved."""
    task = sleeper()
    request: Any = task.request
    request["AppSpecification"]["ContainerEntrypoint"][2] = "pass"
    return task


@pytest.mark.parametrize("wrong", [HOURS, -HOURS], ids=["forward", "back"])
def test_a_clock_that_jumps_takes_nothing_from_the_tasks_time(wrong: int) -> None:
    task = quick()
    task.execution_timeout = timedelta(hours=1)
    job, context = started(task)
    context["ti"].start_date = datetime.now(UTC) - timedelta(seconds=wrong)
    left = job._time_left()
    assert left is not None
    assert timedelta(minutes=50) < left <= timedelta(hours=1)


def without_store(context: Any) -> None:
    """As in an Airflow that keeps no state of tasks."""
    del context["task_state_store"]


def test_without_a_state_store_a_retry_adopts_and_a_clear_starts_anew(
    sagemaker: LocalSageMaker,
) -> None:
    steps = [script("First"), script("Work", depends_on=["First"])]
    hooks = {"pre_execute": without_store, "post_execute": broken_once()}
    dag = dag_of(*steps, retries=1, deferrable=False, step_args={"Work": hooks})
    outcome = run(dag)
    assert (outcome.task("Work").try_number, statuses(sagemaker, outcome)) == (2, ["Completed"])
    outcome = clear_and_run(outcome, "Work")
    assert (outcome.state, statuses(sagemaker, outcome)) == ("success", ["Completed"] * 2)


def delete_unseen(service: LocalSageMaker, prefix: str) -> threading.Thread:
    """Stop and delete the job whose name begins so, while nobody can look at it."""
    looks = [{"call": call, "do": "unavailable"} for call in ("Describe*", "ListProcessingJobs")]

    def delete() -> None:
        client = service.client("sagemaker")
        name = when_it_listens(service, prefix)
        put(service, *looks)
        client.stop_processing_job(ProcessingJobName=name)
        for _ in range(600):
            with contextlib.suppress(client.exceptions.ResourceInUse):
                client.delete_processing_job(ProcessingJobName=name)
                break
            time.sleep(0.1)
        put(service)

    thread = threading.Thread(target=delete, daemon=True)
    thread.start()
    return thread


def when_it_listens(service: LocalSageMaker, prefix: str) -> str:
    """The name of the one job that begins so, as soon as it runs."""
    client = service.client("sagemaker")
    for _ in range(600):
        for job in client.list_processing_jobs(NameContains=prefix)["ProcessingJobSummaries"]:
            name = str(job["ProcessingJobName"])
            if "listening" in log_of(service, name):
                return name
        time.sleep(0.1)
    raise TimeoutError(f"no job {prefix} has begun to listen within 60 s")


def test_a_job_that_a_person_deletes_fails_its_task(
    sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    deleting = delete_unseen(sagemaker, "tests-deleteme")
    outcome = run(dag_of(script("Deleteme", SLEEP)))
    deleting.join()
    log = capfd.readouterr().out
    assert outcome.state == "failed"
    assert "does not exist any more: somebody deleted it" in log
    assert "Worth another try (Lost)" in log


def test_the_try_after_that_makes_the_job_anew(sagemaker: LocalSageMaker) -> None:
    task = quick()
    first, context = started(task)
    first._waiting().to_the_end()
    sagemaker.client("sagemaker").delete_processing_job(ProcessingJobName=first.name)
    second = JobRun(task, context)  # type: ignore[arg-type]
    second.launch()
    answer = second._waiting().to_the_end()
    # A deleted name is free again, so it is the same.
    assert (second.name, answer["ProcessingJobStatus"]) == (first.name, "Completed")


def test_two_deployments_with_the_same_dags_share_an_account_and_nothing_else(
    sagemaker: LocalSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dag, at = dag_of(script("Work")), datetime(2026, 11, 2, tzinfo=UTC)
    here = run(dag, at=at)
    address = output_of(here, "Work")
    monkeypatch.setenv("AIRFLOW__NACRE__INSTALLATION", "elsewhere")
    there = run(dag, at=at)
    assert (here.run.run_id, statuses(sagemaker, there)) == (there.run.run_id, ["Completed"])
    assert output_of(there, "Work") != address


def test_a_run_id_of_250_characters(sagemaker: LocalSageMaker) -> None:
    first = reporting("First", "1")
    last = script("Last", arguments=[first.output("report")])
    outcome = run_as(dag_of(first, last), "a:run+of_~" * 25)
    jobs = [jobs_of(sagemaker, outcome, name) for name in ("First", "Last")]
    assert (outcome.state, [len(found) for found in jobs]) == ("success", [1, 1])


# By hand: the API server of dag.test() takes no other letters in an address.
def test_a_run_id_in_any_alphabet(sagemaker: LocalSageMaker) -> None:
    run_id = ("貝殻 çödé 🐚 {{ ds }} a/b?c=&%41 \\ \n" * 250)[:250]
    task = quick()
    context = by_hand(task, run_id)
    first, second = JobRun(task, context), JobRun(task, context)
    first.launch()
    second.launch()
    assert (first.name, run_of(sagemaker, first.name)) == (second.name, run_id)


def run_of(service: LocalSageMaker, name: str) -> str | None:
    """The run that a job was started by, as its tags say."""
    client = service.client("sagemaker")
    arn = client.describe_processing_job(ProcessingJobName=name)["ProcessingJobArn"]
    tags = client.list_tags(ResourceArn=arn)["Tags"]
    origin = origin_of({tag["Key"]: tag["Value"] for tag in tags})
    return origin and origin.key.run_id


def by_hand(task: Any, run_id: str) -> Any:
    """The context of a task that has started nothing yet."""
    _, context = started(task)
    context["ti"].run_id = run_id
    context["task_state_store"].clear()
    return context


def test_a_dag_that_is_renamed_starts_its_own_jobs_and_takes_none(
    sagemaker: LocalSageMaker,
) -> None:
    at = datetime(2026, 11, 3, tzinfo=UTC)
    old, new = (PipelineDag(name, made(script("Work")), schedule=None) for name in ("was", "now"))
    before, after = run(old, at=at), run(new, at=at)
    assert (before.run.run_id, after.state) == (after.run.run_id, "success")
    assert [statuses(sagemaker, outcome) for outcome in (before, after)] == [["Completed"]] * 2


def test_a_pipeline_that_is_renamed_between_two_tries_keeps_its_job() -> None:
    task = sleeper()
    first, context = started(task)
    task.readable = "another-name"
    second = JobRun(task, context)
    second.launch()
    second.kill()
    assert second.name == first.name


def test_of_mapped_tasks_each_is_tried_again_by_itself(sagemaker: LocalSageMaker) -> None:
    policy = RetryPolicy(("SageMaker.CAPACITY_ERROR",), interval_seconds=0, max_attempts=1)
    count = Integer("Count")
    work = script("MappedWork", arguments=[Join("", [count])], retry_policies=[policy])
    with DAG("mapped_retries", schedule=None) as dag:

        @task_group
        def each(number: Any) -> None:
            PipelineTaskGroup("g", made(work, parameters=[count]), parameters={"Count": number})

        each.expand(number=[1, 2, 3])
    put(sagemaker, {"job": "Processing", "name": "*mapped-work-*", "do": "capacity", "times": 2})
    outcome = run(dag)
    put(sagemaker)
    client = sagemaker.client("sagemaker")
    jobs = client.list_processing_jobs(NameContains="mapped-work")["ProcessingJobSummaries"]
    ends = Counter(job["ProcessingJobStatus"] for job in jobs)
    tries = [outcome.task("each.g.MappedWork", index).try_number for index in range(3)]
    assert (outcome.state, ends) == ("success", {"Failed": 2, "Completed": 3})
    assert sorted(tries) == [1, 2, 2]


LONG = "x" * 62


def test_steps_with_names_of_64_characters_in_groups_three_deep() -> None:
    first, second = (reporting(f"{LONG}-{number}", str(number)) for number in (1, 2))
    fork = Condition(
        f"{LONG}-f",
        [equals(first.json("Report", "value"), 1), equals(second.json("Report", "value"), 2)],
        if_steps=[script(f"{LONG}-i", inputs=[second.output("report")])],
        else_steps=[Fail(f"{LONG}-e", "no")],
    )
    with DAG("three_deep", schedule=None) as dag, TaskGroup("a"), TaskGroup("b"):
        PipelineTaskGroup("c", made(first, second, fork))
    outcome = run(dag)
    states = {name.removeprefix(f"a.b.c.{LONG}-"): state for name, state in outcome.states.items()}
    assert states == {
        "1": "success",
        "2": "success",
        "f": "success",
        "i": "success",
        "e": "skipped",
    }
    names = [outcome.result(f"a.b.c.{LONG}-{end}")["name"] for end in "12i"]
    assert (len({*names}), max(map(len, names))) == (3, 63)
