"""One watcher for all waiting tasks of a connection and region, in the triggerer's event loop.

When to call what is decided in `polling.py`, how often in `budget.py`; calls to AWS run in threads.
Trouble that passes by itself never reaches a waiting task: what is in trouble rests, and what is
not goes on.
"""

import asyncio
import contextvars
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from include.nacre.dag.aws import Answer, answered_at
from include.nacre.dag.budget import Budget
from include.nacre.dag.events import Queue
from include.nacre.dag.hearing import listen
from include.nacre.dag.kinds import KINDS, Kind
from include.nacre.dag.listing import Listing, begin
from include.nacre.dag.patience import aws_errors
from include.nacre.dag.polling import (
    SWEEP,
    Call,
    Line,
    Means,
    Turns,
    Watched,
    What,
    backoff,
    calls,
    choose,
    joined,
    put_off,
    was_listed,
    was_missed,
    was_seen,
    was_told_of,
)
from include.nacre.dag.threads import in_thread
from include.nacre.dag.troubles import Said, Trouble, understood
from include.nacre.dag.waiting import states
from include.nacre.native.execution import changes

REPLACED = frozenset({Trouble.EXPIRED, Trouble.DENIED})
"""Troubles that new credentials end."""

DENIALS = 8
"""Refusals in a row, over about four minutes, after which the credentials are not waited for any
longer. Then each task waits in its worker, which has credentials of its own, or says what is
wrong with them."""

TOLD = 3
"""Failures in a row of which the waiting tasks are told: the trouble has lasted for six seconds."""

LISTS_FAIL = 4
"""Failures in a row of a kind's list after which its jobs are described meanwhile."""

GATHERING = 0.05
"""Seconds in which more of what arrives is gathered: a triggerer begins with many jobs at once."""

SHORTEST_REST = 0.001
"""Seconds. Less may be too little to make a difference to the clock's figure."""

log = logging.getLogger(__name__)

InThread = Callable[..., Awaitable[Any]]
JobId = tuple[str, str]
"""(kind, name)"""


class Service(Protocol):
    """What a watcher asks; `Aws` has it."""

    def describe(self, kind: Kind, name: str) -> Answer | None: ...

    def list_page(self, kind: Kind, request: Mapping[str, Any]) -> Answer: ...


Connect = Callable[[Callable[[], None]], Service]
"""Given what is to be told of each request."""


@dataclass(frozen=True)
class News:
    """What a waiting task is told. `status` is set when the job has ended."""

    text: str
    status: str = ""


class WatchError(Exception):
    """The watcher cannot ask about a job, and asking again would not help."""


