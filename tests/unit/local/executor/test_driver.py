"""What an execution does: jobs are created, looked at and stopped through the service itself."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from include.nacre.local.pipelines.execution import stop_asked
from include.nacre.local.pipelines.records import EXECUTION, VERSION, changing
from tests.unit.local.executor.running import Running
from tests.unit.local.memory import BUCKET, ROLE, XGBOOST, InMemory, error_of, training, transform
from tests.unit.local.pipelines import change, step

REPORT = [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}]


@pytest.fixture
def running(sagemaker: InMemory) -> Running:
    return Running(sagemaker)


def get(target: str) -> dict[str, str]:
    return {"Get": target}


def with_environment(name: str, *after: str, **values: Any) -> dict[str, Any]:
    made = step(name, *after)
    made["Arguments"]["Environment"] = values
    return made


def condition(name: str, left: Any, right: Any, yes: list[Any], no: list[Any]) -> dict[str, Any]:
    test = {"Type": "Equals", "LeftValue": left, "RightValue": right}
    return {
        "Name": name,
        "Type": "Condition",
        "Arguments": {"Conditions": [test], "IfSteps": yes, "ElseSteps": no},
    }


def writing_report(name: str = "Eval") -> dict[str, Any]:
    made = step(name, PropertyFiles=REPORT)
    made["Arguments"]["ProcessingOutputConfig"] = {
        "Outputs": [
            {
                "OutputName": "report",
                "S3Output": {
                    "S3Uri": f"s3://{BUCKET}/reports/",
                    "LocalPath": "/opt/ml/processing/report",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    }
    return made


def fail(name: str, message: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}


def stop(running: Running, arn: str) -> None:
    change(running.sagemaker, arn, stop_asked)
    running.look(arn)


def test_steps_run_one_after_the_other_and_the_execution_succeeds(running: Running) -> None:
    arn = running.start(step("A"), step("B", "A"))
    first = running.statuses(arn)
    running.finish(arn, "A")
    second = running.statuses(arn)
    running.finish(arn, "B")
    assert [first, second, running.statuses(arn), running.execution(arn).status] == [
        {"A": "Executing"},
        {"A": "Succeeded", "B": "Executing"},
        {"A": "Succeeded", "B": "Succeeded"},
        "Succeeded",
    ]


def test_a_job_is_called_as_on_the_service_and_watched(running: Running) -> None:
    arn = running.start(step("Pre_process-1"))
    (name,) = running.created
    assert re.fullmatch(r"pipelines-[a-z0-9]{12}-Pre-process-1-[A-Za-z0-9]{10}", name)
    assert running.watched == {("processing", name): arn.rpartition("/")[2]}


def test_a_name_in_the_arguments_is_a_prefix(running: Running) -> None:
    named = step("A")
    named["Arguments"]["ProcessingJobName"] = {"Std:Join": {"On": "-", "Values": ["my", "job"]}}
    running.start(named)
    assert re.fullmatch(r"my-job-[a-z0-9]{12}-[A-Za-z0-9]{10}-0", running.created[0])


def test_references_have_their_values_and_types(running: Running) -> None:
    second = with_environment(
        "B",
        job=get("Steps.A.ProcessingJobName"),
        began=get("Steps.A.CreationTime"),
        text=get("Parameters.Text"),
        joined={"Std:Join": {"On": "/", "Values": [get("Parameters.Count"), True, 0.5]}},
        pipeline=get("Execution.PipelineName"),
        arn=get("Execution.PipelineArn"),
        execution=get("Execution.PipelineExecutionArn"),
        since=get("Execution.StartDateTime"),
        own=get("Execution.ProcessingJobName"),
    )
    second["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = get(
        "Parameters.Count"
    )
    arn = running.start(
        step("A"),
        second,
        parameters=[{"Name": "Text", "Type": "String"}, {"Name": "Count", "Type": "Integer"}],
        PipelineParameters=[{"Name": "Text", "Value": "t"}, {"Name": "Count", "Value": "2"}],
    )
    running.finish(arn, "A")
    request = running.describe(arn, "B")
    assert request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] == 2
    values = request["Environment"]
    assert re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", values.pop("began"))
    assert re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d:\d\dZ", values.pop("since"))
    assert values == {
        "job": running.step(arn, "A").job,
        "text": "t",
        "joined": "2/True/0.5",
        "pipeline": "p",
        "arn": arn.rpartition("/execution/")[0],
        "execution": arn,
        "own": running.step(arn, "B").job,
    }


def test_a_property_that_is_not_there_fails_the_step_that_wants_it(running: Running) -> None:
    arn = running.start(step("A"), with_environment("B", why=get("Steps.A.FailureReason")))
    running.finish(arn, "A")
    assert (running.execution(arn).status, running.step(arn, "B").failure) == (
        "Failed",
        "ClientError: Steps.A.FailureReason has no value: what it made has no such member",
    )


@pytest.mark.parametrize(("score", "status"), [(1, "Succeeded"), (2, "Failed")])
def test_a_condition_looks_into_a_property_file(running: Running, score: int, status: str) -> None:
    value = {
        "Std:JsonGet": {"PropertyFile": get("Steps.Eval.PropertyFiles.Report"), "Path": "a[0].b"}
    }
    arn = running.start(
        writing_report(),
        condition(
            "C", value, 1, [], [fail("F", {"Std:Join": {"On": " ", "Values": ["is", value]}})]
        ),
    )
    running.sagemaker.put("reports/report.json", json.dumps({"a": [{"b": score}]}).encode())
    end = running.finish(arn, "Eval")
    assert (end.status, end.failure) == (status, None if score == 1 else f"is {score}")


@pytest.mark.parametrize("content", [None, b"{", b"[" * 100_000])
def test_a_property_file_that_cannot_be_read_fails_the_step(
    running: Running, content: bytes | None
) -> None:
    value = {"Std:JsonGet": {"PropertyFile": get("Steps.Eval.PropertyFiles.Report"), "Path": "a"}}
    arn = running.start(writing_report(), condition("C", value, 1, [], []))
    if content is not None:
        running.sagemaker.put("reports/report.json", content)
    running.finish(arn, "Eval")
    reason = str(running.step(arn, "C").failure)
    assert (running.statuses(arn)["C"], "reports/report.json" in reason) == ("Failed", True)


def test_the_outcome_of_a_condition_is_its_metadata_and_property(running: Running) -> None:
    arn = running.start(
        condition("C", 1, 1, [step("I")], [step("E")]),
        with_environment("B", outcome=get("Steps.C.Outcome")),
    )
    assert running.statuses(arn) == {"C": "Succeeded", "I": "Executing", "B": "Executing"}
    assert running.step(arn, "C").metadata == {"Condition": {"Outcome": "True"}}
    assert running.describe(arn, "B")["Environment"] == {"outcome": "True"}


def test_a_condition_that_cannot_be_decided_fails(running: Running) -> None:
    value = {"Std:JsonGet": {"PropertyFile": get("Steps.Eval.PropertyFiles.Report"), "Path": "a"}}
    arn = running.start(writing_report(), condition("C", value, 1, [step("I")], []))
    running.sagemaker.put("reports/report.json", b'{"a": "one"}')
    end = running.finish(arn, "Eval")
    reason = str(running.step(arn, "C").failure)
    assert (end.status, running.statuses(arn)) == ("Failed", {"Eval": "Succeeded", "C": "Failed"})
    assert "Equals compares values of one type" in reason


def test_training_model_transform_and_registration(running: Running) -> None:
    fit, score = training(), transform()
    del fit["TrainingJobName"], score["TransformJobName"]
    score["ModelName"] = get("Steps.Model.ModelName")
    data = get("Steps.Fit.ModelArtifacts.S3ModelArtifacts")
    running.sagemaker.put("batch/a.csv")
    arn = running.start(
        {"Name": "Fit", "Type": "Training", "Arguments": fit},
        {
            "Name": "Model",
            "Type": "Model",
            "Arguments": {
                "ExecutionRoleArn": ROLE,
                "PrimaryContainer": {"Image": XGBOOST, "ModelDataUrl": data},
            },
        },
        {"Name": "Score", "Type": "Transform", "Arguments": score},
        {
            "Name": "Register",
            "Type": "RegisterModel",
            "Arguments": {
                "ModelPackageGroupName": "abalone",
                "InferenceSpecification": {
                    "Containers": [{"Image": XGBOOST, "ModelDataUrl": data}],
                    "SupportedContentTypes": ["text/csv"],
                    "SupportedResponseMIMETypes": ["text/csv"],
                },
                "SkipModelValidation": "None",
            },
        },
        with_environment("Last", package=get("Steps.Register.ModelPackageArn")),
    )
    artifacts = {"S3ModelArtifacts": running.sagemaker.put("models/model.tar.gz")}
    running.finish(arn, "Fit", facts={"ModelArtifacts": artifacts})
    package = "arn:aws:sagemaker:us-east-1:123456789012:model-package/abalone/1"
    found = running.execution(arn).steps
    assert {name: [*run.metadata] for name, run in found.items()} == {
        "Fit": ["TrainingJob"],
        "Model": ["Model"],
        "Register": ["RegisterModel"],
        "Score": ["TransformJob"],
        "Last": ["ProcessingJob"],
    }
    assert found["Register"].metadata["RegisterModel"]["Arn"] == package
    assert running.describe(arn, "Last")["Environment"] == {"package": package}
    assert running.describe(arn, "Score")["ModelName"] == found["Model"].job


def test_a_model_that_was_deleted_fails_the_step_that_refers_to_it(running: Running) -> None:
    image = {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": XGBOOST}}
    arn = running.start(
        {"Name": "Model", "Type": "Model", "Arguments": image},
        step("A"),
        with_environment("B", "A", model=get("Steps.Model.ModelName")),
    )
    name = running.step(arn, "Model").job
    running.sagemaker.call("DeleteModel", ModelName=name)
    _, missing = error_of(running.sagemaker.call, "DescribeModel", ModelName=name)
    end = running.finish(arn, "A")
    assert (end.status, running.step(arn, "B").failure) == (
        "Failed",
        f"ClientError: what step 'Model' created is gone: {missing}",
    )


def test_a_package_finds_its_group_whatever_the_case_of_its_name(running: Running) -> None:
    running.sagemaker.call("CreateModelPackageGroup", ModelPackageGroupName="Abalone")
    image = {"InferenceSpecification": {"Containers": [{"Image": XGBOOST}]}}
    arguments = {"ModelPackageGroupName": "abalone", **image}
    arn = running.start({"Name": "R", "Type": "RegisterModel", "Arguments": arguments})
    assert running.execution(arn).status == "Succeeded"


def test_a_refused_request_fails_the_step_with_the_services_words(running: Running) -> None:
    wrong = step("A")
    wrong["Arguments"]["AppSpecification"]["ImageUri"] = "nobody/knows:1"
    arn = running.start(wrong)
    reason = str(running.step(arn, "A").failure)
    assert reason.startswith(
        "ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: "
    )
    assert "nobody/knows:1" in reason
    assert running.execution(arn).failure == (
        f"Step failure: One or multiple steps failed. A: {reason}"
    )


def test_a_request_of_the_wrong_type_is_refused_as_over_the_wire(running: Running) -> None:
    wrong = step("A")
    wrong["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = "one"
    arn = running.start(wrong)
    assert "STRING_VALUE can not be converted to an Integer" in str(running.step(arn, "A").failure)


def test_a_step_type_that_does_not_run_here_fails_by_its_name(running: Running) -> None:
    arn = running.start(
        {"Name": "L", "Type": "Lambda", "FunctionArn": "arn:aws:lambda:x", "Arguments": {}},
        step("A", "L"),
    )
    assert running.execution(arn).status == "Failed"
    assert running.step(arn, "L").failure == (
        "ClientError: The local SageMaker does not run Lambda steps. It runs: Callback, Condition,"
        " Fail, Model, Processing, RegisterModel, Training, Transform. Run this pipeline on"
        " SageMaker, or run its other steps with SelectiveExecutionConfig."
    )


def test_a_failed_job_fails_its_step_with_the_jobs_reason(running: Running) -> None:
    arn = running.start(step("A"), step("B"))
    running.finish(
        arn, "A", "Failed", reason="AlgorithmError: See job logs", facts={"ExitMessage": "no"}
    )
    assert (running.statuses(arn), running.step(arn, "A").failure) == (
        {"A": "Failed", "B": "Executing"},
        "AlgorithmError: See job logs. no",
    )
    assert running.finish(arn, "B").status == "Failed"


def test_a_job_that_somebody_stopped_stops_its_step_and_fails_the_execution(
    running: Running,
) -> None:
    arn = running.start(step("A"))
    end = running.finish(arn, "A", "Stopped")
    assert (running.statuses(arn), end.status) == ({"A": "Stopped"}, "Failed")


def test_a_job_that_somebody_deleted_fails_its_step_alone(running: Running) -> None:
    arn = running.start(step("A"), step("B"))
    job = running.job(arn, "A")
    running.sagemaker.happen(job.kind, job.name, "StopAsked", "Stopped")
    running.sagemaker.store.delete(*job)  # before the executor has looked
    running.look(arn)
    running.finish(arn, "B")
    assert (running.statuses(arn), running.step(arn, "A").failure) == (
        {"A": "Failed", "B": "Succeeded"},
        f"ClientError: Could not find requested job with name: {job.name}",
    )


def test_a_fail_step_lets_running_steps_end_and_gives_its_message(running: Running) -> None:
    arn = running.start(step("A"), step("B", "A"), fail("F", "enough"), step("C"))
    waiting = (running.execution(arn).status, running.statuses(arn))
    running.finish(arn, "A")
    end = running.finish(arn, "C")
    # C was ready when F was, so it ran; B was not.
    assert waiting == ("Executing", {"A": "Executing", "F": "Failed", "C": "Executing"})
    assert (end.status, end.failure, "B" in end.steps) == ("Failed", "enough", False)


def test_the_message_of_a_fail_step_is_cut_to_what_the_api_can_tell(running: Running) -> None:
    arn = running.start(fail("F", {"Std:Join": {"On": "", "Values": ["x" * 3000, "y" * 3000]}}))
    run = running.step(arn, "F")
    told = run.metadata["Fail"]["ErrorMessage"]
    assert (len(told), run.failure) == (3072, "x" * 1024)


def test_parallelism_holds_steps_back(running: Running) -> None:
    arn = running.start(
        step("A"), step("B"), step("C"), ParallelismConfiguration={"MaxParallelExecutionSteps": 2}
    )
    first = running.statuses(arn)
    running.finish(arn, "A")
    assert (list(first), list(running.statuses(arn))) == (["A", "B"], ["A", "B", "C"])


def test_a_stop_stops_what_runs_and_starts_nothing(running: Running) -> None:
    arn = running.start(step("A"), step("B", "A"))
    stop(running, arn)
    asked = running.sagemaker.jobs.asked[-1]
    between = (running.execution(arn).status, running.statuses(arn))
    job = running.job(arn, "A")
    running.sagemaker.happen(job.kind, job.name, "Stopped")
    end = running.look(arn)
    assert asked == ("stop", *job)
    assert between == ("Stopping", {"A": "Stopping"})
    assert (end.status, running.statuses(arn)) == ("Stopped", {"A": "Stopped"})


def test_a_job_that_completed_before_it_noticed_the_stop_has_succeeded(running: Running) -> None:
    arn = running.start(step("A"), step("B", "A"))
    stop(running, arn)
    end = running.finish(arn, "A")
    assert (end.status, running.statuses(arn)) == ("Stopped", {"A": "Succeeded"})


def test_a_stopped_execution_is_retried_with_new_jobs(running: Running) -> None:
    arn = running.start(step("A"), step("B", "A"))
    running.finish(arn, "A")
    running.finish(arn, "B", "Failed", reason="AlgorithmError")
    running.sagemaker.call("RetryPipelineExecution", PipelineExecutionArn=arn)
    running.look(arn)
    end = running.finish(arn, "B")
    names = running.created
    assert (end.status, len(names), len(set(names))) == ("Succeeded", 3, 3)


def failing_with(reason: str) -> dict[str, Any]:
    return {"end": "Failed", "reason": reason}


def retried(name: str = "A", **policy: Any) -> dict[str, Any]:
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], **policy}
    return step(name, RetryPolicies=[policy])


INTERNAL = failing_with("InternalServerError: We encountered an internal error.")


def test_a_retry_policy_starts_another_job_after_its_interval(running: Running) -> None:
    arn = running.start(retried(IntervalSeconds=60, MaxAttempts=2))
    running.finish(arn, "A", **INTERNAL)
    waiting = running.step(arn, "A")
    running.look(arn)
    still = running.step(arn, "A")
    running.sagemaker.clock.now = waiting.retry_at or 0.0
    running.look(arn)
    again = running.step(arn, "A")
    assert (waiting.status, waiting.attempt, len(running.created)) == ("Starting", 2, 2)
    assert (still, again.status, again.retry_at) == (waiting, "Executing", None)
    assert running.finish(arn, "A").status == "Succeeded"


def test_attempts_are_used_up(running: Running) -> None:
    arn = running.start(retried(IntervalSeconds=0, MaxAttempts=2))
    for _ in range(2):
        running.finish(arn, "A", **INTERNAL)
        running.look(arn)
    end = running.finish(arn, "A", **INTERNAL)
    run = running.step(arn, "A")
    assert (end.status, run.attempt, run.status, len(running.created)) == ("Failed", 3, "Failed", 3)


def test_other_failures_are_not_retried(running: Running) -> None:
    arn = running.start(retried())
    assert running.finish(arn, "A", **failing_with("AlgorithmError: x")).status == "Failed"


def test_a_quota_that_is_used_up_is_retried_if_the_step_says_so(running: Running) -> None:
    many = retried(ExceptionType=["SageMaker.RESOURCE_LIMIT"], IntervalSeconds=0, MaxAttempts=1)
    many["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 21
    arn = running.start(many)
    end = running.look(arn)
    run = running.step(arn, "A")
    assert (end.status, run.attempt) == ("Failed", 2)
    assert "account-level service limit" in str(run.failure)


def test_a_stop_ends_a_step_that_waits_for_its_next_attempt(running: Running) -> None:
    arn = running.start(retried(IntervalSeconds=60))
    running.finish(arn, "A", **INTERNAL)
    stop(running, arn)
    assert (running.execution(arn).status, running.statuses(arn)) == ("Stopped", {"A": "Stopped"})


def cached(name: str = "A", expire: str = "P1D", **environment: Any) -> dict[str, Any]:
    made = with_environment(name, **environment)
    return {**made, "CacheConfig": {"Enabled": True, "ExpireAfter": expire}}


VALUE = [{"Name": "V", "Type": "String", "DefaultValue": "1"}]


def test_a_cached_step_has_the_result_of_the_earlier_execution(running: Running) -> None:
    arn = running.start(cached(), with_environment("B", job=get("Steps.A.ProcessingJobName")))
    running.finish(arn, "A")
    first = running.step(arn, "A")
    second = running.again()
    again = running.step(second, "A")
    assert (again.status, again.job, again.cached_from) == ("Succeeded", first.job, arn)
    assert running.describe(second, "B")["Environment"] == {"job": first.job}


def test_a_result_that_came_from_the_cache_stays_as_old_as_it_was(running: Running) -> None:
    arn = running.start(cached(expire="PT1H"))
    running.finish(arn, "A")
    clock = running.sagemaker.clock
    clock.now += 3000
    second = running.step(running.again(), "A")
    clock.now += 3000
    third = running.step(running.again(), "A")
    assert (second.cached_from, third.cached_from, third.status) == (arn, None, "Executing")


@pytest.mark.parametrize(
    ("changed", "hit"),
    [("2", False), ("1", True)],
)
def test_other_values_of_what_counts_run_anew(running: Running, changed: str, hit: bool) -> None:
    arn = running.start(cached(v=get("Parameters.V")), parameters=VALUE)
    running.finish(arn, "A")
    second = running.again(PipelineParameters=[{"Name": "V", "Value": changed}])
    assert (running.step(second, "A").cached_from == arn) is hit


def test_instances_do_not_count(running: Running) -> None:
    made = cached()
    cluster = made["Arguments"]["ProcessingResources"]["ClusterConfig"]
    cluster["InstanceCount"] = get("Parameters.N")
    arn = running.start(made, parameters=[{"Name": "N", "Type": "Integer", "DefaultValue": 1}])
    running.finish(arn, "A")
    second = running.again(PipelineParameters=[{"Name": "N", "Value": "2"}])
    assert running.step(second, "A").cached_from == arn


@pytest.mark.parametrize("other", ["other step", "other pipeline", "failed", "not enabled"])
def test_what_is_not_this_steps_success_is_not_reused(running: Running, other: str) -> None:
    arn = running.start(cached())
    running.finish(arn, "A", **(INTERNAL if other == "failed" else {}))
    if other == "failed":
        name, second = "A", running.again()
    elif other == "other pipeline":
        name, second = "A", running.start(cached(), name="q")
    elif other == "other step":
        name, second = "a", running.start(cached("a"), name="P2")
    else:
        off = {**cached(), "CacheConfig": {"Enabled": False, "ExpireAfter": "P1D"}}
        text = json.dumps({"Version": "2020-12-01", "Steps": [off]})
        running.sagemaker.call(
            "UpdatePipeline", PipelineName="p", PipelineDefinition=text, RoleArn=ROLE
        )
        name, second = "A", running.again()
    assert running.step(second, name).cached_from is None


def test_a_pipeline_that_was_deleted_and_made_anew_begins_without_results(
    running: Running,
) -> None:
    arn = running.start(cached())
    running.finish(arn, "A")
    running.sagemaker.call("DeletePipeline", PipelineName="p", ClientRequestToken="d" * 32)
    assert running.statuses(running.start(cached())) == {"A": "Executing"}


def test_a_later_success_takes_the_place_of_the_older_one(running: Running) -> None:
    arn = running.start(cached(expire="PT1H"))
    running.finish(arn, "A")
    running.sagemaker.clock.now += 4000
    second = running.again()
    running.finish(second, "A")
    assert running.step(running.again(), "A").cached_from == second


def test_an_execution_of_a_definition_that_is_gone_fails_with_the_reason(
    running: Running, sagemaker: InMemory
) -> None:
    arn = running.start(step("A"))
    sagemaker.store.delete(VERSION, "p/1")
    end = running.look(arn)
    assert (end.status, end.failure) == (
        "Failed",
        "ClientError: version 1 of pipeline 'p' does not exist any more",
    )


def test_a_definition_that_is_read_once_serves_a_pipeline_made_anew(
    running: Running, sagemaker: InMemory
) -> None:
    arn = running.start(step("A"))
    running.finish(arn, "A")
    sagemaker.call("DeletePipeline", PipelineName="p", ClientRequestToken="d" * 32)
    second = running.start(step("B"))
    assert list(running.statuses(second)) == ["B"]


def test_a_selective_execution_takes_what_it_needs_from_its_source(running: Running) -> None:
    arn = running.start(step("A"), with_environment("B", job=get("Steps.A.ProcessingJobName")))
    running.finish(arn, "A")
    running.finish(arn, "B", **failing_with("AlgorithmError"))
    second = running.again(
        SelectiveExecutionConfig={
            "SourcePipelineExecutionArn": arn,
            "SelectedSteps": [{"StepName": "B"}],
        }
    )
    first = running.step(arn, "A").job
    assert running.describe(second, "B")["Environment"] == {"job": first}
    assert running.finish(second, "B").status == "Succeeded"
    assert running.step(second, "A").reused_from == arn


def test_an_unknown_execution_is_no_trouble(running: Running) -> None:
    assert running.driver.advance("nobody") is None


def test_giving_up_leaves_nothing_running(running: Running) -> None:
    arn = running.start(step("A"))
    job = running.job(arn, "A")
    running.driver.give_up(arn.rpartition("/")[2], "InternalServerError: x")
    found = running.execution(arn)
    assert (found.status, found.failure, running.statuses(arn)) == (
        "Failed",
        "InternalServerError: x",
        {"A": "Failed"},
    )
    assert running.sagemaker.jobs.asked[-1] == ("stop", *job)


class Interrupted:
    """A store in which somebody stops an execution right before its n-th change."""

    def __init__(self, sagemaker: InMemory, changes: int) -> None:
        self.sagemaker = sagemaker
        self.left = changes

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sagemaker.store, name)

    def update(self, kind: str, name: str, how: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            now = self.sagemaker.clock()
            self.sagemaker.store.update(EXECUTION, name, changing(stop_asked, now))
        return self.sagemaker.store.update(kind, name, how)


@pytest.mark.parametrize("changes", [1, 2])
def test_a_stop_that_comes_between_the_look_and_the_start_is_kept(
    running: Running, sagemaker: InMemory, changes: int
) -> None:
    """The driver decides on what it has read; the store decides on what is there."""
    arn = running.start(step("A"), step("B", "A"))
    job = running.job(arn, "A")
    sagemaker.happen(job.kind, job.name, "Launched", "Running", "Completed")
    store: Any = Interrupted(sagemaker, changes)
    running.driver = running.new_driver(replace(sagemaker.world, store=store))
    end = running.look(arn)
    assert (end.status, running.statuses(arn)) == ("Stopped", {"A": "Succeeded"})


def test_a_stop_that_comes_before_the_end_is_written_down_is_kept(
    running: Running, sagemaker: InMemory
) -> None:
    arn = running.start(step("A"))
    job = running.job(arn, "A")
    sagemaker.happen(job.kind, job.name, "Launched", "Running", "Completed")
    store: Any = Interrupted(sagemaker, 2)
    running.driver = running.new_driver(replace(sagemaker.world, store=store))
    assert running.look(arn).status == "Stopped"
