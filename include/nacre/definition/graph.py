"""Which step waits for which."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import chain

from include.nacre.definition.conditions import operands
from include.nacre.definition.expressions import Value, steps_of
from include.nacre.definition.records import COMPLETED, Pipeline, Step, flatten

Edges = Mapping[str, frozenset[str]]
Needs = Mapping[str, Mapping[str, str]]
"""By step, which end (a Dependency's trigger) of which other step it awaits."""


@dataclass(frozen=True)
class Branch:
    """The side of a Condition step that holds a step: whether its conditions have to hold."""

    condition: str
    holds: bool


def dependencies(pipeline: Pipeline) -> Edges:
    """Return for each step, branches and bodies included, the steps that it waits for."""
    return edges(pipeline.steps)


def edges(steps: tuple[Step, ...]) -> Edges:
    """Return for each step the names that it waits for, by the three rules of the language.

    1. every name in `DependsOn`;
    2. every step that an expression in it refers to;
    3. the Condition or ForEach step that holds it.
    """
    holders = {inner.name: step.name for step in flatten(steps) for inner in step.inner_steps}
    return {
        step.name: frozenset(item.step for item in step.depends_on)
        | references(step)
        | ({holders[step.name]} if step.name in holders else frozenset())
        for step in flatten(steps)
    }


def needs(pipeline: Pipeline) -> Needs:
    """Return for each step the ends that it awaits: those that its `DependsOn` names, and of what
    it refers to or is held by the success.

    The steps are in an order in which they may run, which is the same for the same file in every
    process. Raises graphlib.CycleError if there is none: the reader refuses such pipelines.
    """
    steps = {step.name: step for step in pipeline.all_steps}
    place = {name: number for number, name in enumerate(steps)}
    graph = {
        name: sorted(others, key=place.__getitem__)
        for name, others in dependencies(pipeline).items()
    }
    return {
        name: _awaited(steps[name], graph[name]) for name in TopologicalSorter(graph).static_order()
    }


def first_ancestors(awaited: Needs) -> Mapping[str, tuple[str, ...]]:
    """Return, for each step, the steps that it descends from and that wait for none themselves;
    of such a step none. `awaited` comes in an order in which the steps may run.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, others in awaited.items():
        # Many of them have the same ancestors: where whole layers wait for each other, all.
        first = dict.fromkeys(found[other] or (other,) for other in others)
        found[name] = tuple(dict.fromkeys(chain.from_iterable(first)))
    return found


def _awaited(step: Step, others: list[str]) -> dict[str, str]:
    explicit = {item.step: item.trigger for item in step.depends_on}
    return {name: explicit.get(name, COMPLETED) for name in others}


def branches(pipeline: Pipeline) -> Mapping[str, Branch]:
    """Return the branch of each step that stands in one."""
    return {
        inner.name: Branch(step.name, holds)
        for step in pipeline.all_steps
        for holds, held in ((True, step.if_steps), (False, step.else_steps))
        for inner in held
    }


def references(step: Step) -> frozenset[str]:
    """Return the steps that a step's own expressions refer to; its branches do not count."""
    return steps_of(values_of(step))


def values_of(step: Step) -> tuple[Value, ...]:
    """Return all of a step in which expressions may stand; of a Condition its conditions only."""
    compared = (value for condition in step.conditions for value in operands(condition))
    return (step.arguments, step.extra, *compared)


def cycles(graph: Edges) -> Iterator[list[str]]:
    """Yield cycles, each as the names along it, until the rest of the graph has none."""
    rest = dict(graph)
    while cycle := _one_cycle(rest):
        yield cycle
        for name in cycle:
            rest[name] = frozenset()


def _one_cycle(graph: Edges) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        names: list[str] = error.args[1]
        # graphlib follows edges from what is waited for; people read from what waits.
        return names[:0:-1]
    return []
