"""Start, stop, retry, describe, update and list executions of pipelines."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.local.memory import START, InMemory, error_of
from tests.unit.local.pipelines import (
    ARN,
    COUNT,
    PARAMETERS,
    become,
    create,
    definition,
    run,
    start,
    step,
)

TOKEN = "t" * 32
UNKNOWN = f"{ARN}abalone/execution/aaaaaaaaaaaa"


def second(number: int) -> datetime:
    return datetime.fromtimestamp(START + number, UTC)


def describe(sagemaker: InMemory, arn: str) -> dict[str, Any]:
    return sagemaker.call("DescribePipelineExecution", PipelineExecutionArn=arn)


def status(sagemaker: InMemory, arn: str) -> str:
    return str(describe(sagemaker, arn)["PipelineExecutionStatus"])


def stop(sagemaker: InMemory, arn: str, **more: Any) -> dict[str, Any]:
    return sagemaker.call("StopPipelineExecution", PipelineExecutionArn=arn, **more)


def retry(sagemaker: InMemory, arn: str, **more: Any) -> dict[str, Any]:
    return sagemaker.call("RetryPipelineExecution", PipelineExecutionArn=arn, **more)


def listed(sagemaker: InMemory, **request: Any) -> list[str]:
    answer = sagemaker.call("ListPipelineExecutions", PipelineName="abalone", **request)
    return [item["PipelineExecutionArn"] for item in answer["PipelineExecutionSummaries"]]


def with_parameters(sagemaker: InMemory) -> None:
    create(sagemaker, PipelineDefinition=definition(parameters=PARAMETERS))


def given(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def parameters(sagemaker: InMemory, arn: str) -> dict[str, str]:
    answer = sagemaker.call("ListPipelineParametersForExecution", PipelineExecutionArn=arn)
    return {item["Name"]: item["Value"] for item in answer["PipelineParameters"]}


def id_of(arn: str) -> str:
    return arn.rpartition("/")[2]


def test_an_execution_has_the_services_arn(sagemaker: InMemory) -> None:
    pipeline = create(sagemaker)
    arn = start(sagemaker)
    assert re.fullmatch(rf"{pipeline}/execution/[a-z0-9]{{12}}", arn) is not None


def test_a_started_execution_is_executing_and_its_runner_told(sagemaker: InMemory) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    told = sagemaker.pipelines.asked
    assert (status(sagemaker, arn), told) == ("Executing", [("go on", id_of(arn))])


def test_a_pipeline_is_started_by_its_arn_too(sagemaker: InMemory) -> None:
    arn = create(sagemaker)
    assert start(sagemaker, arn).startswith(f"{arn}/execution/")


def test_an_execution_tells_what_it_was_started_with(sagemaker: InMemory) -> None:
    pipeline = create(sagemaker)
    arn = start(
        sagemaker,
        PipelineExecutionDisplayName="friday",
        PipelineExecutionDescription="before the holidays",
        ParallelismConfiguration={"MaxParallelExecutionSteps": 2},
    )
    user = {"UserProfileName": "local"}
    assert describe(sagemaker, arn) == {
        "PipelineArn": pipeline,
        "PipelineExecutionArn": arn,
        "PipelineExecutionDisplayName": "friday",
        "PipelineExecutionDescription": "before the holidays",
        "PipelineExecutionStatus": "Executing",
        "CreationTime": second(2),
        "LastModifiedTime": second(2),
        "CreatedBy": user,
        "LastModifiedBy": user,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 2},
        "PipelineVersionId": 1,
        "PipelineVersionAliases": [],
    }


def test_an_execution_without_a_name_gets_one(sagemaker: InMemory) -> None:
    create(sagemaker)
    found = describe(sagemaker, start(sagemaker))
    assert found["PipelineExecutionDisplayName"] == "execution-1790000002000"


def test_an_execution_inherits_its_pipelines_parallelism(sagemaker: InMemory) -> None:
    most = {"MaxParallelExecutionSteps": 4}
    create(sagemaker, ParallelismConfiguration=most)
    assert describe(sagemaker, start(sagemaker))["ParallelismConfiguration"] == most


def test_a_failed_execution_says_why(sagemaker: InMemory) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    become(sagemaker, arn, "Failed", failure="Step failure: A")
    (summary,) = sagemaker.call("ListPipelineExecutions", PipelineName="abalone")[
        "PipelineExecutionSummaries"
    ]
    reasons = (describe(sagemaker, arn)["FailureReason"], summary["PipelineExecutionFailureReason"])
    assert reasons == ("Step failure: A",) * 2


def test_the_same_token_starts_one_execution(sagemaker: InMemory) -> None:
    create(sagemaker)
    arn = start(sagemaker, ClientRequestToken=TOKEN)
    again = start(sagemaker, ClientRequestToken=TOKEN)
    assert (again, listed(sagemaker)) == (arn, [arn])


def test_a_token_starts_no_other_execution(sagemaker: InMemory) -> None:
    with_parameters(sagemaker)
    start(sagemaker, ClientRequestToken=TOKEN, PipelineParameters=given(Count="1"))
    other = {"ClientRequestToken": TOKEN, "PipelineParameters": given(Count="2")}
    assert error_of(start, sagemaker, **other)[0] == "ConflictException"


def test_two_starts_without_a_token_are_two_executions(sagemaker: InMemory) -> None:
    create(sagemaker)
    assert start(sagemaker) != start(sagemaker)


def test_parameters_are_listed_as_they_were_given_with_all_defaults(sagemaker: InMemory) -> None:
    with_parameters(sagemaker)
    arn = start(sagemaker, PipelineParameters=given(Fast="TRUE", Count="07"))
    assert list(parameters(sagemaker, arn).items()) == [
        ("Input", "s3://b/in"),
        ("Count", "07"),
        ("Rate", "0.5"),
        ("Fast", "TRUE"),
        ("Way", "up"),
    ]


def test_the_executor_gets_typed_values(sagemaker: InMemory) -> None:
    with_parameters(sagemaker)
    arn = start(sagemaker, PipelineParameters=given(Fast="TRUE", Count="07", Rate="1"))
    row = sagemaker.store.by_arn(arn)
    assert row is not None
    assert row.request["Parameters"] == {
        "Input": "s3://b/in",
        "Count": 7,
        "Rate": 1.0,
        "Fast": True,
        "Way": "up",
    }


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (given(), "The parameter 'Count' has no default, so it needs a value."),
        (
            given(Count="3", Inputs="x"),
            "The pipeline has no parameter 'Inputs'. Did you mean \"Input\"?",
        ),
        (
            [*COUNT, *COUNT],
            "The parameter 'Count' is given 2 times.",
        ),
        (
            given(Count="3.5"),
            "Invalid value: the parameter 'Count' is a whole number, not the text \"3.5\".",
        ),
        (
            given(Count="3", Fast="yes"),
            "Invalid value: the parameter 'Fast' is true or false, not the text \"yes\".",
        ),
        (
            given(Count="3", Way="left"),
            'Invalid value: the parameter \'Way\' takes one of "up", "down", not "left".',
        ),
        (
            given(Count="3", Input=""),
            (
                "Invalid value: the parameter 'Input': [string \"\" is too short (length: 0,"
                " required minimum: 1)]."
            ),
        ),
    ],
)
def test_parameters_that_do_not_fit_are_refused(
    sagemaker: InMemory, values: list[dict[str, str]], message: str
) -> None:
    with_parameters(sagemaker)
    found = error_of(start, sagemaker, PipelineParameters=values)
    assert (found, listed(sagemaker)) == (("ValidationException", message), [])


def test_all_faults_of_the_parameters_are_in_one_refusal(sagemaker: InMemory) -> None:
    with_parameters(sagemaker)
    values = given(Rate="fast", None_="1", Fast="1")
    _, message = error_of(start, sagemaker, PipelineParameters=values)
    words = ("'None_'", "'Count' has no default", "'Rate' is a number", "'Fast' is true or false")
    assert [word in message for word in words] == [True] * 4


def test_a_value_beyond_the_limit_is_refused(sagemaker: InMemory) -> None:
    with_parameters(sagemaker)
    code, message = error_of(start, sagemaker, PipelineParameters=given(Input="x" * 1025))
    assert (code, "less than or equal to 1024" in message) == ("ValidationException", True)


def test_a_role_is_the_pipelines_and_not_given_at_the_start(sagemaker: InMemory) -> None:
    create(sagemaker)
    role = "arn:aws:iam::123456789012:role/Other"
    assert error_of(start, sagemaker, RoleArn=role) == (
        "ValidationException",
        "RoleArn is for pipelines that AWS manages: executions of yours use the pipeline's.",
    )


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("DescribePipelineExecution", {}),
        ("UpdatePipelineExecution", {}),
        ("StopPipelineExecution", {}),
        ("RetryPipelineExecution", {}),
        ("ListPipelineExecutionSteps", {}),
        ("ListPipelineParametersForExecution", {}),
        ("DescribePipelineDefinitionForExecution", {}),
    ],
)
def test_an_execution_that_there_is_not_is_not_found(
    sagemaker: InMemory, name: str, more: dict[str, Any]
) -> None:
    create(sagemaker)
    assert error_of(sagemaker.call, name, PipelineExecutionArn=UNKNOWN, **more) == (
        "ResourceNotFound",
        f"Pipeline execution '{UNKNOWN}' does not exist.",
    )


def test_what_is_no_arn_of_an_execution_is_refused(sagemaker: InMemory) -> None:
    code, message = error_of(describe, sagemaker, "abalone")
    assert (code, "at 'pipelineExecutionArn'" in message) == ("ValidationException", True)


def test_a_stopped_execution_is_stopping_and_its_runner_told(sagemaker: InMemory) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    answer = stop(sagemaker, arn)
    assert (answer, status(sagemaker, arn), sagemaker.pipelines.asked[-1]) == (
        {"PipelineExecutionArn": arn},
        "Stopping",
        ("stop", id_of(arn)),
    )


@pytest.mark.parametrize(
    "statuses",
    [
        ("Succeeded",),
        ("Failed",),
        ("CompletedWithFailures",),
        ("Stopping",),
        ("Stopping", "Stopped"),
    ],
)
def test_only_an_execution_that_executes_is_stopped(
    sagemaker: InMemory, statuses: tuple[str, ...]
) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    become(sagemaker, arn, *statuses)
    assert error_of(stop, sagemaker, arn) == (
        "ValidationException",
        f"Only pipelines with 'Executing' status can be stopped: {arn} is {statuses[-1]}.",
    )


def test_the_same_token_stops_once(sagemaker: InMemory) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    stop(sagemaker, arn, ClientRequestToken=TOKEN)
    answer = stop(sagemaker, arn, ClientRequestToken=TOKEN)
    assert answer == {"PipelineExecutionArn": arn}


@pytest.mark.parametrize(
    "statuses", [("Failed",), ("Stopping", "Stopped"), ("CompletedWithFailures",)]
)
def test_an_execution_that_did_not_succeed_is_retried(
    sagemaker: InMemory, statuses: tuple[str, ...]
) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    become(sagemaker, arn, *statuses)
    most = {"MaxParallelExecutionSteps": 7}
    answer = retry(sagemaker, arn, ParallelismConfiguration=most)
    found = describe(sagemaker, arn)
    assert (
        answer,
        found["PipelineExecutionStatus"],
        found["ParallelismConfiguration"],
        sagemaker.pipelines.asked[-1],
    ) == ({"PipelineExecutionArn": arn}, "Executing", most, ("go on", id_of(arn)))


def test_a_retried_execution_says_no_more_why_it_failed(sagemaker: InMemory) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    become(sagemaker, arn, "Failed", failure="because")
    retry(sagemaker, arn)
    assert "FailureReason" not in describe(sagemaker, arn)


@pytest.mark.parametrize("statuses", [(), ("Succeeded",), ("Stopping",)])
def test_an_execution_that_runs_or_succeeded_is_not_retried(
    sagemaker: InMemory, statuses: tuple[str, ...]
) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    become(sagemaker, arn, *statuses)
    assert error_of(retry, sagemaker, arn) == (
        "ValidationException",
        (
            "Only pipeline executions that failed or were stopped can be retried:"
            f" {arn} is {(*statuses, 'Executing')[0]}."
        ),
    )


def test_an_update_changes_what_an_execution_is_called(sagemaker: InMemory) -> None:
    create(sagemaker)
    arn = start(sagemaker, PipelineExecutionDescription="old")
    sagemaker.call(
        "UpdatePipelineExecution",
        PipelineExecutionArn=arn,
        PipelineExecutionDisplayName="friday",
        ParallelismConfiguration={"MaxParallelExecutionSteps": 9},
    )
    found = describe(sagemaker, arn)
    keys = (*["DisplayName", "Description"],)
    assert [found[f"PipelineExecution{key}"] for key in keys] == ["friday", "old"]
    assert found["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 9}


def test_executions_are_listed_newest_first_and_of_their_pipeline(sagemaker: InMemory) -> None:
    create(sagemaker)
    create(sagemaker, "abalone2")
    arns = [start(sagemaker) for _ in range(3)]
    start(sagemaker, "abalone2")
    ascending = listed(sagemaker, SortBy="PipelineExecutionArn", SortOrder="Ascending")
    assert (listed(sagemaker), ascending) == (arns[::-1], sorted(arns))


@pytest.mark.parametrize("order", [{}, {"SortBy": "PipelineExecutionArn"}])
def test_pages_of_executions_follow_each_other(sagemaker: InMemory, order: dict[str, str]) -> None:
    create(sagemaker)
    arns = {start(sagemaker) for _ in range(5)}
    found: list[str] = []
    request: dict[str, Any] = {"PipelineName": "abalone", "MaxResults": 2, **order}
    while True:
        answer = sagemaker.call("ListPipelineExecutions", **request)
        found += [item["PipelineExecutionArn"] for item in answer["PipelineExecutionSummaries"]]
        if "NextToken" not in answer:
            break
        request["NextToken"] = answer["NextToken"]
    assert (len(found), set(found)) == (5, arns)


def test_executions_are_filtered_by_their_time(sagemaker: InMemory) -> None:
    create(sagemaker)
    first, _ = start(sagemaker), start(sagemaker)
    assert listed(sagemaker, CreatedBefore=START + 2.5) == [first]


def test_a_summary_has_what_the_services_has(sagemaker: InMemory) -> None:
    create(sagemaker)
    arn = start(sagemaker, PipelineExecutionDisplayName="friday")
    answer = sagemaker.call("ListPipelineExecutions", PipelineName="abalone")
    assert answer["PipelineExecutionSummaries"] == [
        {
            "PipelineExecutionArn": arn,
            "StartTime": second(2),
            "PipelineExecutionStatus": "Executing",
            "PipelineExecutionDisplayName": "friday",
            "PipelineVersionAliases": [],
        }
    ]


def test_tags_of_an_execution_are_its_arns(sagemaker: InMemory) -> None:
    create(sagemaker)
    arn, tags = start(sagemaker), [{"Key": "a", "Value": "b"}]
    sagemaker.call("AddTags", ResourceArn=arn, Tags=tags)
    assert sagemaker.call("ListTags", ResourceArn=arn) == {"Tags": tags}


def steps(sagemaker: InMemory, arn: str, **request: Any) -> list[dict[str, Any]]:
    answer = sagemaker.call("ListPipelineExecutionSteps", PipelineExecutionArn=arn, **request)
    return list(answer["PipelineExecutionSteps"])


def test_steps_are_those_that_have_begun_the_last_one_first(sagemaker: InMemory) -> None:
    create(sagemaker, PipelineDefinition=definition(step("A"), step("B", "A"), step("C", "B")))
    arn = start(sagemaker)
    run(sagemaker, arn, "A")
    run(sagemaker, arn, "B")
    names = [item["StepName"] for item in steps(sagemaker, arn)]
    ascending = [item["StepName"] for item in steps(sagemaker, arn, SortOrder="Ascending")]
    assert (names, ascending) == (["B", "A"], ["A", "B"])


def test_a_step_tells_what_is_known_of_it(sagemaker: InMemory) -> None:
    named = step("A", DisplayName="Clean up", Description="Drops what is broken")
    create(sagemaker, PipelineDefinition=definition(named))
    earlier, arn = start(sagemaker), start(sagemaker)
    job = "arn:aws:sagemaker:us-east-1:123456789012:processing-job/pipelines-x-a"
    run(
        sagemaker,
        arn,
        "A",
        status="Failed",
        started=START + 10,
        ended=START + 12,
        attempt=3,
        failure="AlgorithmError: no data",
        metadata={"ProcessingJob": {"Arn": job}},
        cached_from=earlier,
        reused_from=earlier,
    )
    assert steps(sagemaker, arn) == [
        {
            "StepName": "A",
            "StepDisplayName": "Clean up",
            "StepDescription": "Drops what is broken",
            "StartTime": second(10),
            "EndTime": second(12),
            "StepStatus": "Failed",
            "AttemptCount": 3,
            "FailureReason": "AlgorithmError: no data",
            "Metadata": {"ProcessingJob": {"Arn": job}},
            "CacheHitResult": {"SourcePipelineExecutionArn": earlier},
            "SelectiveExecutionResult": {"SourcePipelineExecutionArn": earlier},
        }
    ]


def test_steps_of_no_execution_are_refused(sagemaker: InMemory) -> None:
    expected = ("ValidationException", "Missing PipelineExecutionArn.")
    assert error_of(sagemaker.call, "ListPipelineExecutionSteps") == expected


def test_pages_of_steps_follow_each_other(sagemaker: InMemory) -> None:
    create(sagemaker, PipelineDefinition=definition(*(step(name) for name in "ABC")))
    arn = start(sagemaker)
    for name in "ABC":
        run(sagemaker, arn, name)
    request = {"PipelineExecutionArn": arn, "MaxResults": 2}
    first = sagemaker.call("ListPipelineExecutionSteps", **request)
    rest = sagemaker.call("ListPipelineExecutionSteps", **request, NextToken=first["NextToken"])
    found = [*first["PipelineExecutionSteps"], *rest["PipelineExecutionSteps"]]
    assert [item["StepName"] for item in found] == ["C", "B", "A"]


def test_an_execution_keeps_its_definition_when_the_pipeline_changes(sagemaker: InMemory) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    other = definition(step("Other"))
    sagemaker.call("UpdatePipeline", PipelineName="abalone", PipelineDefinition=other)
    answer = sagemaker.call("DescribePipelineDefinitionForExecution", PipelineExecutionArn=arn)
    assert answer == {"PipelineDefinition": definition(), "CreationTime": second(1)}


def test_an_execution_shows_the_names_of_its_experiment_and_trial(sagemaker: InMemory) -> None:
    trial = [{"Get": "Execution.PipelineExecutionId"}, {"Get": "Parameters.Way"}]
    config = {
        "ExperimentName": {"Get": "Execution.PipelineName"},
        "TrialName": {"Std:Join": {"On": "-", "Values": trial}},
    }
    text = definition(parameters=PARAMETERS[-1:], PipelineExperimentConfig=config)
    create(sagemaker, PipelineDefinition=text)
    arn = start(sagemaker)
    assert describe(sagemaker, arn)["PipelineExperimentConfig"] == {
        "ExperimentName": "abalone",
        "TrialName": f"{id_of(arn)}-up",
    }


def test_an_experiment_is_not_named_after_a_job(sagemaker: InMemory) -> None:
    config = {"ExperimentName": {"Get": "Execution.TrainingJobName"}, "TrialName": "t"}
    create(sagemaker, PipelineDefinition=definition(PipelineExperimentConfig=config))
    code, message = error_of(start, sagemaker)
    assert (code, "Execution.TrainingJobName has no value here" in message) == (
        "ValidationException",
        True,
    )


@pytest.mark.parametrize(
    ("resource", "name", "value"),
    [
        ("Pipeline", "PipelineName", "abalone"),
        ("PipelineExecution", "PipelineExecutionStatus", "Executing"),
        ("PipelineExecution", "Tags.team", "sea"),
    ],
)
def test_pipelines_and_executions_are_searched(
    sagemaker: InMemory, resource: str, name: str, value: str
) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    sagemaker.call("AddTags", ResourceArn=arn, Tags=[{"Key": "team", "Value": "sea"}])
    expression = {"Filters": [{"Name": name, "Operator": "Equals", "Value": value}]}
    answer = sagemaker.call("Search", Resource=resource, SearchExpression=expression)
    assert [item[resource]["PipelineArn"] for item in answer["Results"]] == [f"{ARN}abalone"]
