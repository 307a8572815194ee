"""SageMaker in memory, as far as launching and watching look at it: names, statuses, errors."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from botocore.exceptions import ClientError

from include.nacre.dag.kinds import Kind

BEGIN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


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

    def changed_since(self, kind: Kind, since: datetime) -> tuple[list[dict[str, Any]], datetime]:
        self.calls.append(kind.operation("List"))
        found = [{**job, kind.name_key: name} for name, job in self.jobs.items()]
        return [job for job in found if job["LastModified"] > since], self.now

    def end(self, kind: Kind, name: str, status: str) -> None:
        """Let a job come to a status."""
        self.jobs[name] |= {str(kind.status_key): status, "LastModified": self.now}

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def _answered(self) -> dict[str, Any]:
        return {
            "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(self.now, usegmt=True)}}
        }
