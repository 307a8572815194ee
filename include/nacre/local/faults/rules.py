"""What can go wrong on request: plain records, named as in a scenario's JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from include.nacre.local.jobs.fate import BadEnd

CallDeed = Literal["throttle", "internal", "unavailable", "drop", "drop_after", "delay"]
CALL_DEEDS: tuple[CallDeed, ...] = get_args(CallDeed)
Delay = Literal["slow_start", "slow_stop"]
JobDeed = BadEnd | Literal["interrupt"] | Delay
BAD_ENDS: tuple[BadEnd, ...] = get_args(BadEnd)
DELAYS: tuple[Delay, ...] = get_args(Delay)
JOB_DEEDS: tuple[JobDeed, ...] = (*BAD_ENDS, "interrupt", *DELAYS)
WORDS = ("Training", "Processing", "Transform")
"""The kinds of jobs."""
EVERY = "*"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Acts on a share of what it is about, and so many times at most."""

    share: float = 1.0
    times: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As a scenario has it, without what is not set."""
        said = {each.name: (getattr(self, each.name), each.default) for each in fields(self)}
        return {name: value for name, (value, default) in said.items() if value != default}


@dataclass(frozen=True, kw_only=True)
class CallRule(Rule):
    """What becomes of calls: `call` is a glob on operations, `name` one on names in the request.

    `seconds` is how long a delayed call waits before it is looked at.
    """

    call: str
    do: CallDeed
    name: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class JobRule(Rule):
    """What becomes of jobs of a kind (or `*`), decided when they are created; `name` is a glob.

    `seconds` is how long the job runs (for want of capacity: starts) before, or how long it takes
    to start or stop; `away` how long there is no spot instance after an interruption.
    """

    job: str
    do: JobDeed
    name: str | None = None
    seconds: float = 0.0
    away: float = 1.0


@dataclass(frozen=True, kw_only=True)
class QuotaRule(Rule):
    """At most `limit` instances in use by the jobs of a kind (or `*`: of each), of those types."""

    quota: str
    limit: int
    instance_type: str = EVERY


@dataclass(frozen=True)
class Scenario:
    """Rules in the order in which they are asked, and the seed of their draws."""

    rules: Sequence[Rule] = ()
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """As JSON that can be read again."""
        return {"seed": self.seed, "rules": [rule.to_json() for rule in self.rules]}


Content = Mapping[str, Any]
