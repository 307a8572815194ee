"""Starting executions: text for the service, one error for people."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.definition.authoring import Boolean, Fail, Float, Integer, String, pipeline
from include.nacre.definition.parameters import parse_parameter
from include.nacre.definition.records import Parameter
from include.nacre.native.start import (
    StartError,
    StartOptions,
    as_text,
    latest_execution,
    parameter_list,
    start,
    start_request,
)
from tests.support.definitions import Json, scalars
from tests.unit.native.memory import ARN

PIPELINE = pipeline(
    "Abalone",
    parameters=[
        String("Data"),
        Float("Threshold", 6.0),
        Integer("Rounds", 50),
        Boolean("Fast", False),
        String("Stage", "dev", enum_values=["dev", "prod"]),
    ],
    steps=[Fail("Stop", "no"), Fail("Halt", "no")],
)


def test_typed_values_are_sent_as_text_in_the_order_of_the_definition() -> None:
    values = {"Fast": True, "Rounds": 7, "Data": "s3://b/d", "Threshold": 3}
    assert parameter_list(PIPELINE, values) == [
        {"Name": "Data", "Value": "s3://b/d"},
        {"Name": "Threshold", "Value": "3.0"},
        {"Name": "Rounds", "Value": "7"},
        {"Name": "Fast", "Value": "true"},
    ]


@given(scalars)
def test_the_service_reads_the_value_that_was_given(value: Json) -> None:
    types = {str: "String", int: "Integer", float: "Float", bool: "Boolean"}
    assert parse_parameter(Parameter("P", types[type(value)]), as_text(value)) == value


def test_all_that_is_wrong_with_the_values_is_one_error() -> None:
    values = {"Treshold": 1, "Rounds": "many", "Stage": "prd"}
    with pytest.raises(StartError) as caught:
        parameter_list(PIPELINE, values)
    assert str(caught.value).splitlines() == [
        "pipeline Abalone cannot be started:",
        "  - it has no parameter 'Treshold'. Did you mean \"Threshold\"?",
        "  - the parameter 'Data' (String) has no default: give it a value",
        "  - the parameter 'Rounds' is a whole number, not the text \"many\"",
        '  - the parameter \'Stage\' takes one of "dev", "prod", not "prd"',
    ]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"selected_steps": ["Stopp"]}, "it has no step 'Stopp' to select. Did you mean \"Stop\"?"),
        ({"selected_steps": ["Stop"] * 51}, "51 steps are selected, at most 50 can be"),
        ({"source_execution_arn": ARN}, "a source execution is given, but no selected steps"),
        (
            {"version_id": 1, "version_alias": "a"},
            "both a version's id and an alias are given: give one of them",
        ),
        (
            {"display_name": "run of 11:30"},
            "the display name 'run of 11:30' takes up to 82 letters and digits, hyphens in between",
        ),
        ({"parallelism": 0}, "parallelism is a whole number of at least 1, not 0"),
    ],
)
def test_options_that_do_not_fit_are_refused_together_with_the_values(
    options: dict[str, Any], fault: str
) -> None:
    with pytest.raises(StartError) as caught:
        start_request(PIPELINE, {"Data": 1, "Rounds": 0.5}, StartOptions(**options))
    assert caught.value.faults == (
        fault,
        "the parameter 'Rounds' is a whole number, not the number 0.5",
    )


def test_a_plain_start_says_nothing_that_was_not_given() -> None:
    assert start_request(PIPELINE, {"Data": "d"}) == {
        "PipelineName": "Abalone",
        "PipelineParameters": [{"Name": "Data", "Value": "d"}],
    }


def test_everything_that_the_start_call_knows_can_be_given() -> None:
    options = StartOptions(
        display_name="by-hand",
        description="d",
        parallelism=2,
        selected_steps=["Stop"],
        source_execution_arn="arn:source",
        version_id=3,
    )
    assert start_request(PIPELINE, {"Data": "d"}, options, source="arn:latest") == {
        "PipelineName": "Abalone",
        "PipelineParameters": [{"Name": "Data", "Value": "d"}],
        "PipelineExecutionDisplayName": "by-hand",
        "PipelineExecutionDescription": "d",
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 2},
        "SelectiveExecutionConfig": {
            "SelectedSteps": [{"StepName": "Stop"}],
            "SourcePipelineExecutionArn": "arn:source",
        },
        "PipelineVersionId": 3,
    }


class Executions:
    """The `sagemaker` client, as far as a start needs it."""

    def __init__(self, *arns: str) -> None:
        self.arns = arns
        self.requests: list[dict[str, Any]] = []

    def list_pipeline_executions(self, **_: Any) -> dict[str, Any]:
        found = [{"PipelineExecutionArn": arn} for arn in self.arns]
        return {"PipelineExecutionSummaries": found}

    def start_pipeline_execution(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        return {"PipelineExecutionArn": "arn:started"}


def test_the_source_of_selected_steps_is_the_latest_execution() -> None:
    service = Executions("arn:latest", "arn:older")
    arn = start(service, PIPELINE, {"Data": "d"}, StartOptions(selected_steps=["Stop"]))
    selection = service.requests[0]["SelectiveExecutionConfig"]
    assert (arn, selection["SourcePipelineExecutionArn"]) == ("arn:started", "arn:latest")


def test_a_pipeline_that_was_never_started_has_no_latest_execution() -> None:
    service = Executions()
    start(service, PIPELINE, {"Data": "d"}, StartOptions(selected_steps=["Stop"]))
    selection = service.requests[0]["SelectiveExecutionConfig"]
    assert (latest_execution(service, "Abalone"), selection) == (
        None,
        {"SelectedSteps": [{"StepName": "Stop"}]},
    )


def test_what_is_wrong_is_refused_before_any_call() -> None:
    service = Executions()
    with pytest.raises(StartError):
        start(service, PIPELINE, {})
    assert service.requests == []


@given(st.dictionaries(st.text(max_size=5), st.one_of(st.none(), st.lists(st.none()))))
def test_any_values_are_read_or_refused(values: dict[str, Any]) -> None:
    with pytest.raises(StartError):
        parameter_list(PIPELINE, values)
