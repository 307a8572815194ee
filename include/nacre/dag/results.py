"""What a step's task leaves for later tasks, in XCom: little, and plain JSON."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from include.nacre.dag.kinds import Kind
from include.nacre.definition.expressions import Json
from include.nacre.definition.paths import Path, PathLookupError, format_path, resolve_path


def result(
    kind: Kind, name: str, answer: Mapping[str, Any], exports: Iterable[Path]
) -> dict[str, Json]:
    """Return the XCom of a finished step.

    `name` (of a package in a group its ARN), `arn`, `status`, `created`, and for jobs `started`,
    `ended` (ISO 8601, UTC) and `billable_seconds`; in `properties` what later steps refer to, by
    its path, for example `ModelArtifacts.S3ModelArtifacts`. What the Describe response lacks is
    left out.
    """
    times = kind.times(answer)
    return {
        "kind": kind.step_type,
        "name": name,
        "arn": answer[kind.arn_key],
        "status": kind.status(answer),
        **plain(times),
        **_billed(kind, answer, times),
        "properties": properties(answer, exports),
    }


def properties(answer: Mapping[str, Any], exports: Iterable[Path]) -> dict[str, Json]:
    """Return what a Describe response has at each path."""
    document, found = plain(answer), {}
    for path in exports:
        try:
            found[format_path(path)] = resolve_path(document, path)
        except PathLookupError:  # an optional member: whoever needs it says that it is missing
            continue
    return found


def _billed(kind: Kind, answer: Mapping[str, Any], times: Mapping[str, datetime]) -> dict[str, int]:
    """Return the seconds that are paid for: the service's own figure where it gives one, else
    from start to end, as processing and transform jobs are billed.
    """
    if kind.billable_key and kind.billable_key in answer:
        return {"billable_seconds": int(answer[kind.billable_key])}
    if {"started", "ended"} <= times.keys():
        return {"billable_seconds": round((times["ended"] - times["started"]).total_seconds())}
    return {}


def plain(value: Any) -> Json:
    """Return a response of boto3 as JSON: times become ISO 8601 text in UTC."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case Mapping():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value
