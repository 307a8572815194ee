"""What waits for a job while its task is deferred: it holds no worker."""

import asyncio
import time
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from include.nacre.dag.aws import Account, Aws
from include.nacre.dag.kinds import KINDS
from include.nacre.dag.patience import Patience
from include.nacre.dag.points import Point, reached_in_trigger
from include.nacre.dag.succession import DEFERRED, silences, state_of
from include.nacre.dag.watcher import WatchError
from include.nacre.dag.watchers import watcher_of

KILL_SECONDS = 25.0
"""Airflow gives `on_kill` 30 seconds by default ([triggerer] on_kill_timeout)."""


class JobTrigger(BaseTrigger):
    """Waits for one job; all triggers of a connection share one watcher.

    :param kind: the kind of what is waited for: a step type, or `Pipeline`
    :param name: the job's name, or the ARN of a model package or a pipeline's execution
    :param created: when the service created it, in seconds of the epoch
    """

    def __init__(
        self,
        *,
        kind: str,
        name: str,
        created: float,
        aws_conn_id: str | None,
        region_name: str | None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's
        self.kind = kind
        self.name = name
        self.created = created
        self.account = Account(aws_conn_id, region_name)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what a triggerer needs to make this trigger again."""
        return f"{__name__}.{type(self).__name__}", {
            "kind": self.kind,
            "name": self.name,
            "created": self.created,
            "aws_conn_id": self.account.conn_id,
            "region_name": self.account.region,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event: `name`, and `status` of the end or `trouble` why nobody can wait here.

        All that the task needs is in the event: `defer(kwargs=...)` is lost in dag.test().
        """
        await reached_in_trigger(Point.DEFERRED, self.name)
        try:
            end = {"status": await self._end()}
        except WatchError as error:
            end = {"trouble": str(error)}
        await reached_in_trigger(Point.SEEN, self.name)
        yield TriggerEvent({"name": self.name, **end})  # type: ignore[no-untyped-call]  # Airflow's

    async def _end(self) -> str:
        status = ""
        watcher = watcher_of(self.account)
        async for news in watcher.news_of(self.kind, self.name, self.created):
            self.log.info(news.text)
            status = news.status
        return status

    async def on_kill(self) -> None:
        """Stop the job: the task was marked or cleared while it was deferred. Airflow calls this
        also where another triggerer has taken over from one that stood still; then it waits on.
        """
        if KINDS[self.kind].stoppable:
            await asyncio.to_thread(self._stop_or_leave)

    def _stop_or_leave(self) -> None:
        if self._is_waited_for():
            self.log.info("Another triggerer waits for %s", self.name)
        else:
            self._stop()

    def _is_waited_for(self) -> bool:
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        if self.task_instance is None:
            return False
        try:
            state = state_of(self.task_instance, RuntimeTaskInstance.get_task_states)
        except silences() as error:
            self.log.warning("Airflow does not say why the wait has ended: %s", error)
            return False
        return state == DEFERRED

    def _stop(self) -> None:
        aws, kind = _stopping(self.account, int(time.monotonic() // 60)), KINDS[self.kind]
        Patience(self.log.warning, KILL_SECONDS).call(lambda: aws.stop(kind, self.name))
        self.log.info("Asked SageMaker to stop %s %s", kind.noun, self.name)


@lru_cache(maxsize=8)
def _stopping(account: Account, _minute: int) -> Aws:
    """Return what stops the jobs of an account in a minute. A thousand tasks may be marked at once,
    and to make a client for each would take longer than Airflow waits for them all.
    """
    return Aws(account)
