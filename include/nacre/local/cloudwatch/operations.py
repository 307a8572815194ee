"""DescribeLogGroups, DescribeLogStreams, GetLogEvents and FilterLogEvents."""

import heapq
import itertools
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from include.nacre.local.cloudwatch.patterns import matcher
from include.nacre.local.cloudwatch.streams import Event, LogGroups, Stream
from include.nacre.local.place import Place
from include.nacre.local.protocol.core import Operation, Request, Response
from include.nacre.local.protocol.errors import (
    LogsInvalidParameterError,
    LogsNotFoundError,
    ValidationError,
)

_MOST_NAMES = 50  # groups or streams a page
_MOST_EVENTS = 10_000  # events a page
_FOR_EVER = 2**63
_CLASS = "STANDARD"


def log_operations(groups: LogGroups, place: Place) -> Mapping[str, Operation]:
    """The operations by name, over the log files of one place."""
    reader = LogReader(groups, place)
    return MappingProxyType(
        {
            "DescribeLogGroups": reader.describe_groups,
            "DescribeLogStreams": reader.describe_streams,
            "GetLogEvents": reader.get_events,
            "FilterLogEvents": reader.filter_events,
        }
    )


class LogReader:
    """CloudWatch Logs' way of reading."""

    def __init__(self, groups: LogGroups, place: Place) -> None:
        self._groups = groups
        self._place = place

    def describe_groups(self, request: Request) -> Response:
        """One page of the groups."""
        prefix, part = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
        wanted = [_group_of(text) for text in request.get("logGroupIdentifiers", [])]
        names = [n for n in self._groups.names() if n.startswith(prefix) and part in n]
        names = [n for n in names if not wanted or n in wanted]
        if request.get("logGroupClass", _CLASS) != _CLASS:
            names = []
        page, token = _page(names, request, _MOST_NAMES)
        return {"logGroups": [self._group(name) for name in page], "nextToken": token}

    def describe_streams(self, request: Request) -> Response:
        """One page of a group's streams."""
        by_time, prefix = request.get("orderBy") == "LastEventTime", "logStreamNamePrefix"
        if by_time and prefix in request:
            raise LogsInvalidParameterError(
                "Cannot order by LastEventTime with a logStreamNamePrefix."
            )
        group = self._existing_group(request)
        streams = self._groups.streams(group, request.get(prefix, ""))
        described = [self._stream(group, stream) for stream in streams]
        key = "lastEventTimestamp" if by_time else "logStreamName"
        described.sort(
            key=lambda item: item.get(key) or 0, reverse=request.get("descending", False)
        )
        page, token = _page(described, request, _MOST_NAMES)
        return {"logStreams": page, "nextToken": token}

    def get_events(self, request: Request) -> Response:
        """One page of a stream's events, with the tokens for the pages after and before it.

        The forward token at the end of the stream is the one that was given: that is how a
        client knows, and what it asks with for what comes later.
        """
        stream = self._existing_stream(request)
        forward, position = _direction(request, stream)
        limit = request.get("limit", _MOST_EVENTS)
        within = _within(request)
        if forward:
            found = list(itertools.islice(filter(within, stream.events(position)), limit))
        else:
            backwards = filter(within, stream.events_before(position))
            found = list(itertools.islice(backwards, limit))[::-1]
        first, last = (found[0].start, found[-1].end) if found else (position, position)
        return {
            "events": [_event(event) for event in found],
            "nextForwardToken": f"f/{last}",
            "nextBackwardToken": f"b/{first}",
        }

    def filter_events(self, request: Request) -> Response:
        """One page of the events of several streams, in the order of their times."""
        if "logStreamNames" in request and "logStreamNamePrefix" in request:
            raise LogsInvalidParameterError("Give logStreamNames or logStreamNamePrefix, not both.")
        streams = self._groups.streams(
            self._existing_group(request), request.get("logStreamNamePrefix", "")
        )
        names = request.get("logStreamNames")
        chosen = [stream for stream in streams if names is None or stream.name in names]
        within, matches = _within(request), matcher(request.get("filterPattern", ""))
        merged = heapq.merge(
            *(_named(stream) for stream in chosen), key=lambda found: found[1].timestamp
        )
        fitting = (
            (name, event) for name, event in merged if within(event) and matches(event.message)
        )
        start, limit = _offset(request), request.get("limit", _MOST_EVENTS)
        page = list(itertools.islice(fitting, start, start + limit + 1))
        return {
            "events": [_filtered(name, event) for name, event in page[:limit]],
            "searchedLogStreams": [],
            "nextToken": str(start + limit) if len(page) > limit else None,
        }

    def _existing_group(self, request: Request) -> str:
        name = request.get("logGroupName") or _group_of(request.get("logGroupIdentifier", ""))
        if not name:
            raise LogsInvalidParameterError("Give logGroupName or logGroupIdentifier.")
        if self._groups.folder(name) is None:
            raise LogsNotFoundError("The specified log group does not exist.")
        return name

    def _existing_stream(self, request: Request) -> Stream:
        wanted = request["logStreamName"]
        for stream in self._groups.streams(self._existing_group(request), wanted):
            if stream.name == wanted:
                return stream
        raise LogsNotFoundError("The specified log stream does not exist.")

    def _group(self, name: str) -> dict[str, Any]:
        streams = self._groups.streams(name)
        arn = self._arn(f"log-group:{name}")
        created = [first.timestamp for first in map(Stream.first, streams) if first]
        return {
            "logGroupName": name,
            "logGroupArn": arn,
            "arn": f"{arn}:*",
            "creationTime": min(created, default=0),
            "metricFilterCount": 0,
            "storedBytes": sum(stream.path.stat().st_size for stream in streams),
            "logGroupClass": _CLASS,
        }

    def _stream(self, group: str, stream: Stream) -> dict[str, Any]:
        first, last = stream.first(), stream.last()
        described: dict[str, Any] = {
            "logStreamName": stream.name,
            "arn": self._arn(f"log-group:{group}:log-stream:{stream.name}"),
            "storedBytes": 0,  # the service has not counted a stream's bytes since 2019
        }
        if first and last:
            described |= {
                "creationTime": first.timestamp,
                "firstEventTimestamp": first.timestamp,
                "lastEventTimestamp": last.timestamp,
                "lastIngestionTime": last.timestamp,
            }
        return described

    def _arn(self, resource: str) -> str:
        return f"arn:aws:logs:{self._place.region}:{self._place.account}:{resource}"


