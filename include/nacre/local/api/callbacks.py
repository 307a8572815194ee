"""The answers to Callback steps."""

from collections import Counter
from collections.abc import Callable

from include.nacre.local.api.checks import refuse
from include.nacre.local.api.tokens import once
from include.nacre.local.lifecycle import IllegalMove
from include.nacre.local.pipelines.callbacks import UnknownToken, failed, succeeded
from include.nacre.local.protocol.core import Request, Response
from include.nacre.local.protocol.errors import ConflictError, ResourceNotFoundError
from include.nacre.local.store import Resource
from include.nacre.local.world import World

_FAILED = "The callback step was answered with a failure and no reason."


def send_success(world: World, request: Request) -> Response:
    """End the step that gave out a token, with its output parameters."""
    outputs, token = request.get("OutputParameters", []), request["CallbackToken"]
    refuse(
        f"The output parameter {name!r} is given {count} times."
        for name, count in Counter(item["Name"] for item in outputs).items()
        if count > 1
    )

    def end() -> Resource:
        return succeeded(world.store, token, outputs, world.clock())

    return _answer(world, "SendPipelineExecutionStepSuccess", request, end)


def send_failure(world: World, request: Request) -> Response:
    """Fail the step that gave out a token."""
    reason, token = request.get("FailureReason") or _FAILED, request["CallbackToken"]

    def end() -> Resource:
        return failed(world.store, token, reason, world.clock())

    return _answer(world, "SendPipelineExecutionStepFailure", request, end)


def _answer(
    world: World, operation: str, request: Request, end: Callable[[], Resource]
) -> Response:
    token = request["CallbackToken"]
    try:
        arn = once(world, operation, request, lambda: end().arn)
    except UnknownToken as unknown:
        raise ResourceNotFoundError(f"No callback step has the token '{token}'.") from unknown
    except IllegalMove as over:
        raise ConflictError(f"The callback with the token '{token}' is over: {over}.") from over
    world.pipelines.submitted(arn.rpartition("/")[2])
    return {"PipelineExecutionArn": arn}
