"""Search: the one call whose filters may name any property of a resource."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from include.nacre.local.api.executions import execution_description
from include.nacre.local.api.listing import paged
from include.nacre.local.api.models import model_description
from include.nacre.local.api.packages import GROUP, PACKAGE, group_description, package_description
from include.nacre.local.api.pipelines import pipeline_description
from include.nacre.local.api.tags import tag_list
from include.nacre.local.jobrecord import description
from include.nacre.local.pipelines.records import EXECUTION, PIPELINE
from include.nacre.local.protocol.core import Request, Response
from include.nacre.local.protocol.errors import ValidationError
from include.nacre.local.store import Query, Resource
from include.nacre.local.world import World

_PAGE = 100
_EVERYTHING = -1  # SQLite's word for no limit

# Resource of the request -> (kind, how it is described).
_SEARCHABLE: Mapping[str, tuple[str, Callable[[Resource], dict[str, Any]]]] = MappingProxyType(
    {
        "TrainingJob": ("training", description),
        "Model": ("model", model_description),
        "ModelPackage": (PACKAGE, package_description),
        "ModelPackageGroup": (GROUP, group_description),
        "Pipeline": (PIPELINE, pipeline_description),
        "PipelineExecution": (EXECUTION, execution_description),
    }
)

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "Equals": operator.eq,
        "GreaterThan": operator.gt,
        "GreaterThanOrEqualTo": operator.ge,
        "LessThan": operator.lt,
        "LessThanOrEqualTo": operator.le,
    }
)


def search(world: World, request: Request) -> Response:
    """One page of the resources that fit the expression."""
    name = request["Resource"]
    if name not in _SEARCHABLE:
        raise ValidationError(
            f"Search does not know the resource {name!r} on the local SageMaker. It knows:"
            f" {', '.join(_SEARCHABLE)}."
        )
    kind, describe = _SEARCHABLE[name]
    everything = (
        {**describe(found), "Tags": tag_list(world.store.tags(found.arn))}
        for found in world.store.find(Query(kind, limit=_EVERYTHING))
    )
    expression = request.get("SearchExpression", {})
    fitting = _sorted([item for item in everything if fits(item, expression)], request)
    page, token = paged(fitting, request, _PAGE)
    return {
        "Results": [{name: item} for item in page],
        "NextToken": token,
        "TotalHits": {"Value": len(fitting), "Relation": "EqualTo"},
    }


def fits(document: Mapping[str, Any], expression: Mapping[str, Any]) -> bool:
    """Whether a description fits a SearchExpression."""
    answers: list[bool] = [
        *(_fits_filter(document, item) for item in expression.get("Filters", [])),
        *(_fits_nested(document, item) for item in expression.get("NestedFilters", [])),
        *(fits(document, item) for item in expression.get("SubExpressions", [])),
    ]
    either = expression.get("Operator") == "Or" and bool(answers)
    return any(answers) if either else all(answers)


def _fits_nested(document: Mapping[str, Any], nested: Mapping[str, Any]) -> bool:
    """All filters on one and the same element of a list."""
    path = nested["NestedPropertyName"]
    elements = document.get(path, [])
    return any(
        all(
            _fits_filter(element, {**item, "Name": item["Name"].removeprefix(f"{path}.")})
            for item in nested["Filters"]
        )
        for element in (elements if isinstance(elements, list) else [elements])
    )


def _fits_filter(document: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    values = list(_values(document, item["Name"].split(".")))
    how, wanted = item.get("Operator", "Equals"), item.get("Value", "")
    if how in {"Exists", "NotExists"}:
        return bool(values) is bool(how == "Exists")
    if how == "NotEquals":
        return not any(_compared(operator.eq, value, wanted) for value in values)
    if how == "Contains":
        return any(wanted in str(value) for value in values)
    if how == "In":
        choices = wanted.split(",")
        return any(_compared(operator.eq, value, one) for value in values for one in choices)
    return any(_compared(_COMPARE[how], value, wanted) for value in values)


def _compared(compare: Callable[[Any, Any], bool], value: Any, wanted: str) -> bool:
    """Compare a value with a filter's text, as what the value is: truth, number, time, text."""
    if isinstance(value, bool):
        return compare(str(value).lower(), wanted.lower())
    if isinstance(value, int | float):
        number = _number(wanted)
        return number is not None and compare(value, number)
    return compare(str(value), wanted)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def _values(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """Every value below a dotted path; lists are gone through, tags are reached by their key."""
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif isinstance(value, Mapping) and path:
        yield from _members(value, path)
    elif not path and value is not None:
        yield value


def _members(value: Mapping[str, Any], path: Sequence[str]) -> Iterator[Any]:
    if value.get("Key") == ".".join(path):
        yield value.get("Value")
    # Hyperparameters and tags may have dots in their names.
    for end in range(1, len(path) + 1):
        key = ".".join(path[:end])
        if key in value:
            yield from _values(value[key], path[end:])


def _sorted(items: list[dict[str, Any]], request: Request) -> list[dict[str, Any]]:
    path = request.get("SortBy", "LastModifiedTime").split(".")
    descending = request.get("SortOrder", "Descending") == "Descending"

    def key(item: dict[str, Any]) -> tuple[bool, str, float, str]:
        value = next(_values(item, path), None)
        number = float(value) if isinstance(value, int | float) else 0.0
        return (value is not None, type(value).__name__, number, str(value))

    return sorted(items, key=key, reverse=descending)
