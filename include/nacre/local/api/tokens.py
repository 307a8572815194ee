"""Client tokens: the same call sent twice is done once, and answered as it was the first time."""

import json
from collections.abc import Callable

from include.nacre.local.protocol.core import Request
from include.nacre.local.protocol.errors import ConflictError
from include.nacre.local.world import World

# The service has both names for the same thing.
TOKENS = ("ClientToken", "ClientRequestToken")


def once(world: World, operation: str, request: Request, run: Callable[[], str]) -> str:
    """The ARN that `run` makes, or has made before for the same token; all in one transaction.

    What was made and is deleted by now is made anew: nobody could use the ARN of what is gone.
    Raises ConflictError for a token that was used for another request.
    """
    with world.store.transaction():
        before = _made_before(world, operation, request)
        if before is not None:
            return before
        arn = run()
        token = _token(request)
        if token:
            world.store.use_token(operation, token, _content(request), arn)
        return arn


def _made_before(world: World, operation: str, request: Request) -> str | None:
    token = _token(request)
    used = world.store.token(operation, token) if token else None
    if used is None:
        return None
    content, arn = used
    if not operation.startswith("Delete") and world.store.by_arn(arn) is None:
        return None
    if content != _content(request):
        name = next(key for key in TOKENS if key in request)
        raise ConflictError(
            f"The {name} {token!r} was used for another {operation} request before (its result is"
            f" {arn}): a token belongs to one request."
        )
    return arn


def _token(request: Request) -> str | None:
    return next((request[key] for key in TOKENS if key in request), None)


def _content(request: Request) -> str:
    return json.dumps(request, sort_keys=True)
