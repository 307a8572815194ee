"""What every Create call does in the end: keep the request, its tags, and the name for itself."""

from typing import Any

from include.nacre.local.api.tokens import TOKENS
from include.nacre.local.protocol.core import Request
from include.nacre.local.protocol.errors import ApiError, ValidationError
from include.nacre.local.store import Exists, Resource
from include.nacre.local.world import World

# Members of a Create call that are no part of what it makes.
_ASIDE = frozenset({"Tags", *TOKENS})


def body_of(request: Request) -> dict[str, Any]:
    """The request as the description repeats it."""
    return {name: value for name, value in request.items() if name not in _ASIDE}


def add(
    world: World,
    resource: Resource,
    request: Request,
    taken: str,
    error: type[ApiError] = ValidationError,
) -> None:
    """Keep a new resource; `taken` is what is said (of `{arn}`) if its name is not free."""
    try:
        world.store.add(resource, {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])})
    except Exists as other:
        raise error(taken.format(arn=other.resource.arn)) from other
