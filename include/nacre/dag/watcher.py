"""One watcher for all waiting tasks of a connection and region, in the triggerer's event loop.

When to call what is decided in `polling.py`; calls to AWS run in threads. Trouble that passes by
itself never reaches a waiting task: the watcher rests and goes on.
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from include.nacre.dag.aws import Account, Answer, Aws
from include.nacre.dag.kinds import KINDS, Kind
from include.nacre.dag.patience import aws_errors
from include.nacre.dag.polling import (
    OVERLAP,
    Calls,
    Watched,
    backoff,
    calls_due,
    joined,
    look_back,
    wake_at,
    was_described,
    was_listed,
)
from include.nacre.dag.troubles import Said, Trouble, understood
from include.nacre.dag.waiting import states
from include.nacre.native.execution import changes
from include.nacre.native.pace import SHORTEST

REPLACED = frozenset({Trouble.EXPIRED, Trouble.DENIED})
"""Troubles that new credentials end."""

DENIALS = 8
"""Refusals in a row, over about four minutes, after which the credentials are not waited for any
longer. Then each task waits in its worker, which has credentials of its own, or says what is
wrong with them."""

InThread = Callable[..., Awaitable[Any]]
JobId = tuple[str, str]
"""(kind, name)"""


class Service(Protocol):
    """What a watcher asks; `Aws` has it."""

    def describe(self, kind: Kind, name: str) -> Answer | None: ...

    def changed_since(self, kind: Kind, since: datetime) -> tuple[list[Answer], datetime]: ...


@dataclass(frozen=True)
class News:
    """What a waiting task is told. `status` is set when the job has ended."""

    text: str
    status: str = ""


class WatchError(Exception):
    """The watcher cannot ask about a job, and asking again would not help."""


class Watcher:
    """Asks about the jobs that somebody waits for, as long as somebody does."""

    def __init__(
        self, connect: Callable[[], Service], in_thread: InThread = asyncio.to_thread
    ) -> None:
        self._connect = connect
        self._in_thread = in_thread
        self._service: Service | None = None
        self._failures = 0
        """How many calls in a row have failed."""
        self._jobs: dict[JobId, Watched] = {}
        self._told: dict[JobId, dict[str, str]] = {}
        self._posts: dict[JobId, set[asyncio.Queue[News | Exception]]] = {}
        self._since: dict[str, datetime] = {}
        self._unlisted: set[str] = set()
        self._arrival = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def news_of(
        self, kind: str, name: str, created: float, age: float
    ) -> AsyncIterator[News]:
        """Yield what happens to a job; the last news has the status of its end.

        `created` is when the service made it (seconds of the epoch), `age` how long ago that is.
        """
        post: asyncio.Queue[News | Exception] = asyncio.Queue()
        job = (kind, name)
        self._join(job, post, created, age)
        try:
            while True:
                match await post.get():
                    case Exception() as error:
                        raise error
                    case News() as news:
                        yield news
                        if news.status:
                            return
        finally:
            self._leave(job, post)

    def _join(self, job: JobId, post: asyncio.Queue[Any], created: float, age: float) -> None:
        if job not in self._jobs:
            self._jobs[job] = joined(*job, created=created, now=_now(), age=age)
        self._posts.setdefault(job, set()).add(post)
        self._arrival.set()
        if self._task is None or self._task.done():
            # A context of its own: log lines would else be those of the task that came first.
            self._task = asyncio.get_running_loop().create_task(
                self._watch(), context=contextvars.Context()
            )
            self._task.add_done_callback(self._watched)

    def _leave(self, job: JobId, post: asyncio.Queue[Any]) -> None:
        posts = self._posts.get(job, set())
        posts.discard(post)
        if not posts:
            for index in (self._jobs, self._told, self._posts):
                index.pop(job, None)
        if not self._jobs and self._task is not None:
            self._task.cancel()
            self._forget()

    def _forget(self) -> None:
        """Begin anew with the next job: the connection may have changed by then."""
        self._task, self._service, self._failures = None, None, 0
        self._since.clear()
        self._unlisted.clear()

    def _watched(self, task: asyncio.Task[None]) -> None:
        """Tell everybody who waits if the watching itself broke."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._tell(list(self._jobs), WatchError(f"{type(error).__name__}: {error}"))

    async def _watch(self) -> None:
        while self._jobs:
            await self._until_due()
            try:
                await self._make(calls_due(self._jobs.values(), _now(), self._unlisted))
            except aws_errors() as error:
                self._bear(understood(error))
            await asyncio.sleep(backoff(self._failures) if self._failures else SHORTEST)

    async def _until_due(self) -> None:
        """Sleep until a call is due; a job that arrives meanwhile may make it due earlier."""
        while (left := wake_at(self._jobs.values()) - _now()) > 0:
            self._arrival.clear()
            try:
                await asyncio.wait_for(self._arrival.wait(), left)
            except TimeoutError:
                return

    async def _make(self, calls: Calls) -> None:
        for kind in sorted(calls.lists):
            await self._list(KINDS[kind])
        for job in calls.describes:
            await self._describe(job)

    async def _list(self, kind: Kind) -> None:
        began, asked = _now(), [job for job in self._jobs.values() if job.kind == kind.step_type]
        since = self._since.get(kind.step_type) or _moment(look_back(asked, began))
        try:
            summaries, answered_at = await self._ask("changed_since", kind, since)
        except aws_errors() as error:
            if understood(error).trouble in {Trouble.PASSING, Trouble.EXPIRED}:
                raise
            self._unlisted.add(kind.step_type)  # an identity may describe, and yet not list
            return
        self._since[kind.step_type] = answered_at - timedelta(seconds=OVERLAP)
        for job in asked:
            self._note(was_listed(self._jobs.get(_id(job), job), began))
        for summary in summaries:
            self._saw((kind.step_type, summary[kind.name_key]), summary)

    async def _describe(self, job: Watched) -> None:
        kind, began = KINDS[job.kind], _now()
        answer = await self._ask("describe", kind, job.name)
        self._note(was_described(job, began))
        if answer is None:
            self._tell([_id(job)], News(f"{job.name} does not exist any more", status="Deleted"))
        else:
            self._saw(_id(job), answer)

    async def _ask(self, call: str, *arguments: Any) -> Any:
        if self._service is None:
            self._service = self._connect()
        answer = await self._in_thread(getattr(self._service, call), *arguments)
        if self._failures:
            self._tell(list(self._jobs), News("The service answers again."))
        self._failures = 0
        return answer

    def _note(self, job: Watched) -> None:
        if _id(job) in self._jobs:  # somebody still waits for it
            self._jobs[_id(job)] = job

    def _saw(self, job: JobId, answer: Answer) -> None:
        """Tell those who wait for a job what is new about it."""
        if job not in self._jobs:
            return
        kind, told = KINDS[job[0]], self._told.get(job, {})
        self._told[job] = states(kind, job[1], answer)
        lines, status = changes(told, self._told[job]), kind.status(answer)
        for number, line in enumerate(lines, 1):
            last = number == len(lines) and kind.ended(status)
            self._tell([job], News(line, status if last else ""))

    def _tell(self, jobs: Iterable[JobId], news: News | Exception) -> None:
        for job in jobs:
            for post in self._posts.get(job, ()):
                post.put_nowait(news)

    def _bear(self, said: Said) -> None:
        """Go on after a failed call, if that passes by itself; raise WatchError if it does not."""
        self._failures += 1
        if said.trouble is not Trouble.PASSING:
            self._service = None  # the connection may have newer credentials
            if said.trouble not in REPLACED or self._failures >= DENIALS:
                raise WatchError(str(said))
        if self._failures == 1:
            self._tell(list(self._jobs), News(f"{said} The wait goes on."))


def _id(job: Watched) -> JobId:
    return job.kind, job.name


def _now() -> float:
    return asyncio.get_running_loop().time()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


# The triggerer runs all triggers in one event loop. A loop that is gone (each dag.test() of a
# deferred task makes its own) takes its watchers with it.
_watchers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Account, Watcher]] = (
    WeakKeyDictionary()
)


def watcher_of(account: Account) -> Watcher:
    """Return the watcher of an account in the running event loop."""
    watchers = _watchers.setdefault(asyncio.get_running_loop(), {})
    if account not in watchers:
        watchers[account] = Watcher(lambda: Aws(account))
    return watchers[account]
