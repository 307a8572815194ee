"""Paging, filters and sort orders, the same for every List call; what differs is a Listing."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from include.nacre.local.protocol.core import Request, Response
from include.nacre.local.protocol.errors import ValidationError
from include.nacre.local.store import Column, Comparison, Filter, Query, Resource, Store

_PAGE = 10  # results where MaxResults is not given, as the service's documentation says
_PAGING = frozenset({"NextToken", "MaxResults"})

# Member of the request -> what it means; a call that has no such member never gives it.
_FILTERS: Mapping[str, tuple[str, Comparison]] = MappingProxyType(
    {
        "CreatedAfter": ("created", ">"),
        "CreatedBefore": ("created", "<"),
        "CreationTimeAfter": ("created", ">"),
        "CreationTimeBefore": ("created", "<"),
        "LastModifiedTimeAfter": ("modified", ">"),
        "LastModifiedTimeBefore": ("modified", "<"),
        "NameContains": ("name", "contains"),
        "PipelineNamePrefix": ("name", "starts with"),
        "StatusEquals": ("status", "="),
        # No local job has a warm pool or a training plan: both filters match nothing.
        "WarmPoolStatusEquals": ("WarmPoolStatus", "="),
        "TrainingPlanArnEquals": ("TrainingPlanArn", "="),
        "ModelApprovalStatus": ("ModelApprovalStatus", "="),
    }
)
_ORDERS: Mapping[str, Column] = MappingProxyType(
    {
        "Name": "name",
        "CreationTime": "created",
        "Status": "status",
        "PipelineExecutionArn": "arn",
    }
)


@dataclass(frozen=True)
class Listing:
    """One List call: of which kind, under which key, newest first or not, and in which words.

    `counts_all` is what the documentation says of ListTrainingJobs: with MaxResults, StatusEquals
    chooses within a page of all jobs, so that a page may be empty and still not be the last.
    """

    kind: str
    result: str
    summary: Callable[[Resource], Mapping[str, Any]]
    descending: bool = False
    counts_all: bool = False
    filters: Sequence[Filter] = ()


def listed(store: Store, listing: Listing, request: Request) -> Response:
    """One page of the answer."""
    query = _query(listing, request)
    found = store.find(query)
    page = found[: query.limit - 1]
    status = request.get("StatusEquals")
    shown = [item for item in page if status is None or item.status == status]
    answer: dict[str, Any] = {listing.result: [listing.summary(item) for item in shown]}
    if len(found) > len(page):
        answer["NextToken"] = _token(request, getattr(page[-1], query.order), page[-1].id)
    return answer


def paged(items: list[Any], request: Request, size: int) -> tuple[list[Any], str | None]:
    """A page of what is in memory anyway, and the token of the next one."""
    start = _place(request)[1] if "NextToken" in request else 0
    end = start + request.get("MaxResults", size)
    return items[start:end], _token(request, None, end) if end < len(items) else None


def _query(listing: Listing, request: Request) -> Query:
    later = {"StatusEquals"} if listing.counts_all and "MaxResults" in request else set()
    filters = [
        Filter(column, comparison, request[member])
        for member, (column, comparison) in _FILTERS.items()
        if member in request and member not in later
    ]
    query = Query(
        listing.kind,
        [*filters, *listing.filters],
        _ORDERS[request.get("SortBy", "CreationTime")],
        descending=_descending(request, listing),
        limit=request.get("MaxResults", _PAGE) + 1,  # one more tells whether there is a next page
    )
    return replace(query, after=_place(request)) if "NextToken" in request else query


def _descending(request: Request, listing: Listing) -> bool:
    order = request.get("SortOrder")
    return listing.descending if order is None else order == "Descending"


def _token(request: Request, value: Any, number: int) -> str:
    content = json.dumps([_digest(request), value, number])
    return base64.urlsafe_b64encode(content.encode()).decode()


def _place(request: Request) -> tuple[Any, int]:
    try:
        digest, value, number = json.loads(base64.urlsafe_b64decode(request["NextToken"]))
    except (binascii.Error, ValueError, TypeError):
        digest = value = number = None
    if digest != _digest(request) or not isinstance(number, int) or isinstance(value, list | dict):
        raise ValidationError(
            "Invalid NextToken: it is none that this call gave out for these filters and this"
            " order. Call again without it to start from the first page."
        )
    return value, number


def _digest(request: Request) -> str:
    """What a token belongs to: the same filters and order, whatever the page's size."""
    content = {key: value for key, value in request.items() if key not in _PAGING}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
