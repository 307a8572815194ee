"""A List call that goes on over several pages, between other calls. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from include.nacre.dag.kinds import Kind
from include.nacre.dag.polling import BARREN_PAGES, Watched, What, look_back, oldest, unchecked

Answer = Mapping[str, Any]

FOREIGN_PAGES = 10
"""A list of changes is given up when it has so many pages more than there are jobs that wait."""


@dataclass
class Listing:
    """What was asked, about which jobs, and how far the answer goes."""

    what: What
    kind: Kind
    asked: Sequence[Watched]
    request: Mapping[str, Any]
    began: float
    """By the watcher's clock."""
    due: float
    """When the next page may be asked for."""
    service_began: float | None = None
    """The same moment as `began` by the service's clock, which answers it: nothing that happens
    later is certain to be in the answer."""
    token: str | None = None
    pages: int = 0
    shown: set[str] = field(default_factory=set)
    """The names of all jobs that were in the answer."""
    barren: int = 0
    """How many pages in a row showed none of the jobs it is about."""

    @property
    def page_request(self) -> Mapping[str, Any]:
        return {**self.request, "NextToken": self.token} if self.token else self.request

    def turn(self, answer: Answer, service_now: float, now: float) -> None:
        """Take a page in."""
        names = {summary[self.kind.name_key] for summary in answer[self.kind.summaries_key]}
        hit = not names.isdisjoint(job.name for job in self.asked)
        self.barren = 0 if hit else self.barren + 1
        self.shown |= names
        self.pages += 1
        self.due = now
        self.token = answer.get("NextToken")
        if self.service_began is None:
            self.service_began = service_now

    @property
    def missing(self) -> list[Watched]:
        """Return the jobs it is about that it has not shown so far."""
        return [job for job in self.asked if job.name not in self.shown]

    @property
    def too_long(self) -> bool:
        """Say whether the rest of the answer is about others, and costs more than it tells."""
        if self.what is What.CENSUS:
            return self.barren >= BARREN_PAGES
        return self.pages >= len(self.asked) + FOREIGN_PAGES

    @property
    def goes_on(self) -> bool:
        if self.what is What.CENSUS and not self.missing:
            return False
        return self.token is not None and not self.too_long


def begin(
    what: What, kind: Kind, waiting: Sequence[Watched], now: float, service_now: float
) -> Listing:
    """Return a listing of which no page was asked for yet."""
    if what is What.CHANGES:
        since = _moment(look_back(waiting, service_now))
        return Listing(what, kind, waiting, {"LastModifiedTimeAfter": since}, now, now)
    asked = unchecked(waiting, now)
    request: dict[str, Any] = {
        "CreationTimeAfter": _moment(oldest(asked)),
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
    }
    if all(job.seen is not None for job in asked):
        # The lists of changes show ends. Jobs that nobody has looked at yet may have ended long
        # ago, perhaps all while no triggerer ran: then the ends are worth showing, too.
        request["StatusEquals"] = "InProgress"
    return Listing(what, kind, asked, request, now, now)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
