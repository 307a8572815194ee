"""The sweep: what this Airflow has started on SageMaker, and no task waits for any more.

Looks at what goes on, reads its tags, asks Airflow for the tasks, and stops what is astray if it
is told to. All calls are within the user's budget of calls a second.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from include.nacre.dag.aws import NO_SUCH_NAME, PAGE_SIZE, Account, Answer, Aws, answered_at
from include.nacre.dag.budget import Budget, calls_per_second
from include.nacre.dag.deployment import installation, is_named
from include.nacre.dag.identity import TaskKey
from include.nacre.dag.kinds import EXECUTION, PROCESSING, TRAINING, TRANSFORM, Kind
from include.nacre.dag.pages import is_aws
from include.nacre.dag.patience import Patience, aws_errors
from include.nacre.dag.strays import Running, States, Stray, strays
from include.nacre.dag.tags import Origin, may_be_ours, origin_in, origin_of
from include.nacre.dag.troubles import Trouble, understood

T = TypeVar("T")

JOBS = (PROCESSING, TRAINING, TRANSFORM)
WAIT_SECONDS = 600.0
"""How long a call is made again while it is throttled or unanswered."""
GRACE = timedelta(minutes=10)
"""What is younger is left alone: what looks odd about it may be on its way."""
RECENTLY = timedelta(days=60)
"""Pipelines that were started longer ago are not asked for their executions."""


_UNNAMED = (
    "This Airflow is called {!r}, as others may be: jobs of theirs would be stopped, too. Give it a"
    " name of its own first: [nacre] installation (AIRFLOW__NACRE__INSTALLATION). What was started"
    " before has the old name, and is stopped by hand."
)


class SweepRefusedError(ValueError):
    """Nothing may be stopped here; the message says why and what to do."""


@dataclass(frozen=True)
class Found:
    """One stray, and what was done about it: nothing, unless it was to be stopped."""

    stray: Stray
    stopped: bool = False
    trouble: str = ""
    """Why it could not be stopped."""

    def __str__(self) -> str:
        if self.stopped:
            return f"{self.stray}. It was told to stop."
        return f"{self.stray}. {self.trouble or 'It still runs.'}"

    def to_json(self) -> dict[str, Any]:
        """Return it for XCom."""
        item = self.stray.running
        key = item.origin.key
        return {
            "kind": item.kind.step_type,
            "name": item.name,
            "created": item.created.isoformat(),
            "dag_id": key.dag_id,
            "run_id": key.run_id,
            "task_id": key.task_id,
            "map_index": key.map_index,
            "why": self.stray.why,
            "stopped": self.stopped,
        }


@dataclass(frozen=True)
class Report:
    """What a sweep of one account and region has found."""

    seen: int
    """How much of ours goes on there, strays included, what is young not."""
    found: tuple[Found, ...]
    unseen: tuple[str, ...] = ()
    """What could not be looked at, and why."""

    @property
    def left(self) -> tuple[Found, ...]:
        """The strays that were not stopped."""
        return tuple(item for item in self.found if not item.stopped)

    def lines(self) -> Iterator[str]:
        """Yield the report for people."""
        yield (
            f"{self.seen} of the jobs and executions that run were started by this Airflow;"
            f" {len(self.found)} of them belong to no task any more"
        )
        yield from map(str, self.found)
        yield from self.unseen


@dataclass
class Sweep:
    """One sweep. `states_of` returns the states of tasks, see `ledger.py`."""

    aws: Aws
    budget: Budget
    """Told of what `aws` sends."""
    installation: str
    states_of: Callable[[Collection[TaskKey]], States]
    warn: Callable[[str], None]
    grace: timedelta = GRACE
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _unseen: list[str] = field(default_factory=list)

    def run(self, *, stop: bool) -> Report:
        """Look for strays, and stop them if wanted. Raises SweepRefusedError if that would be
        dangerous, and what botocore raises, except where only some calls are not permitted: then
        the report says what was not looked at.
        """
        if stop and is_aws(self.aws.endpoint) and not is_named():
            raise SweepRefusedError(_UNNAMED.format(self.installation))
        running = [*self._running()]
        found = strays(running, self.states_of({item.origin.key for item in running}))
        # Looked at once more: what has ended by itself meanwhile is none.
        dealt = tuple(self._deal(item, stop) for item in found if self._goes_on(item.running))
        return Report(len(running), dealt, tuple(self._unseen))

    def _running(self) -> Iterator[Running]:
        for kind in JOBS:
            yield from self._permitted(kind, self._jobs(kind))
        yield from self._permitted(EXECUTION, self._executions())

    def _permitted(self, kind: Kind, items: Iterator[Running]) -> Iterator[Running]:
        """Yield items until a call is not permitted; the report tells of that."""
        try:
            yield from items
        except aws_errors() as error:
            said = understood(error)
            if said.trouble is not Trouble.DENIED:
                raise
            self._unseen.append(f"Not all {kind.noun}s could be looked at. {said}")

    def _jobs(self, kind: Kind) -> Iterator[Running]:
        for answer, summary in [*self._listed(kind, StatusEquals="InProgress")]:
            name, created = str(summary[kind.name_key]), summary["CreationTime"]
            age = _age(created, answer)
            if age < self.grace or not may_be_ours(name):
                continue
            origin = origin_of(self._tags(str(summary[kind.arn_key])))
            if origin and self._is_ours(origin) and origin.has_made(name, kind.name_limit):
                yield Running(kind, name, created, age, origin)

    def _executions(self) -> Iterator[Running]:
        """Yield the executions of all pipelines that this Airflow has started. The service lists
        them by pipeline; of each the latest hundred are looked at.
        """
        request = {"MaxResults": PAGE_SIZE}
        for answer, pipeline in [*self._pages("ListPipelines", "PipelineSummaries", request)]:
            last = pipeline.get("LastExecutionTime")
            if last is not None and _age(last, answer) < RECENTLY:
                yield from self._executions_of(str(pipeline["PipelineName"]))

    def _executions_of(self, pipeline: str) -> Iterator[Running]:
        latest = {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": PAGE_SIZE}
        try:
            answer = self._call("ListPipelineExecutions", PipelineName=pipeline, **latest)
        except aws_errors() as error:
            if understood(error).trouble in NO_SUCH_NAME:  # deleted meanwhile
                return
            raise
        for summary in answer["PipelineExecutionSummaries"]:
            began = summary["StartTime"]
            age = _age(began, answer)
            origin = origin_in(summary.get("PipelineExecutionDescription", ""))
            goes_on = EXECUTION.runs(EXECUTION.status(summary)) and age >= self.grace
            if goes_on and origin and self._is_ours(origin):
                yield Running(EXECUTION, str(summary[EXECUTION.name_key]), began, age, origin)

    def _is_ours(self, origin: Origin) -> bool:
        return origin.key.installation == self.installation

    def _tags(self, arn: str) -> dict[str, str]:
        tags = self._pages("ListTags", "Tags", {"ResourceArn": arn})
        try:
            return {str(tag["Key"]): str(tag["Value"]) for _, tag in tags}
        except aws_errors() as error:
            if understood(error).trouble in NO_SUCH_NAME:  # deleted meanwhile
                return {}
            raise

    def _listed(self, kind: Kind, **filters: Any) -> Iterator[tuple[Answer, Answer]]:
        size = {} if kind.pages_before_filter else {"MaxResults": PAGE_SIZE}
        return self._pages(kind.operation("List"), kind.summaries_key, {**filters, **size})

    def _pages(
        self, operation: str, key: str, request: Mapping[str, Any]
    ) -> Iterator[tuple[Answer, Answer]]:
        """Yield every item of all pages, with the page that it is on."""
        answer = self._call(operation, **request)
        yield from ((answer, item) for item in answer[key])
        while token := answer.get("NextToken"):
            answer = self._call(operation, **request, NextToken=token)
            yield from ((answer, item) for item in answer[key])

    def _goes_on(self, item: Running) -> bool:
        answer = self._paced(lambda: self.aws.describe(item.kind, item.name))
        return answer is not None and item.kind.runs(item.kind.status(answer))

    def _deal(self, stray: Stray, stop: bool) -> Found:
        if not stop:
            return Found(stray)
        item = stray.running
        try:
            self._paced(lambda: self.aws.stop(item.kind, item.name))
        except aws_errors() as error:
            said = understood(error)
            if said.trouble is not Trouble.DENIED:
                raise
            return Found(stray, trouble=f"It could not be stopped. {said}")
        return Found(stray, stopped=True)

    def _call(self, operation: str, **request: Any) -> Answer:
        return self._paced(lambda: self.aws.call(operation, **request))

    def _paced(self, call: Callable[[], T]) -> T:
        """Make a call when the budget has one; again while it is throttled or unanswered."""

        def when_due() -> T:
            self.sleep(self.budget.wait(self.clock()))
            self.budget.take(self.clock())
            try:
                return call()
            finally:
                self.budget.done()

        return Patience(self.warn, WAIT_SECONDS, self.sleep, self.clock).call(when_due)


def sweep_of(
    account: Account,
    states_of: Callable[[Collection[TaskKey]], States],
    warn: Callable[[str], None],
    grace: timedelta = GRACE,
) -> Sweep:
    """Return the sweep of an account and region, for what this Airflow has started there."""
    budget = Budget(calls_per_second())
    return Sweep(Aws(account, budget.sent), budget, installation(), states_of, warn, grace)


def _age(moment: datetime, answer: Answer) -> timedelta:
    """Return how long ago a moment was when the service answered, which it says in seconds."""
    return max(timedelta(0), answered_at(answer) - moment)
