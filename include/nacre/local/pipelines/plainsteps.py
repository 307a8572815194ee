"""Steps that create nothing: Condition, Fail, Callback."""

import json
from dataclasses import replace
from typing import Any

from include.nacre.definition.conditions import holds
from include.nacre.definition.expressions import Json
from include.nacre.definition.records import Step
from include.nacre.definition.step_rules import LONGEST_ERROR_MESSAGE
from include.nacre.local.neighbours import SendError
from include.nacre.local.pipelines.callbacks import CALLBACK, register, token_of
from include.nacre.local.pipelines.course import OUTCOMES
from include.nacre.local.pipelines.execution import StepRun
from include.nacre.local.pipelines.ground import Ground
from include.nacre.local.pipelines.naming import callback_token


def decide(ground: Ground, step: Step, run: StepRun) -> StepRun:
    """Return a Condition step's run: it ends at once, with its outcome."""
    scope = ground.scope()
    outcome = OUTCOMES[all(holds(condition, scope) for condition in step.conditions)]
    return run.moved("Succeeded", run.started, metadata={"Condition": {"Outcome": outcome}})


def fail(ground: Ground, step: Step, run: StepRun) -> StepRun:
    """Return a Fail step's run: it ends at once, with its message."""
    message = str(ground.value(step.arguments.get("ErrorMessage", "")))[:LONGEST_ERROR_MESSAGE]
    return replace(run, metadata={"Fail": {"ErrorMessage": message}}).failed(message, run.started)


def call_back(ground: Ground, step: Step, run: StepRun) -> StepRun:
    """Return how a Callback step begins: with the token that will answer it."""
    execution = ground.execution
    token = callback_token(execution.id, step.name, execution.retries, run.attempt)
    queue = str(ground.value(step.extra["SqsQueueUrl"]))
    return replace(run, metadata={CALLBACK: {"CallbackToken": token, "SqsQueueUrl": queue}})


def carry_on_callback(ground: Ground, step: Step, run: StepRun) -> None:
    """Send the message; once more, with a status, when the execution is stopped.

    The step ends by the answer alone, even then: so the service documents StopPipelineExecution.
    A message that was sent before a crash may be sent again after it, as SQS itself may do.
    """
    if run.status == "Starting" and ground.is_stopping:
        ground.move(step, "Stopped")
    elif run.status == "Starting":
        _ask(ground, step, run)
    elif run.status == "Executing" and ground.is_stopping:
        _tell_of_stop(ground, step, run)


def _ask(ground: Ground, step: Step, run: StepRun) -> None:
    token = str(token_of(run.metadata))
    register(ground.means.world.store, token, step.name, ground.execution.arn)
    try:
        _send(ground, run, _message(ground, step, token))
    except SendError as error:
        ground.fail(step, f"ClientError: {error}")
    else:
        ground.move(step, "Executing")


def _tell_of_stop(ground: Ground, step: Step, run: StepRun) -> None:
    message = _message(ground, step, str(token_of(run.metadata))) | {"status": "Stopping"}
    try:
        _send(ground, run, message)
    except SendError:
        # Nobody can hear of the stop, so nobody is waited for.
        ground.move(step, "Stopped")
    else:
        ground.move(step, "Stopping")


def _message(ground: Ground, step: Step, token: str) -> dict[str, Json]:
    return {
        "token": token,
        "pipelineExecutionArn": ground.execution.arn,
        "arguments": ground.value(step.arguments),
    }


def _send(ground: Ground, run: StepRun, message: dict[str, Any]) -> None:
    ground.means.send(run.metadata[CALLBACK]["SqsQueueUrl"], json.dumps(message))
