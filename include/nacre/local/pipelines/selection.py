"""Selective execution: which steps may be selected together, and what they take from a source.

Pure. The rules are those of `SelectiveExecutionConfig` in the service's API reference: every step
on every path between two selected steps is selected too, and what selected steps depend on comes
from a source execution of the same pipeline, where it must be there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from include.nacre.definition.faults import did_you_mean, shown
from include.nacre.local.pipelines.course import Course, meets
from include.nacre.local.pipelines.execution import Execution, StepRun


class SelectionError(ValueError):
    """Steps that cannot be selected; `faults` are all the reasons."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = tuple(faults)


def reused(course: Course, selected: Sequence[str], source: Execution | None) -> dict[str, StepRun]:
    """Return the steps of `source` whose results a selective execution starts with.

    `source` is None where none was named. Raises SelectionError with everything that is wrong.
    """
    unknown = [name for name in selected if name not in course.needs]
    faults = [_unknown(name, course) for name in unknown] or [*_gaps(course, selected)]
    wanted = {} if unknown else _wanted(course, selected)
    if wanted and source is None:
        faults.append(
            f"Selected steps depend on others ({', '.join(map(shown, wanted))}): give"
            " SourcePipelineExecutionArn, an earlier execution to take their results from."
        )
    elif source is not None:
        faults.extend(_missing(wanted, source))
    if faults or source is None:
        _refuse(faults)
        return {}
    return {name: _taken(source, name) for name in source.steps if name in wanted}


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        raise SelectionError(faults)


def _unknown(name: str, course: Course) -> str:
    return f"The pipeline has no step {shown(name)}. {did_you_mean(name, course.needs)}".rstrip()


def _gaps(course: Course, selected: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with each step that is not selected, but between selected ones."""
    above: dict[str, set[str]] = {}
    for step, needs in course.needs.items():
        above[step] = {*needs}.union(*(above[other] for other in needs))
    for step in course.needs:
        before = above[step] & {*selected}
        after = [other for other in selected if step in above[other]]
        if step not in selected and before and after:
            yield (
                f"The step {shown(step)} is between selected steps: it depends on"
                f" {', '.join(sorted(before))}, and {', '.join(after)} on it. Select it too."
            )


def _wanted(course: Course, selected: Sequence[str]) -> dict[str, set[str]]:
    """Return the unselected steps that selected ones depend on, with the ends that they await.

    The Condition step that holds a selected step is not awaited: selecting the step decides it.
    """
    found: dict[str, set[str]] = {}
    for step in selected:
        branch = course.branches.get(step)
        for other, trigger in course.needs[step].items():
            if other not in selected and not (branch and branch.condition == other):
                found.setdefault(other, set()).add(trigger)
    return found


def _missing(wanted: Mapping[str, set[str]], source: Execution) -> Iterator[str]:
    for step, triggers in wanted.items():
        run = source.steps.get(step)
        if run is None or not all(meets(run, trigger) for trigger in triggers):
            status = "did not run" if run is None else f"is {run.status}"
            yield (
                f"The step {shown(step)} {status} in the source execution {source.arn}, so there is"
                " no result of it to use: select it too, or name another source."
            )


def _taken(source: Execution, step: str) -> StepRun:
    run = source.steps[step]
    return replace(run, reused_from=run.reused_from or source.arn, exceptions={})