def _direction(request: Request, stream: Stream) -> tuple[bool, int]:
    """Whether to read forwards, and from where."""
    token = request.get("nextToken")
    if token is None:
        forward = request.get("startFromHead", False)
        return forward, 0 if forward else stream.size()
    way, _, offset = token.partition("/")
    if way not in {"f", "b"} or not offset.isdigit() or int(offset) > stream.size():
        raise LogsInvalidParameterError("The specified nextToken is invalid.")
    return way == "f", int(offset)


def _within(request: Request) -> Callable[[Event], bool]:
    start, end = request.get("startTime", 0), request.get("endTime", _FOR_EVER)
    return lambda event: start <= event.timestamp < end


def _named(stream: Stream) -> Iterator[tuple[str, Event]]:
    # A merge asks every stream for its first event at once: the file is closed again after it,
    # and opened when its turn comes, so that any number of streams can be merged.
    first = stream.first()
    if first is not None:
        yield stream.name, first
        yield from ((stream.name, event) for event in stream.events(first.end))


def _event(event: Event) -> dict[str, Any]:
    return {
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.timestamp,
    }


def _filtered(name: str, event: Event) -> dict[str, Any]:
    return {
        **_event(event),
        "logStreamName": name,
        "eventId": f"{event.timestamp}{event.start:020}",
    }


def _page(items: list[Any], request: Request, size: int) -> tuple[list[Any], str | None]:
    start, limit = _offset(request), request.get("limit", size)
    more = start + limit < len(items)
    return items[start : start + limit], str(start + limit) if more else None


def _offset(request: Request) -> int:
    token = request.get("nextToken", "0")
    if not (token.isascii() and token.isdigit()):
        raise ValidationError("The specified nextToken is invalid.")
    return int(token)


def _group_of(identifier: str) -> str:
    """The name in a group's ARN, or the name itself."""
    return identifier.partition(":log-group:")[2].removesuffix(":*") or identifier
