"""Which of the jobs that this Airflow has started belong to no task any more. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.nacre.dag.identity import TaskKey
from include.nacre.dag.kinds import Kind
from include.nacre.dag.tags import Origin
from include.nacre.native.pull import execution_id

States = Mapping[TaskKey, str | None]
"""The states of task instances, as Airflow names them: None before the first, and after a clear.
Those that do not exist are not in it."""

ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
"""States in which nothing of a task runs any more, and nothing comes unless somebody clears it.
In all others it waits for its job, or a try is to come that adopts the job, or stops it."""


@dataclass(frozen=True)
class Running:
    """A job or an execution that goes on, and what has started it."""

    kind: Kind
    name: str
    """As Describe and Stop take it: a job's name, an execution's ARN."""
    created: datetime
    age: timedelta
    """By the service's clock."""
    origin: Origin


@dataclass(frozen=True)
class Stray:
    """What goes on although no task waits for it, and no try of one will."""

    running: Running
    why: str

    def __str__(self) -> str:
        item = self.running
        name = execution_id(item.name) if item.kind.has_steps else item.name
        what = f"{item.kind.noun} {name}"
        age = in_words(item.age)
        return f"{what}, which has been running for {age}, of {item.origin}: {self.why}"


def strays(running: Sequence[Running], states: States) -> Iterator[Stray]:
    """Yield the strays, with the reasons. `states` are those of all tasks that have started them,
    asked for after what runs: a task exists before its job.
    """
    latest = _latest(running)
    for item in running:
        if why := _why(item, latest[item.origin.key], states):
            yield Stray(item, why)


def _latest(running: Iterable[Running]) -> dict[TaskKey, Running]:
    """Return what each task has started last. A task creates nothing before what it has created
    earlier has ended, or was seen to be of a run that was deleted: so that is the one it waits for.
    """
    found: dict[TaskKey, Running] = {}
    for item in sorted(running, key=lambda item: item.created):
        found[item.origin.key] = item
    return found


def _why(item: Running, latest: Running, states: States) -> str | None:
    key = item.origin.key
    if key not in states:
        return "its task does not exist any more (the DAG, the run or the task was deleted)"
    if (state := states[key]) in ENDED:
        return f"its task has ended ({state})"
    if item.created < latest.created:
        return f"its task has started {latest.kind.called(latest.name)} since"
    return None


def in_words(age: timedelta) -> str:
    """Return a length of time for people: `3 h 20 min`."""
    minutes = int(age.total_seconds()) // 60
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"
