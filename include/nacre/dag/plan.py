"""The plan: which Airflow task each step becomes. Plain records, no Airflow.

A definition is compiled in three moves: read (`definition.reader`), plan (here), emit
(`emit.py`). Every decision is one small method of `Decisions`, so that one of them can be
replaced without touching the others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from graphlib import TopologicalSorter

from include.nacre.dag.kinds import KINDS
from include.nacre.dag.scope import ONLY_NATIVE, output_address
from include.nacre.definition.expressions import (
    ExecutionVariable,
    Expression,
    JsonGet,
    PropertyFileSource,
    StepProperty,
    Value,
    expressions_in,
)
from include.nacre.definition.faults import Fault
from include.nacre.definition.graph import dependencies, values_of
from include.nacre.definition.paths import Path, format_path
from include.nacre.definition.records import COMPLETED, Dependency, Pipeline, Step


class Work(Enum):
    """What a step's task does; each has one operator."""

    JOB = "creates a job, a model or a package, and waits for it"
    CONDITION = "picks a branch"
    FAIL = "fails with a message"


WORK: Mapping[str, Work] = {
    **dict.fromkeys(KINDS, Work.JOB),
    "Condition": Work.CONDITION,
    "Fail": Work.FAIL,
}
"""By step type. A type that is not here has no operator yet."""

TRIGGER_RULES: Mapping[frozenset[str], str] = {
    frozenset(): "all_success",
    frozenset({COMPLETED}): "all_success",
    frozenset({"Any"}): "all_done",
    frozenset({"Failed"}): "all_failed",
    frozenset({"Stopped"}): "all_failed",
    frozenset({"Failed", "Stopped"}): "all_failed",
}
"""Airflow's rule for the ends of other steps that start a step. Rules cannot be mixed in one
task; a stopped job is a failed task."""


@dataclass(frozen=True)
class Task:
    """What one step becomes. `upstream` holds names of steps."""

    step: Step
    task_id: str
    work: Work | None
    trigger_rule: str
    upstream: tuple[str, ...] = ()
    exports: tuple[Path, ...] = ()
    """The properties that other steps refer to, for XCom."""
    assets: tuple[str, ...] = ()
    """The S3 addresses of what must be uploaded before it starts."""
    documentation: str = ""


@dataclass(frozen=True)
class Plan:
    """The tasks of a pipeline in an order in which they may run, and why they may not."""

    pipeline: Pipeline
    tasks: tuple[Task, ...]
    faults: tuple[Fault, ...] = ()