class Watcher:
    """Asks about the jobs that somebody waits for, as long as somebody does.

    `queue` brings events, if there are any: it returns None where none are wanted.
    """

    def __init__(
        self,
        connect: Connect,
        budget: Budget,
        in_thread: InThread = in_thread,
        queue: Callable[[], Queue] | None = None,
    ) -> None:
        self._connect = connect
        self._budget = budget
        self._in_thread = in_thread
        self._queue = queue
        self._jobs: dict[JobId, Watched] = {}
        self._told: dict[JobId, dict[str, str]] = {}
        self._posts: dict[JobId, set[asyncio.Queue[News | Exception]]] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Forget what was learnt: with the next job the connection may be another one."""
        self._service: Service | None = None
        self._clock: float | None = None
        """The service's clock, minus ours; None until it has answered."""
        self._listings: dict[Line, Listing] = {}
        self._served: dict[Line, float] = {}
        self._unlisted: dict[str, float] = {}
        """Until when a kind cannot be listed."""
        self._failures: dict[str, int] = {}
        """How many calls in a row of an operation have failed."""
        self._rests: dict[str, float] = {}
        self._troubled: set[str] = set()
        """Kinds whose waiting tasks were told of trouble that lasts."""
        self._asking: dict[str, asyncio.Task[None]] = {}
        """The calls that wait for an answer, by operation."""
        self._heard: set[str] = set()
        """Kinds whose ends events tell of in time."""

    async def news_of(self, kind: str, name: str, created: float) -> AsyncIterator[News]:
        """Yield what happens to a job; the last news has the status of its end.

        `created` is when the service made it, in seconds of the epoch.
        """
        post: asyncio.Queue[News | Exception] = asyncio.Queue()
        job = (kind, name)
        self._join(job, post, created)
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

    def _join(self, job: JobId, post: asyncio.Queue[Any], created: float) -> None:
        if self._task is None or self._task.done():
            self._begin_anew()
            # A context of its own: log lines would else be those of the task that came first.
            self._task = asyncio.get_running_loop().create_task(
                self._watch(), context=contextvars.Context()
            )
            self._task.add_done_callback(self._watched)
        if job not in self._jobs:
            now = _now()
            age = None if self._clock is None else now + self._clock - created
            self._jobs[job] = joined(*job, created=created, now=now, age=age)
        self._posts.setdefault(job, set()).add(post)
        self._changed.set()

    def _leave(self, job: JobId, post: asyncio.Queue[Any]) -> None:
        posts = self._posts.get(job, set())
        posts.discard(post)
        if not posts:
            for index in (self._jobs, self._told, self._posts):
                index.pop(job, None)
        if not any(kind == job[0] for kind, _ in self._jobs):
            for what in What:
                self._listings.pop((what, job[0]), None)
        if not self._jobs and self._task is not None:
            self._task.cancel()
            self._task = None

    def _watched(self, task: asyncio.Task[None]) -> None:
        """Tell everybody who waits if the watching itself broke."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._tell(list(self._jobs), WatchError(f"{type(error).__name__}: {error}"))

    async def _watch(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                if self._queue is not None:
                    group.create_task(self._listen(self._queue))
                while self._jobs:
                    await self._turn(group)
        except ExceptionGroup as broken:
            raise broken.exceptions[0] from None

    async def _listen(self, queue: Callable[[], Queue]) -> None:
        """Hear of ends. Whatever goes wrong here, asking goes on."""
        try:
            await listen(queue, self._in_thread, self)
        except Exception:
            self.hear_nothing()
            log.exception("SageMaker's events are not heard any more; asking goes on.")

    async def _turn(self, group: asyncio.TaskGroup) -> None:
        """Make the next call, or wait until there is one."""
        self._changed.clear()
        now = _now()
        call, ready = choose(self._calls(now), now, self._turns())
        rest = max(ready - now, self._budget.wait(now))
        if call is not None and rest <= 0:
            self._begin(call, now, group)
            return
        try:
            rest = max(rest, SHORTEST_REST)
            await asyncio.wait_for(self._changed.wait(), None if rest == math.inf else rest)
        except TimeoutError:
            return
        await asyncio.sleep(GATHERING)

    def _calls(self, now: float) -> list[Call]:
        unlisted = {kind for kind, until in self._unlisted.items() if until > now}
        failing = {
            kind.step_type
            for kind in KINDS.values()
            if self._failures.get(kind.operation("List"), 0) >= LISTS_FAIL
        }
        pages = {line: listing.due for line, listing in self._listings.items()}
        return calls(self._jobs.values(), now, Means(unlisted, failing, pages))

    def _turns(self) -> Turns:
        return Turns(self._served, self._rests, self._asking)

    def _begin(self, call: Call, now: float, group: asyncio.TaskGroup) -> None:
        self._budget.take(now)
        self._served[call.line] = now
        task = group.create_task(self._make(call, now))
        self._asking[call.operation] = task
        task.add_done_callback(partial(self._answered, call.operation, self._asking))

    def _answered(
        self, operation: str, asking: dict[str, asyncio.Task[None]], _: asyncio.Task[None]
    ) -> None:
        del asking[operation]
        self._budget.done()
        self._changed.set()

    async def _make(self, call: Call, now: float) -> None:
        try:
            if call.what is What.DESCRIBE:
                await self._describe(call)
            else:
                await self._list(call, now)
        except aws_errors() as error:
            self._bear(call, understood(error))

    async def _describe(self, call: Call) -> None:
        job, began = (call.kind, call.name), _now()
        answer = await self._ask(call, "describe", KINDS[call.kind], call.name)
        if answer is None:
            self._tell([job], News(f"{call.name} does not exist any more", status="Deleted"))
            self._heard.discard(call.kind)
            return
        self._saw(job, answer, began, self._service_time(answer))

    async def _list(self, call: Call, now: float) -> None:
        kind, line = KINDS[call.kind], call.line
        listing = self._listings.get(line)
        if listing is None:
            waiting = [job for job in self._jobs.values() if job.kind == call.kind]
            listing = self._listings[line] = begin(
                call.what, kind, waiting, now, self._service_now(now)
            )
        answer = await self._ask(call, "list_page", kind, listing.page_request)
        listing.turn(answer, self._service_time(answer), _now())
        self._take_in(listing, answer)
        if not listing.goes_on:
            self._listings.pop(line, None)
            self._close(listing)

    def _take_in(self, listing: Listing, answer: Answer) -> None:
        began = listing.service_began or 0.0
        for summary in answer[listing.kind.summaries_key]:
            job = (listing.kind.step_type, str(summary[listing.kind.name_key]))
            self._saw(job, summary, listing.began, began)

    def _close(self, listing: Listing) -> None:
        """Note what the end of a listing says about the jobs that it has not shown."""
        if listing.what is What.CENSUS:
            for job in listing.missing:
                self._note(_id(job), was_missed)
        elif listing.too_long:
            self._unlisted[listing.kind.step_type] = _now() + SWEEP
        else:
            note = partial(
                was_listed,
                now=listing.began,
                service_now=listing.service_began or 0.0,
                slow=listing.kind.step_type in self._heard,
            )
            for job in listing.asked:
                self._note(_id(job), note)

    async def _ask(self, call: Call, method: str, *arguments: Any) -> Any:
        if self._service is None:
            self._service = self._connect(self._budget.sent)
        answer = await self._in_thread(getattr(self._service, method), *arguments)
        self._recover(call)
        return answer

    def _service_time(self, answer: Answer) -> float:
        """Return when the service answered, by its own clock, and set ours by it."""
        moment = answered_at(answer).timestamp()
        self._clock = moment - _now()
        return moment

    def _service_now(self, now: float) -> float:
        """Return the service's time. Before it has answered: a time that is past for certain."""
        if self._clock is not None:
            return now + self._clock
        return max(job.created for job in self._jobs.values())

    def _note(self, job: JobId, change: Callable[[Watched], Watched]) -> None:
        if job in self._jobs:  # somebody still waits for it
            self._jobs[job] = change(self._jobs[job])

    def _saw(self, job: JobId, answer: Answer, began: float, service_began: float) -> None:
        """Tell those who wait for a job what is new about it."""
        if job not in self._jobs:
            return
        kind, told = KINDS[job[0]], self._told.get(job, {})
        self._told[job] = states(kind, job[1], answer)
        lines, ended = list(changes(told, self._told[job])), kind.ended(kind.status(answer))
        if ended and not lines:  # somebody has joined after the others were told
            lines = [f"{kind.called(job[1])}: {self._told[job][kind.called(job[1])]}"]
        for number, line in enumerate(lines, 1):
            last = number == len(lines) and ended
            self._tell([job], News(line, kind.status(answer) if last else ""))
        if ended:
            self._learn(job)
        slow = job[0] in self._heard
        self._note(job, partial(was_seen, now=began, service_now=service_began, slow=slow))

    def _learn(self, job: JobId) -> None:
        """Note whether an event told of an end before a call did."""
        if self._jobs[job].heard is not None:
            self._heard.add(job[0])
        else:
            self._heard.discard(job[0])

    def _tell(self, jobs: Iterable[JobId], news: News | Exception) -> None:
        for job in jobs:
            for post in self._posts.get(job, ()):
                post.put_nowait(news)

    def _tell_kind(self, kind: str, news: News | Exception) -> None:
        self._tell([job for job in self._jobs if job[0] == kind], news)

    def hear(self, kind: str, name: str) -> bool:
        """Take in that something has ended, by an event; say whether anybody waits for it."""
        known = (kind, name) in self._jobs
        self._note((kind, name), partial(was_told_of, now=_now()))
        self._changed.set()
        return known

    def hear_nothing(self) -> None:
        """Take in that events cannot be relied on."""
        self._heard.clear()

    def _bear(self, call: Call, said: Said) -> None:
        """Go on after a failed call: later, or in another way, or without whom it was for."""
        if call.what is What.DESCRIBE:
            self._note((call.kind, call.name), partial(put_off, now=_now()))
        elif said.trouble not in {Trouble.PASSING, Trouble.EXPIRED}:
            self._list_no_more(call)
            return
        failures = self._failures[call.operation] = self._failures.get(call.operation, 0) + 1
        self._rests[call.operation] = _now() + backoff(failures)
        if said.trouble is not Trouble.PASSING:
            self._service = None  # the connection may have newer credentials
        if call.what is What.DESCRIBE and said.trouble not in REPLACED | {Trouble.PASSING}:
            self._tell([(call.kind, call.name)], WatchError(str(said)))
        elif said.trouble in REPLACED and failures >= DENIALS:
            self._tell_kind(call.kind, WatchError(str(said)))
        elif failures == TOLD and call.kind not in self._troubled:
            self._troubled.add(call.kind)
            self._tell_kind(call.kind, News(f"{said} The wait goes on."))

    def _list_no_more(self, call: Call) -> None:
        """Describe for a while: an identity may describe, and yet not list. (A further page may be
        refused because its token is too old; then the list begins anew.)
        """
        listing = self._listings.pop(call.line, None)
        if listing is None or not listing.pages:
            self._unlisted[call.kind] = _now() + SWEEP

    def _recover(self, call: Call) -> None:
        self._failures.pop(call.operation, None)
        self._rests.pop(call.operation, None)
        if call.kind in self._troubled:
            self._troubled.discard(call.kind)
            self._tell_kind(call.kind, News("The service answers again."))


def _id(job: Watched) -> JobId:
    return job.kind, job.name


def _now() -> float:
    return asyncio.get_running_loop().time()
