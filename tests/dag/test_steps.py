"""Pipelines run step by step: references, results, branches, ends."""

import json
from typing import Any

import pytest

from include.nacre.definition.authoring import (
    EXECUTION_ID,
    PIPELINE_NAME,
    PROCESSING_JOB_NAME,
    Boolean,
    Condition,
    Fail,
    Float,
    Integer,
    Join,
    String,
    equals,
    less_than_or_equal,
    or_,
)
from tests.dag.runs import jobs_of, output_of, run
from tests.dag.steps import SLEEP, dag_of, reporting, script
from tests.support.local_sagemaker import LocalSageMaker

pytestmark = pytest.mark.usefixtures("airflow")
WAYS = pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in the worker"])


def report(service: LocalSageMaker, address: str) -> Any:
    """The report that a job has written."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    body = service.client("s3").get_object(Bucket=bucket, Key=f"{key}/report.json")["Body"]
    return json.loads(body.read())["value"]


@WAYS
def test_a_step_reads_what_the_step_before_has_written(
    deferrable: bool, sagemaker: LocalSageMaker
) -> None:
    first = reporting("First", "20 + 1")
    read = "json.load(open('/opt/ml/processing/in0/report.json'))['value'] * 2"
    second = reporting("Second", read, inputs=[first.output("report")])
    outcome = run(dag_of(second, first, deferrable=deferrable))
    assert (outcome.states, report(sagemaker, output_of(outcome, "Second"))) == (
        {"First": "success", "Second": "success"},
        42,
    )


def test_a_job_that_takes_longer_is_waited_for_in_the_triggerer(sagemaker: LocalSageMaker) -> None:
    outcome = run(dag_of(script("Work", "import time; time.sleep(4)")))
    (job,) = jobs_of(sagemaker, outcome, "Work")
    assert (outcome.state, job["ProcessingJobStatus"]) == ("success", "Completed")


def test_xcom_has_the_facts_of_the_job_and_what_later_steps_refer_to(
    sagemaker: LocalSageMaker,
) -> None:
    first = reporting("First", "1")
    second = script("Second", inputs=[first.output("report")])
    outcome = run(dag_of(first, second))
    (job,) = jobs_of(sagemaker, outcome, "First")
    left = outcome.result("First")
    assert list(left) == [
        *("kind", "name", "arn", "status", "created", "started", "ended", "billable_seconds"),
        "properties",
    ]
    assert (left["name"], left["arn"]) == (job["ProcessingJobName"], job["ProcessingJobArn"])
    assert left["properties"] == {
        "ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri": output_of(outcome, "First")
    }
    assert outcome.result("Second")["properties"] == {}


def test_a_name_begins_with_pipeline_and_step(sagemaker: LocalSageMaker) -> None:
    outcome = run(dag_of(script("WriteReport")))
    (job,) = jobs_of(sagemaker, outcome, "WriteReport")
    assert job["ProcessingJobName"].rpartition("-")[0] == "tests-write-report"


def test_a_name_in_the_request_is_the_beginning_of_the_jobs_name(
    sagemaker: LocalSageMaker,
) -> None:
    step = script("Work", request={"ProcessingJobName": "my-prefix"})
    outcome = run(dag_of(step))
    (job,) = jobs_of(sagemaker, outcome, "Work")
    assert job["ProcessingJobName"].rpartition("-")[0] == "my-prefix"


def test_literal_braces_reach_the_job_untouched(sagemaker: LocalSageMaker) -> None:
    text = "{{ ds }} {% raw %} {# x #} conf.json"
    step = reporting("Work", "sys.argv[1]", arguments=[text])
    outcome = run(dag_of(step))
    assert report(sagemaker, output_of(outcome, "Work")) == text


def test_execution_variables_are_the_same_for_all_steps_of_a_run(
    sagemaker: LocalSageMaker,
) -> None:
    variables = [Join("|", [PIPELINE_NAME, EXECUTION_ID])]
    steps = [reporting(name, "sys.argv[1]", arguments=variables) for name in ("A", "B")]
    outcome = run(dag_of(*steps))
    first, second = (report(sagemaker, output_of(outcome, name)) for name in ("A", "B"))
    assert (first, first.startswith("Tests|"), len(first)) == (second, True, len("Tests|") + 12)


def test_a_job_may_know_its_own_name(sagemaker: LocalSageMaker) -> None:
    outcome = run(dag_of(reporting("Work", "sys.argv[1]", arguments=[PROCESSING_JOB_NAME])))
    (job,) = jobs_of(sagemaker, outcome, "Work")
    assert report(sagemaker, output_of(outcome, "Work")) == job["ProcessingJobName"]


def test_links_lead_to_the_job_and_its_log(sagemaker: LocalSageMaker) -> None:
    outcome = run(dag_of(script("Work")))
    name, pages = outcome.result("Work")["name"], f"{sagemaker.endpoint}/console"
    assert outcome.result("Work", "nacre_job_link") == f"{pages}/processing-jobs/{name}"
    assert outcome.result("Work", "nacre_log_link") == f"{pages}/logs/processing-jobs/{name}"


PARAMETERS = [String("Text", "x"), Integer("Count", 3), Float("Share", 0.5), Boolean("Flag", False)]


def test_parameters_keep_their_types(sagemaker: LocalSageMaker) -> None:
    step = script(
        "Work",
        request={
            "StoppingCondition": {"MaxRuntimeInSeconds": PARAMETERS[1]},
            "NetworkConfig": {"EnableNetworkIsolation": PARAMETERS[3]},
            "Environment": {"TEXT": Join("", [PARAMETERS[0], PARAMETERS[2]])},
        },
    )
    outcome = run(dag_of(step, parameters=PARAMETERS), {"Count": 60, "Share": 2, "Text": "{{ y }}"})
    (job,) = jobs_of(sagemaker, outcome, "Work")
    assert (
        job["StoppingCondition"]["MaxRuntimeInSeconds"],
        job["NetworkConfig"]["EnableNetworkIsolation"],
        job["Environment"],
    ) == (60, False, {"TEXT": "{{ y }}2.0"})


def graded() -> tuple[Any, Any, Float]:
    """A step with a value to judge, the value, and the threshold."""
    threshold = Float("Threshold", 6.0)
    grade = reporting("Grade", "4.9")
    return grade, grade.json("Report", "value"), threshold


def test_a_condition_that_holds_skips_the_other_branch() -> None:
    grade, value, threshold = graded()
    check = Condition(
        "Check",
        [less_than_or_equal(value, threshold)],
        if_steps=[script("Good")],
        else_steps=[Fail("Bad", "no")],
    )
    outcome = run(dag_of(grade, check, parameters=[threshold]))
    assert (outcome.state, outcome.states) == (
        "success",
        {"Grade": "success", "Check": "success", "Good": "success", "Bad": "skipped"},
    )


def test_a_condition_that_does_not_hold_skips_the_first_branch_with_all_that_follows() -> None:
    grade, value, threshold = graded()
    good = script("Good")
    after = script("AfterGood", inputs=[good.output("report")])
    after_both = script("AfterBoth", depends_on=["Good", "Fine"])
    check = Condition(
        "Check",
        [less_than_or_equal(value, threshold)],
        if_steps=[good, after],
        else_steps=[script("Fine")],
    )
    always = script("Always", depends_on=["Check"])
    outcome = run(
        dag_of(grade, check, after_both, always, parameters=[threshold]), {"Threshold": 1}
    )
    assert (outcome.state, outcome.states) == (
        "success",
        {
            "Grade": "success",
            "Check": "success",
            "Good": "skipped",
            "AfterGood": "skipped",
            "Fine": "success",
            "AfterBoth": "skipped",
            "Always": "success",
            # The failure of Fine would be shown by no other task: AfterBoth is skipped with Good.
            "unseen_failures": "success",
        },
    )


def test_conditions_may_be_nested_and_branches_empty() -> None:
    inner = Condition("Inner", [equals(1, 2)], if_steps=[script("Never")])
    other = Condition("Other", [equals(1, 1)], if_steps=[Fail("NotThis", "no")])
    outer = Condition("Outer", [equals(1, 1)], if_steps=[inner], else_steps=[other])
    outcome = run(dag_of(outer))
    assert (outcome.state, outcome.states) == (
        "success",
        {
            "Outer": "success",
            "Inner": "success",
            "Never": "skipped",
            "Other": "skipped",
            "NotThis": "skipped",
        },
    )


def test_each_comparison_is_shown_with_its_values(capfd: pytest.CaptureFixture[str]) -> None:
    grade, value, threshold = graded()
    check = Condition("Check", [or_(less_than_or_equal(value, threshold), equals(1, 2))])
    outcome = run(dag_of(grade, check, parameters=[threshold]))
    read = "'value' of the property file 'Report' of step 'Grade'"
    expected = [f"4.9 ≤ 6.0 is true: {read} ≤ Parameters.Threshold", "1 = 2 is false"]
    assert outcome.rendered("Check")["conditions"] == {"holds": True, "comparisons": expected}
    log = capfd.readouterr().out
    assert [line for line in expected if line not in log] == []
    assert "The conditions hold, so nothing more of this step runs" in log


def test_a_later_step_may_refer_to_the_outcome(sagemaker: LocalSageMaker) -> None:
    check = Condition("Check", [equals(1, 1)])
    step = reporting("Work", "sys.argv[1]", arguments=[check.Outcome])
    outcome = run(dag_of(check, step))
    assert report(sagemaker, output_of(outcome, "Work")) == "True"


def test_a_fail_step_fails_with_its_message_and_without_retries(
    capfd: pytest.CaptureFixture[str],
) -> None:
    grade, value, threshold = graded()
    stop = Fail("Stop", Join(" ", ["the error is", value, "and not", threshold]))
    outcome = run(dag_of(grade, stop, parameters=[threshold], retries=2))
    assert (outcome.state, outcome.states["Stop"]) == ("failed", "failed")
    assert outcome.task("Stop").try_number == 1
    assert "StepRefused: the error is 4.9 and not 6.0" in capfd.readouterr().out


def test_a_step_after_the_failure_of_another_runs(sagemaker: LocalSageMaker) -> None:
    from include.nacre.definition.authoring import Dependency

    broken = script("Broken", "raise SystemExit(1)")
    clean = script("Clean", depends_on=[Dependency("Broken", "Failed")])
    outcome = run(dag_of(broken, clean))
    assert outcome.states == {"Broken": "failed", "Clean": "success"}
    assert len(jobs_of(sagemaker, outcome, "Clean")) == 1


def test_a_job_that_outlives_its_time_is_stopped(sagemaker: LocalSageMaker) -> None:
    from datetime import timedelta

    limits = {"execution_timeout": timedelta(seconds=4)}
    outcome = run(dag_of(script("Work", SLEEP), deferrable=False, default_args=limits))
    (job,) = jobs_of(sagemaker, outcome, "Work")
    assert (outcome.state, job["ProcessingJobStatus"] in {"Stopping", "Stopped"}) == (
        "failed",
        True,
    )
