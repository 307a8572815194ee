"""Retries that fit the failure, in Airflow."""

import json
import os
import signal
import threading
import time

import pytest
from airflow.sdk import ExceptionRetryPolicy

from include.nacre.dag.policies import PolicyRetries
from include.nacre.dag.retries import FITTING_RETRIES
from include.nacre.definition.authoring import Condition, RetryPolicy, equals
from tests.dag.runs import run
from tests.dag.steps import SLEEP, dag_of, reporting, script
from tests.dag.test_one_job import log_of, statuses
from tests.support.local_sagemaker import LocalSageMaker
from tests.unit.local_service.test_restart import supervisor_of

pytestmark = pytest.mark.usefixtures("airflow")
BREAKS = "raise SystemExit(1)"


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in the worker"])
def test_a_script_that_failed_is_not_run_again(
    deferrable: bool, sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    code = f"import time; time.sleep(2.5); {BREAKS}"
    outcome = run(dag_of(script("Work", code), retries=2, deferrable=deferrable))
    assert (outcome.state, statuses(sagemaker, outcome)) == ("failed", ["Failed"])
    assert "Not worth another try (AlgorithmError): its script failed" in capfd.readouterr().out


def lose_the_jobs(service: LocalSageMaker, prefix: str, number: int) -> threading.Thread:
    """Kill the processes of so many jobs, one after the other: their machines are lost."""

    def lose() -> None:
        client, lost = service.client("sagemaker"), set[str]()
        for _ in range(600):
            jobs = client.list_processing_jobs(NameContains=prefix)["ProcessingJobSummaries"]
            for name in {job["ProcessingJobName"] for job in jobs} - lost:
                if "listening" in log_of(service, name):
                    os.kill(supervisor_of(service.state, name), signal.SIGKILL)
                    lost.add(name)
            if len(lost) == number:
                return
            time.sleep(0.1)

    thread = threading.Thread(target=lose, daemon=True)
    thread.start()
    return thread


def test_a_fault_of_the_service_is_tried_again_as_often_as_the_task_may(
    sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    losing = lose_the_jobs(sagemaker, "tests-loseme", 2)
    outcome = run(dag_of(script("Loseme", SLEEP), retries=1))
    losing.join()
    assert (outcome.state, statuses(sagemaker, outcome, "Loseme")) == ("failed", ["Failed"] * 2)
    assert "Worth another try (InternalServerError): SageMaker had a fault of its own" in (
        capfd.readouterr().out
    )


def test_a_job_that_ran_as_long_as_it_may_is_not_run_again(
    sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    slow = script("Slow", SLEEP, request={"StoppingCondition": {"MaxRuntimeInSeconds": 1}})
    outcome = run(dag_of(slow, retries=1))
    assert (outcome.state, statuses(sagemaker, outcome, "Slow")) == ("failed", ["Stopped"])
    assert "Not worth another try (MaxRuntimeExceeded)" in capfd.readouterr().out


def test_a_file_that_is_out_of_reach_is_read_again(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    expired = {"conn_type": "aws", "extra": {"profile_name": "gone", "region_name": "us-east-1"}}
    monkeypatch.setenv("AIRFLOW_CONN_EXPIRED", json.dumps(expired))
    grade = reporting("Grade", "1")
    check = Condition("Check", [equals(grade.json("Report", "value"), 1)])
    reads = {"Check": {"aws_conn_id": "expired"}}
    outcome = run(dag_of(grade, check, retries=1, step_args=reads))
    assert (outcome.states["Check"], outcome.task("Check").try_number) == ("failed", 2)
    assert "ProfileNotFound" in capfd.readouterr().out


INTERNAL = RetryPolicy(("SageMaker.JOB_INTERNAL_ERROR",), interval_seconds=1, max_attempts=1)


def test_what_a_steps_policies_name_is_tried_again_as_often_as_they_say(
    sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    losing = lose_the_jobs(sagemaker, "tests-named", 2)
    outcome = run(dag_of(script("Named", SLEEP, retry_policies=[INTERNAL]), retries=0))
    losing.join()
    assert (outcome.state, statuses(sagemaker, outcome, "Named")) == ("failed", ["Failed"] * 2)
    log = capfd.readouterr().out
    assert "attempt 1 for SageMaker.JOB_INTERNAL_ERROR by the step's RetryPolicies" in log
    assert "the step's RetryPolicies allow no more after 1" in log


def test_what_a_steps_policies_do_not_name_is_not_tried_again(sagemaker: LocalSageMaker) -> None:
    capacity = RetryPolicy(("SageMaker.CAPACITY_ERROR",))
    losing = lose_the_jobs(sagemaker, "tests-unnamed", 1)
    outcome = run(dag_of(script("Unnamed", SLEEP, retry_policies=[capacity]), retries=3))
    losing.join()
    assert (outcome.state, statuses(sagemaker, outcome, "Unnamed")) == ("failed", ["Failed"])


def test_a_steps_policies_are_its_tasks_retry_policy() -> None:
    steps = [script(name, retry_policies=[INTERNAL]) for name in "ABC"]
    own = ExceptionRetryPolicy(rules=[])
    arguments = {"B": {"retries": 2}, "C": {"retry_policy": own}}
    dag = dag_of(*steps, script("D"), retries=4, step_args=arguments)
    tasks = [dag.get_task(name) for name in "ABCD"]
    by_policy = PolicyRetries((INTERNAL,), own=4)
    # One for INTERNAL and five for calls, which the service tries again by itself.
    assert [(task.retries, task.retry_policy) for task in tasks] == [
        (1 + 5 + 4, by_policy),
        (2, PolicyRetries((INTERNAL,), own=2)),
        (4, own),
        (4, FITTING_RETRIES),
    ]


def test_a_policy_for_all_tasks_wins_over_a_steps() -> None:
    always = {"retry_policy": None}
    dag = dag_of(script("A", retry_policies=[INTERNAL]), retries=4, default_args=always)
    assert (dag.get_task("A").retries, dag.get_task("A").retry_policy) == (4, None)


def test_a_policy_of_the_authors_wins() -> None:
    own = ExceptionRetryPolicy(rules=[])
    check = Condition("A", [equals(1, 1)])
    steps = [script(name) for name in "BCD"]
    dag = dag_of(
        check,
        *steps,
        default_args={"retry_policy": None},
        step_args={"C": {"retry_policy": own}, "D": {"retry_policy": FITTING_RETRIES}},
    )
    found = [dag.get_task(name).retry_policy for name in "ABCD"]
    assert found == [None, None, own, FITTING_RETRIES]


def test_without_one_it_fits_the_failure() -> None:
    assert dag_of(script("Work")).get_task("Work").retry_policy is FITTING_RETRIES
