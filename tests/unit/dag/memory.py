"""SageMaker in memory, as far as launching and watching look at it: names, statuses, errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from botocore.exceptions import ClientError

from include.nacre.dag.kinds import Kind

BEGIN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OLD = datetime.fromtimestamp(0, UTC)
PAGE = 100


def refused(operation: str, code: str, status: int = 400) -> ClientError:
    answer = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, operation)  # type: ignore[arg-type]


@dataclass
class MemoryService:
    """Jobs by name. Time passes only when `now` is set."""

    now: datetime = BEGIN
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Make one call; only creations are known."""
        self.calls.append(operation)
        name = next(value for key, value in request.items() if key.endswith("Name"))
        if name in self.jobs:
            raise refused(operation, "ResourceInUse")
        status = f"{operation.removeprefix('Create')}Status"
        self.jobs[name] = {status: "InProgress", "CreationTime": self.now, "LastModified": self.now}
        return {}

    def describe(self, kind: Kind, name: str) -> dict[str, Any] | None:
        self.calls.append(kind.operation("Describe"))
        job = self.jobs.get(name)
        return None if job is None else {**job, **self._answered(), kind.name_key: name}

    def stop(self, kind: Kind, name: str) -> None:
        self.calls.append(kind.operation("Stop"))
        self.end(kind, name, "Stopping")

    def list_page(self, kind: Kind, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a List call as the service does, with its filters and pages."""
        self.calls.append(kind.operation("List"))
        found = [
            {**job, kind.name_key: name}
            for name, job in self.jobs.items()
            if str(kind.status_key) in job
            and job["LastModified"] > request.get("LastModifiedTimeAfter", OLD)
            and job["CreationTime"] > request.get("CreationTimeAfter", OLD)
            and job[str(kind.status_key)] == request.get("StatusEquals", job[str(kind.status_key)])
        ]
        if request.get("SortOrder") == "Descending":
            found.reverse()
        start = int(request.get("NextToken", 0))
        more = {"NextToken": str(start + PAGE)} if len(found) > start + PAGE else {}
        return {kind.summaries_key: found[start : start + PAGE], **more, **self._answered()}

    def end(self, kind: Kind, name: str, status: str) -> None:
        """Let a job come to a status."""
        self.jobs[name] |= {str(kind.status_key): status, "LastModified": self.now}

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def _answered(self) -> dict[str, Any]:
        return {
            "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(self.now, usegmt=True)}}
        }
