"""Which step waits for which."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from include.nacre.definition.conditions import operands
from include.nacre.definition.expressions import Value, steps_of
from include.nacre.definition.records import Pipeline, Step, flatten

Edges = Mapping[str, frozenset[str]]


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
