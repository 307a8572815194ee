"""Callback steps: a message, a token, an answer."""

import json
from typing import Any

import pytest

from include.nacre.local.pipelines.callbacks import token_of
from include.nacre.local.pipelines.execution import stop_asked
from tests.unit.local.executor.running import QUEUE, Running
from tests.unit.local.memory import InMemory
from tests.unit.local.pipelines import change, step


@pytest.fixture
def running(sagemaker: InMemory) -> Running:
    return Running(sagemaker)


def callback(name: str = "Ask", **changes: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Callback",
        "SqsQueueUrl": QUEUE,
        "Arguments": {"what": {"Get": "Execution.PipelineName"}, "n": 3},
        "OutputParameters": [
            {"OutputName": "score", "OutputType": "Float"},
            {"OutputName": "fine", "OutputType": "Boolean"},
        ],
        **changes,
    }


def uses(output: str) -> dict[str, Any]:
    made = step("Use")
    value = {"Get": f"Steps.Ask.OutputParameters['{output}']"}
    made["Arguments"]["Environment"] = {"x": {"Std:Join": {"On": "", "Values": [value]}}}
    return made


def answer(running: Running, arn: str, *outputs: tuple[str, str]) -> None:
    running.sagemaker.call(
        "SendPipelineExecutionStepSuccess",
        CallbackToken=token_of(running.step(arn, "Ask").metadata),
        OutputParameters=[{"Name": name, "Value": value} for name, value in outputs],
    )
    running.look(arn)


def test_a_message_says_what_and_who(running: Running) -> None:
    arn = running.start(callback())
    ((queue, body),) = running.sent
    token = token_of(running.step(arn, "Ask").metadata)
    assert (queue, json.loads(body)) == (
        QUEUE,
        {"token": token, "pipelineExecutionArn": arn, "arguments": {"what": "p", "n": 3}},
    )
    assert running.statuses(arn) == {"Ask": "Executing"}
    assert len(str(token)) == 10


def test_a_queue_whose_address_is_no_text_fails_the_step(running: Running) -> None:
    number = [{"Name": "Queue", "Type": "Integer", "DefaultValue": 3}]
    arn = running.start(callback(SqsQueueUrl={"Get": "Parameters.Queue"}), parameters=number)
    run = running.step(arn, "Ask")
    assert (run.status, run.metadata["Callback"]["SqsQueueUrl"]) == ("Failed", "3")


def test_the_answer_ends_the_step_and_its_outputs_are_typed(running: Running) -> None:
    arn = running.start(callback(), uses("score"))
    answer(running, arn, ("score", "1"), ("fine", "true"))
    assert running.describe(arn, "Use")["Environment"] == {"x": "1.0"}
    assert running.finish(arn, "Use").status == "Succeeded"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "ClientError: Steps.Ask.OutputParameters['score'] has no value"),
        ([("score", "high")], "['score'] is declared as Float, but the answer was \"high\""),
    ],
)
def test_an_output_that_does_not_fit_fails_the_step_that_wants_it(
    running: Running, given: list[tuple[str, str]], reason: str
) -> None:
    arn = running.start(callback(), uses("score"))
    answer(running, arn, *given)
    assert running.statuses(arn) == {"Ask": "Succeeded", "Use": "Failed"}
    assert reason in str(running.step(arn, "Use").failure)


def test_the_answer_may_be_a_failure(running: Running) -> None:
    arn = running.start(callback())
    running.sagemaker.call(
        "SendPipelineExecutionStepFailure",
        CallbackToken=token_of(running.step(arn, "Ask").metadata),
        FailureReason="not today",
    )
    end = running.look(arn)
    assert (end.status, running.step(arn, "Ask").failure) == ("Failed", "not today")


def test_a_message_that_cannot_be_sent_fails_the_step(running: Running) -> None:
    arn = running.start(callback(SqsQueueUrl="http://127.0.0.1:4670/123456789012/none"))
    assert running.execution(arn).status == "Failed"
    assert "there is no queue" in str(running.step(arn, "Ask").failure)


def test_a_stop_is_told_and_waits_for_the_answer(running: Running) -> None:
    arn = running.start(callback(), uses("score"))
    change(running.sagemaker, arn, stop_asked)
    running.look(arn)
    running.look(arn)
    first, second = (json.loads(body) for _, body in running.sent)
    waiting = (running.execution(arn).status, running.statuses(arn))
    answer(running, arn, ("score", "1"))
    assert second == {**first, "status": "Stopping"}
    assert waiting == ("Stopping", {"Ask": "Stopping"})
    assert (running.execution(arn).status, running.statuses(arn)) == (
        "Stopped",
        {"Ask": "Succeeded"},
    )


def test_a_stop_that_nobody_can_hear_ends_the_step(running: Running) -> None:
    arn = running.start(callback())
    # A queue is gone after a restart of the service.
    metadata = {"Callback": {**running.step(arn, "Ask").metadata["Callback"], "SqsQueueUrl": "x"}}
    run = running.step(arn, "Ask").moved("Executing", 0.0, metadata=metadata)
    change(running.sagemaker, arn, lambda it: it.with_step("Ask", run))
    change(running.sagemaker, arn, stop_asked)
    assert running.look(arn).status == "Stopped"


def test_a_retried_execution_asks_with_another_token(running: Running) -> None:
    arn = running.start(callback())
    first = token_of(running.step(arn, "Ask").metadata)
    running.sagemaker.call("SendPipelineExecutionStepFailure", CallbackToken=first)
    running.look(arn)
    running.sagemaker.call("RetryPipelineExecution", PipelineExecutionArn=arn)
    running.look(arn)
    tokens = [json.loads(body)["token"] for _, body in running.sent]
    assert (len(set(tokens)), running.statuses(arn)) == (2, {"Ask": "Executing"})


def test_an_answer_that_comes_before_the_message_is_written_down_counts(
    running: Running,
) -> None:
    def answered_at_once(_queue: str, body: str) -> None:
        running.sagemaker.call(
            "SendPipelineExecutionStepSuccess", CallbackToken=json.loads(body)["token"]
        )

    running.send = answered_at_once  # type: ignore[method-assign]
    running.driver = running.new_driver(running.sagemaker.world)
    arn = running.start(callback())
    assert (running.execution(arn).status, running.statuses(arn)) == (
        "Succeeded",
        {"Ask": "Succeeded"},
    )


def test_a_message_that_was_not_sent_before_the_stop_is_never_sent(running: Running) -> None:
    class Killed(BaseException):
        pass

    def killed(_queue: str, _body: str) -> None:
        raise Killed

    driver = running.driver
    running.send = killed  # type: ignore[method-assign]
    running.driver = running.new_driver(running.sagemaker.world)
    with pytest.raises(Killed):
        running.start(callback())
    arn = running.sagemaker.store.unfinished(["pipeline-execution"], ["Executing"])[0].arn
    change(running.sagemaker, arn, stop_asked)
    running.driver = driver
    assert (running.look(arn).status, running.sent) == ("Stopped", [])


def test_an_execution_has_28_days(running: Running) -> None:
    arn = running.start(callback("A"), step("B"))
    job = running.job(arn, "B")
    running.sagemaker.clock.now += 672 * 3600
    found = running.look(arn)
    assert (found.status, found.failure) == (
        "Failed",
        "ClientError: The execution has not ended within 672 hours.",
    )
    assert running.sagemaker.jobs.asked[-1] == ("stop", *job)
