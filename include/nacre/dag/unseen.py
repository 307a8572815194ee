"""Failures that Airflow would not show: a DAG run has failed only if one of its last tasks has.

Where a step fails, what waits for its success is `upstream_failed`, down to the last task. But a
last task that is skipped, as a step of a branch not taken is, shows nothing: then the run would
be a success although a step failed. Pure: from the graph alone, which steps that may befall.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from include.nacre.definition.graph import Branch, Needs, branches
from include.nacre.definition.records import COMPLETED, Pipeline

_AFTER_FAILURE = frozenset({"Failed", "Any"})


def unseen_failures(pipeline: Pipeline, needs: Needs) -> tuple[str, ...]:
    """Return the steps whose failure no last task is certain to show, in the order of `needs`."""
    return tuple(_Graph.of(pipeline, needs).unseen())


def handlers(needs: Needs) -> Mapping[str, tuple[str, ...]]:
    """Return, by step, the steps that await another end of it than its success: where one of them
    runs, its failure is dealt with.
    """
    found: dict[str, list[str]] = {}
    for name, awaited in needs.items():
        for step, trigger in awaited.items():
            if trigger != COMPLETED:
                found.setdefault(step, []).append(name)
    return {step: tuple(names) for step, names in found.items()}


@dataclass(frozen=True)
class _Graph:
    needs: Needs
    below: Mapping[str, frozenset[str]]
    """By step, all that depends on it in the end."""
    taken: Mapping[str, frozenset[Branch]]
    """By step, the branches that must have been taken for it to run."""
    handlers: Mapping[str, tuple[str, ...]]
    choosy: frozenset[str]
    """The steps that await, or depend on one that awaits, another end than success: skipped where
    another one came."""

    @classmethod
    def of(cls, pipeline: Pipeline, needs: Needs) -> "_Graph":
        held = branches(pipeline)
        taken: dict[str, frozenset[Branch]] = {}
        choosy: set[str] = set()
        for name, awaited in needs.items():
            own = {held[name]} if name in held else set()
            taken[name] = frozenset(own).union(*(taken[other] for other in awaited))
            if choosy & awaited.keys() or {*awaited.values()} - {COMPLETED}:
                choosy.add(name)
        return cls(needs, _below(needs), taken, handlers(needs), frozenset(choosy))

    def unseen(self) -> Iterator[str]:
        for step in self.needs:
            last = [name for name in self.below[step] if not self.below[name]]
            if last and not self._is_handled(step) and not self._is_seen(step, last):
                yield step

    def _is_handled(self, step: str) -> bool:
        """Say whether a failure is certain to start another step."""
        alone = (self.needs[name] for name in self.handlers.get(step, ()))
        return any(ends.keys() == {step} and ends[step] in _AFTER_FAILURE for ends in alone)

    def _is_seen(self, step: str, last: Iterable[str]) -> bool:
        """Say whether one of the last tasks is certain to be upstream_failed when a step fails."""
        # A condition that waits for the step takes no branch; of its own branches one was taken.
        settled = {step, *self.below[step]}
        return any(
            name not in self.choosy
            and all(
                branch.condition in settled or branch in self.taken[step]
                for branch in self.taken[name]
            )
            for name in last
        )


def _below(needs: Needs) -> Mapping[str, frozenset[str]]:
    direct: dict[str, set[str]] = {name: set() for name in needs}
    for name, awaited in needs.items():
        for other in awaited:
            direct[other].add(name)
    below: dict[str, frozenset[str]] = {}
    for name in reversed([*needs]):
        below[name] = frozenset(direct[name]).union(*(below[other] for other in direct[name]))
    return below