class PlanError(ValueError):
    """A pipeline that cannot run step by step in Airflow; all its faults in one message."""

    def __init__(self, pipeline: str, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        heading = f"pipeline {pipeline!r} cannot run step by step in Airflow:"
        super().__init__("\n".join([heading, *(f"  - {fault}" for fault in faults)]))


class Decisions:
    """How steps become tasks. Subclass it, and give it to PipelineDag, to decide otherwise."""

    def task_id(self, step: Step) -> str:
        """Return the task's id; steps' names are valid ids and unique."""
        return step.name

    def work(self, step: Step) -> Work | None:
        """Return what the task does, or None where the type has no operator yet."""
        return WORK.get(step.type)

    def trigger_rule(
        self,
        step: Step,  # noqa: ARG002  (for who decides otherwise)
        awaited: Iterable[Dependency],
    ) -> str | None:
        """Return Airflow's trigger rule, or None where none fits the ends that it awaits."""
        return TRIGGER_RULES.get(frozenset(item.trigger for item in awaited))

    def documentation(self, step: Step) -> str:
        """Return the task's documentation, Markdown."""
        title = step.display_name or step.name
        parts = [f"### {title}", step.description, f"*{step.type} step* `{step.name}`"]
        return "\n\n".join(part for part in parts if part)


def make_plan(pipeline: Pipeline, decisions: Decisions | None = None) -> Plan:
    """Plan any definition; what cannot run in Airflow yet is in the plan's faults."""
    return _Planner(pipeline, decisions or Decisions()).plan()


@dataclass
class _Planner:
    pipeline: Pipeline
    decisions: Decisions
    faults: list[Fault] = field(default_factory=list)

    def plan(self) -> Plan:
        steps = {step.name: step for step in self.pipeline.all_steps}
        place = {name: number for number, name in enumerate(steps)}
        upstream = _in_file_order(dependencies(self.pipeline), place)
        exports = _exports(self.pipeline.all_steps)
        order = TopologicalSorter(upstream).static_order()
        tasks = [self._task(steps[name], upstream[name], exports.get(name, ())) for name in order]
        faults = sorted(self.faults, key=lambda fault: place[fault.place])
        return Plan(self.pipeline, tuple(tasks), tuple(faults))

    def _task(self, step: Step, upstream: tuple[str, ...], exports: tuple[Path, ...]) -> Task:
        return Task(
            step,
            task_id=self.decisions.task_id(step),
            work=self._work(step),
            trigger_rule=self._trigger_rule(step, upstream),
            upstream=upstream,
            exports=exports,
            assets=tuple(needed_assets(step.arguments, self.pipeline.assets)),
            documentation=self.decisions.documentation(step),
        )

    def _work(self, step: Step) -> Work | None:
        work = self.decisions.work(step)
        if work is None:
            self._fault(
                step,
                f"a {step.type} step has no operator yet",
                f"there are operators for {', '.join(sorted(WORK))}",
            )
        for name in sorted(_only_native(step)):
            self._fault(
                step,
                f"Execution.{name} exists only where the service executes the pipeline",
                "use Execution.PipelineExecutionId or Execution.PipelineName",
            )
        return work

    def _trigger_rule(self, step: Step, upstream: tuple[str, ...]) -> str:
        named = {item.step for item in step.depends_on}
        implied = [Dependency(name) for name in upstream if name not in named]
        rule = self.decisions.trigger_rule(step, [*step.depends_on, *implied])
        if rule is None:
            self._fault(
                step,
                "waits for some steps to complete, and for others to end otherwise",
                "Airflow knows one trigger rule for a task: let a step of its own do the other",
            )
        return rule or TRIGGER_RULES[frozenset()]

    def _fault(self, step: Step, what: str, hint: str) -> None:
        self.faults.append(Fault(step.name, what, hint))


def _in_file_order(
    graph: Mapping[str, frozenset[str]], place: Mapping[str, int]
) -> dict[str, tuple[str, ...]]:
    """Return the graph in the order of the file: sets have none, and the same file must give
    the same DAG in every process.
    """
    return {name: tuple(sorted(graph[name], key=place.__getitem__)) for name in place}


def _expressions(step: Step) -> Iterator[Expression]:
    return expressions_in(values_of(step))


def _only_native(step: Step) -> set[str]:
    variables = (item for item in _expressions(step) if isinstance(item, ExecutionVariable))
    return {item.name for item in variables} & ONLY_NATIVE


def _exports(steps: Sequence[Step]) -> dict[str, tuple[Path, ...]]:
    """Return, for each step, the properties that others refer to, in the order of their text."""
    wanted: dict[str, dict[str, Path]] = {}
    files = {(step.name, file.name): file for step in steps for file in step.property_files}
    for step in steps:
        for item in _expressions(step):
            match item:
                case StepProperty(step=owner, path=path):
                    wanted.setdefault(owner, {})[format_path(path)] = path
                case JsonGet(source=PropertyFileSource(step=owner, property_file=name)):
                    path = output_address(files[owner, name].output_name)
                    wanted.setdefault(owner, {})[format_path(path)] = path
    return {owner: tuple(paths[text] for text in sorted(paths)) for owner, paths in wanted.items()}


def needed_assets(arguments: Value, assets: Iterable[str]) -> Iterator[str]:
    """Yield the assets that a request names, or whose folder it names."""
    texts = set(_texts(arguments))
    for uri in assets:
        folder, _, _ = uri.rpartition("/")
        if uri in texts or folder in texts or f"{folder}/" in texts:
            yield uri


def _texts(value: Value) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for item in value.values():
                yield from _texts(item)
        case list() | tuple():
            for item in value:
                yield from _texts(item)
