"""Tags of anything that has an ARN."""

from include.nacre.local.api.listing import paged
from include.nacre.local.protocol.core import Request, Response
from include.nacre.local.protocol.errors import ResourceLimitExceededError, ValidationError
from include.nacre.local.store import Resource
from include.nacre.local.world import World

_MOST = 50  # tags a resource, as on the service
_PAGE = 50


def add_tags(world: World, request: Request) -> Response:
    """Set tags; the answer has all of the resource's tags."""
    arn = _found(world, request).arn
    with world.store.transaction():
        world.store.tag(arn, {tag["Key"]: tag["Value"] for tag in request["Tags"]})
        tags = world.store.tags(arn)
        if len(tags) > _MOST:
            raise ResourceLimitExceededError(
                f"The account-level service limit 'Number of tags for a resource' is {_MOST} Tags,"
                f" and {arn} would have {len(tags)}."
            )
    return {"Tags": tag_list(tags)}


def list_tags(world: World, request: Request) -> Response:
    """One page of a resource's tags."""
    tags = tag_list(world.store.tags(_found(world, request).arn))
    page, token = paged(tags, request, _PAGE)
    return {"Tags": page, "NextToken": token}


def delete_tags(world: World, request: Request) -> Response:
    """Remove tags by key."""
    world.store.untag(_found(world, request).arn, request["TagKeys"])
    return {}


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags in the service's form."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _found(world: World, request: Request) -> Resource:
    arn = request["ResourceArn"]
    resource = world.store.by_arn(arn)
    if resource is None:
        raise ValidationError(f"Could not find a resource with the ARN {arn}.")
    return resource
