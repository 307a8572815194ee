"""What EventBridge hears: each change of a job's or an execution's status, in the service's form.

A job tells that it is InProgress, that it was asked to stop, and how it ended; what its supervisor
alone sees in between, the finer statuses and the end of its time, it does not tell.
"""

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from include.nacre.local.jobrecord import KINDS, description
from include.nacre.local.jobs.spec import Kind
from include.nacre.local.lifecycle import ENDED
from include.nacre.local.pipelines.records import EXECUTION, execution_of, pipeline_arn
from include.nacre.local.place import Place
from include.nacre.local.store import Resource, Store

_LOG = logging.getLogger(__name__)


# Of a job's description, what only training jobs show.
_OF_TRAINING = frozenset(
    {
        "SecondaryStatus",
        "SecondaryStatusTransitions",
        "TrainingTimeInSeconds",
        "BillableTimeInSeconds",
    }
)


@dataclass(frozen=True)
class Event:
    """One event of `aws.sagemaker`; `time` in seconds since the epoch."""

    detail_type: str
    time: float
    resources: Sequence[str]
    detail: Mapping[str, Any]


Put = Callable[[Event], None]
Change = tuple[Resource | None, Resource]  # before, after


class Events:
    """Puts events in the order of the changes, by a thread of its own: nobody waits for it."""

    def __init__(self, place: Place, put: Put) -> None:
        self._place = place
        self._put = put
        self._changes: queue.SimpleQueue[Change | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Put what is told from now on."""
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()

    def changed(self, before: Resource | None, after: Resource) -> None:
        """The store has a change of status. A job's end is told by `ended`, whoever wrote it."""
        if after.kind == EXECUTION or (after.kind in KINDS and after.status not in ENDED):
            self._changes.put((before, after))

    def ended(self, store: Store, kind: Kind, name: str) -> None:
        """A job has ended."""
        job = store.get(kind, name)
        if job is not None:
            self._changes.put((None, job))

    def close(self) -> None:
        """Put what was told, and end."""
        self._changes.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (change := self._changes.get()) is not None:
            try:
                self._put(event_of(self._place, *change))
            except Exception as error:  # noqa: BLE001 - of a target that is gone, for one
                _LOG.warning("No event could be sent of %s: %s", change[1].arn, error)


def event_of(place: Place, before: Resource | None, after: Resource) -> Event:
    """The event of a change."""
    if after.kind in KINDS:
        return _of_job(after)
    return _of_execution(place, before, after)


def _of_job(job: Resource) -> Event:
    word, told = KINDS[job.kind].word, description(job)
    if job.kind != "training":
        told = {key: value for key, value in told.items() if key not in _OF_TRAINING}
    return Event(f"SageMaker {word} Job State Change", job.modified, [job.arn], _as_told(told))


def _as_told(described: Any) -> Any:
    """A description as the service's events have it: what is not known is left out, and times are
    milliseconds since the epoch.
    """
    if isinstance(described, Mapping):
        return {
            key: round(value * 1000) if _is_time(key, value) else _as_told(value)
            for key, value in described.items()
            if value is not None
        }
    if isinstance(described, list | tuple):
        return [_as_told(each) for each in described]
    return described


def _is_time(key: str, value: Any) -> bool:
    return key.endswith("Time") and isinstance(value, int | float)


def _of_execution(place: Place, before: Resource | None, after: Resource) -> Event:
    execution = execution_of(after)
    pipeline = pipeline_arn(place, execution.pipeline)
    facts = {
        "pipelineArn": pipeline,
        "pipelineExecutionArn": after.arn,
        "pipelineExecutionDisplayName": after.state.get("PipelineExecutionDisplayName"),
        "pipelineExecutionDescription": after.state.get("PipelineExecutionDescription"),
        "currentPipelineExecutionStatus": after.status,
        "previousPipelineExecutionStatus": before.status if before else None,
        "executionStartTime": _moment(after.created),
        "executionEndTime": _moment(after.modified) if execution.is_over else None,
    }
    return Event(
        "SageMaker Model Building Pipeline Execution Status Change",
        after.modified,
        [pipeline, after.arn],
        {key: value for key, value in facts.items() if value is not None},
    )


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
