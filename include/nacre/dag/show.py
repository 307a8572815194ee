"""The plan of any definition as text, for `python -m include.nacre plan FILE`."""

from collections.abc import Iterator, Sequence
from itertools import chain

from include.nacre.dag.params import JSON_TYPES
from include.nacre.dag.plan import Plan, Task, make_plan
from include.nacre.definition.paths import format_path
from include.nacre.definition.records import Parameter, Pipeline, RetryPolicy
from include.nacre.definition.retrying import attempts_allowed


def plan_text(pipeline: Pipeline) -> str:
    """Return a pipeline's parameters and tasks, in an order in which they may run."""
    plan = make_plan(pipeline)
    heading = f"{pipeline.name}: {_counted(len(plan.tasks), 'task')}"
    sections = (
        _params(pipeline.parameters),
        _tasks(plan.tasks),
        _exports(plan.tasks),
        _retries(plan.tasks),
        _unseen(plan),
        _faults(plan),
    )
    return "\n".join([heading, *chain.from_iterable(sections)])


def _params(parameters: Sequence[Parameter]) -> Iterator[str]:
    if parameters:
        yield ""
        rows = [(item.name, JSON_TYPES[item.type], _default(item)) for item in parameters]
        yield from _table(("PARAM", "TYPE", "DEFAULT"), rows)


def _default(parameter: Parameter) -> str:
    default = "(required)" if parameter.default is None else repr(parameter.default)
    allowed = f"  one of {', '.join(parameter.enum_values)}" if parameter.enum_values else ""
    return default + allowed


def _tasks(tasks: Sequence[Task]) -> Iterator[str]:
    yield ""
    rows = [_row(task) for task in tasks]
    yield from _table(("TASK", "STEP TYPE", "STARTS", "AFTER"), rows)


def _row(task: Task) -> tuple[str, ...]:
    starts = task.trigger_rule if task.work else "no operator yet"
    return task.task_id, task.step.type, starts, ", ".join(task.upstream) or "-"


def _exports(tasks: Sequence[Task]) -> Iterator[str]:
    rows = [(task.task_id, format_path(path)) for task in tasks for path in task.exports]
    if rows:
        yield ""
        yield from _table(("TASK", "LEAVES FOR LATER TASKS"), rows)


def _retries(tasks: Sequence[Task]) -> Iterator[str]:
    rows = [
        (task.task_id, ", ".join(policy.exception_types), _limit(policy))
        for task in tasks
        for policy in task.step.retry_policies
    ]
    if rows:
        yield ""
        yield from _table(("TASK", "TRIED AGAIN AFTER", "AT MOST"), rows)


def _limit(policy: RetryPolicy) -> str:
    if policy.expire_after_min is not None:
        return f"for {_counted(policy.expire_after_min, 'minute')}"
    return _counted(attempts_allowed(policy), "time")


def _unseen(plan: Plan) -> Iterator[str]:
    if plan.unseen:
        yield ""
        yield "One more task, unseen_failures, fails the run where a step does: of these steps all"
        yield f"later tasks may be skipped: {', '.join(plan.unseen)}"


def _faults(plan: Plan) -> Iterator[str]:
    if plan.faults:
        yield ""
        yield "It cannot run step by step in Airflow:"
        yield from (f"  - {fault}" for fault in plan.faults)


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield lines whose columns are as wide as they need to be."""
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    for row in (heading, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
