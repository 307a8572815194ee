"""What a page shows of a description: pure functions."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from include.nacre.local.store import Resource

# Members that a page shows first, in this order, where a description has them.
_FACTS = (
    "FailureReason",
    "PipelineDisplayName",
    "PipelineDescription",
    "RoleArn",
    "PipelineExecutionDisplayName",
    "PipelineExecutionDescription",
    "PipelineVersionId",
    "ParallelismConfiguration",
    "SelectiveExecutionConfig",
    "ExitMessage",
    "TrainingTimeInSeconds",
    "BillableTimeInSeconds",
    "ModelApprovalStatus",
    "ApprovalDescription",
    "ModelPackageVersion",
    "ModelPackageGroupName",
    "ModelName",
    "FinalMetricDataList",
    "CustomerMetadataProperties",
)
_STARTS = ("ProcessingStartTime", "TrainingStartTime", "TransformStartTime", "StartTime")
_ENDS = ("ProcessingEndTime", "TrainingEndTime", "TransformEndTime", "EndTime")
_STATUSES = (
    "ProcessingJobStatus",
    "TrainingJobStatus",
    "TransformJobStatus",
    "PipelineExecutionStatus",
    "PipelineStatus",
    "ModelApprovalStatus",
    "ModelPackageGroupStatus",
)

_RUNNING = frozenset({"InProgress", "Stopping", "Executing"})


def row_of(resource: Resource, described: Mapping[str, Any]) -> dict[str, Any]:
    """What a table shows of a resource, and the head of its own page."""
    started, ended = _first(described, _STARTS), _first(described, _ENDS)
    status = _first(described, _STATUSES) or ""
    return {
        "name": resource.name,
        "arn": resource.arn,
        "status": status,
        "created": moment(resource.created),
        "started": moment(started),
        "ended": moment(ended),
        "took": duration(started, ended),
        "runs": status in _RUNNING,
        "about": described.get("About", ""),
    }


def facts_of(described: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The members worth seeing at once, as (name, text)."""
    return [(name, _text(described[name])) for name in _FACTS if described.get(name) is not None]


def addresses_of(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every S3 address in a description, as (where it stands, address)."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from addresses_of(item, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from addresses_of(item, f"{place}[{number}]")
    elif isinstance(value, str) and value.startswith("s3://"):
        yield place, value


def moment(seconds: float | None) -> str:
    """A time as a person reads it, in UTC; nothing for none."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}" if seconds else ""


def duration(start: float | None, end: float | None) -> str:
    """How long something took: `1.3 s`, `2 min 5 s`."""
    if start is None or end is None:
        return ""
    seconds = end - start
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, Mapping):
        if "MetricName" in value:
            return f"{value['MetricName']} = {value.get('Value')}"
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    return str(value)


def _first(described: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((described[name] for name in names if described.get(name) is not None), None)
