"""The pages themselves."""

from include.nacre.local.cloudwatch.streams import LogGroups
from include.nacre.local.protocol.core import Reply
from include.nacre.local.world import World


class Console:
    """Pages about the resources of a world."""

    def __init__(self, world: World, groups: LogGroups, s3_endpoint: str) -> None:
        self._world = world
        self._groups = groups
        self._s3_endpoint = s3_endpoint

    def page(self, path: str, query: str) -> Reply:
        """The page at a path below /console."""
        del path, query
        return Reply(200, b"The local SageMaker runs.", {"Content-Type": "text/plain"})
