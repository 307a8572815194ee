"""The answers to Callback steps."""

from typing import Any

import pytest

from include.nacre.local.pipelines import callbacks
from tests.unit.local.memory import InMemory, error_of
from tests.unit.local.pipelines import create, definition, run, start

TOKEN = "aB3dE6gH9j"
CLIENT_TOKEN = "t" * 32
CALLBACK = {
    "Name": "Ask",
    "Type": "Callback",
    "SqsQueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/questions",
    "Arguments": {},
    "OutputParameters": [{"OutputName": "score", "OutputType": "Float"}],
}
OUTPUTS = [{"Name": "score", "Value": "0.9"}]
SUCCESS, FAILURE = "SendPipelineExecutionStepSuccess", "SendPipelineExecutionStepFailure"


@pytest.fixture
def asked(sagemaker: InMemory) -> str:
    """An execution whose Callback step waits for an answer; its ARN."""
    create(sagemaker, PipelineDefinition=definition(CALLBACK))
    arn = start(sagemaker)
    metadata = {"Callback": {"CallbackToken": TOKEN, "SqsQueueUrl": CALLBACK["SqsQueueUrl"]}}
    run(sagemaker, arn, "Ask", metadata=metadata)
    callbacks.register(sagemaker.store, TOKEN, "Ask", arn)
    return arn


def answer(sagemaker: InMemory, name: str, **more: Any) -> dict[str, Any]:
    return sagemaker.call(name, CallbackToken=TOKEN, **more)


def the_step(sagemaker: InMemory, arn: str) -> dict[str, Any]:
    found = sagemaker.call("ListPipelineExecutionSteps", PipelineExecutionArn=arn)
    (step,) = found["PipelineExecutionSteps"]
    return dict(step)


def test_a_success_ends_the_step_with_its_outputs(sagemaker: InMemory, asked: str) -> None:
    answered = answer(sagemaker, SUCCESS, OutputParameters=OUTPUTS)
    step = the_step(sagemaker, asked)
    assert (answered, step["StepStatus"], step["Metadata"]["Callback"]["OutputParameters"]) == (
        {"PipelineExecutionArn": asked},
        "Succeeded",
        OUTPUTS,
    )


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"FailureReason": "nobody is here"}, "nobody is here"),
        ({}, "The callback step was answered with a failure and no reason."),
    ],
)
def test_a_failure_fails_the_step_with_its_reason(
    sagemaker: InMemory, asked: str, given: dict[str, str], reason: str
) -> None:
    answer(sagemaker, FAILURE, **given)
    step = the_step(sagemaker, asked)
    assert (step["StepStatus"], step["FailureReason"]) == ("Failed", reason)


@pytest.mark.parametrize("name", [SUCCESS, FAILURE])
def test_the_execution_goes_on_after_an_answer(sagemaker: InMemory, asked: str, name: str) -> None:
    answer(sagemaker, name)
    assert sagemaker.pipelines.asked == [("go on", asked.rpartition("/")[2])] * 2


@pytest.mark.parametrize("name", [SUCCESS, FAILURE])
def test_a_token_that_nobody_gave_out_is_not_found(sagemaker: InMemory, name: str) -> None:
    expected = ("ResourceNotFound", f"No callback step has the token '{TOKEN}'.")
    assert error_of(answer, sagemaker, name) == expected


@pytest.mark.parametrize("name", [SUCCESS, FAILURE])
def test_a_step_is_answered_once(sagemaker: InMemory, asked: str, name: str) -> None:
    answer(sagemaker, SUCCESS)
    code, message = error_of(answer, sagemaker, name)
    status = the_step(sagemaker, asked)["StepStatus"]
    assert (code, f"token '{TOKEN}' is over" in message, status) == (
        "ConflictException",
        True,
        "Succeeded",
    )


def test_the_same_client_token_answers_again(sagemaker: InMemory, asked: str) -> None:
    answer(sagemaker, SUCCESS, ClientRequestToken=CLIENT_TOKEN)
    again = answer(sagemaker, SUCCESS, ClientRequestToken=CLIENT_TOKEN)
    assert again == {"PipelineExecutionArn": asked}


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"CallbackToken": "short"}, "at 'callbackToken'"),
        (
            {"CallbackToken": TOKEN, "OutputParameters": [{"Name": "a", "Value": "x" * 1025}]},
            "at 'outputParameters.1.member.value'",
        ),
        (
            {"CallbackToken": TOKEN, "OutputParameters": [*OUTPUTS, *OUTPUTS]},
            "The output parameter 'score' is given 2 times.",
        ),
    ],
)
def test_answers_that_cannot_be_are_refused(
    sagemaker: InMemory, request_: dict[str, Any], words: str
) -> None:
    code, message = error_of(sagemaker.call, SUCCESS, **request_)
    assert (code, words in message) == ("ValidationException", True)
