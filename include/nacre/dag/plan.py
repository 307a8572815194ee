"""The plan: which Airflow task each step becomes. Plain records, no Airflow.

A definition is compiled in three moves: read (`definition.reader`), plan (here), emit
(`emit.py`). Every decision is one small method of `Decisions`, so that one of them can be
replaced without touching the others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from include.nacre.dag.kinds import STEP_KINDS
from include.nacre.dag.scope import ONLY_NATIVE
from include.nacre.dag.unseen import unseen_failures
from include.nacre.definition.expressions import (
    LISTS,
    MAPPINGS,
    ExecutionVariable,
    Expression,
    JsonGet,
    PropertyFileSource,
    StepProperty,
    Value,
    expressions_in,
)
from include.nacre.definition.faults import Fault
from include.nacre.definition.graph import (
    Branch,
    Needs,
    branches,
    first_ancestors,
    needs,
    values_of,
)
from include.nacre.definition.paths import Path, format_path
from include.nacre.definition.records import COMPLETED, Dependency, Pipeline, Step
from include.nacre.definition.scopes import output_address


class Work(Enum):
    """What a step's task does; each has one operator."""

    JOB = "creates a job, a model or a package, and waits for it"
    CONDITION = "picks a branch"
    FAIL = "fails with a message"


WORK: Mapping[str, Work] = {
    **dict.fromkeys(STEP_KINDS, Work.JOB),
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
"""Airflow's rule for the ends of other steps that start a step: of a stopped job the task fails.
Where ends are mixed the task starts when all others are done. Unless it waits for successes
alone it looks then whether all have ended as it wants (`ends.py`), and skips itself if not."""
MIXED_RULE = "all_done"


@dataclass(frozen=True)
class Task:
    """What one step becomes."""

    step: Step
    task_id: str
    work: Work | None
    trigger_rule: str
    awaited: Mapping[str, str] = field(default_factory=dict)
    """By the name of a step that it waits for, the end that starts it: a Dependency's trigger."""
    branch: Branch | None = None
    roots: tuple[str, ...] = ()
    """The steps without others before them that it descends from; none of such a step itself."""
    exports: tuple[Path, ...] = ()
    """The properties that other steps refer to, for XCom."""
    assets: tuple[str, ...] = ()
    """The S3 addresses of what must be uploaded before it starts."""
    documentation: str = ""

    @property
    def upstream(self) -> tuple[str, ...]:
        """The names of the steps that it waits for, in the order of the file."""
        return tuple(self.awaited)


@dataclass(frozen=True)
class Plan:
    """The tasks of a pipeline in an order in which they may run, and why they may not."""

    pipeline: Pipeline
    tasks: tuple[Task, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def needs(self) -> Needs:
        """Which ends of which other steps each step awaits."""
        return {task.step.name: task.awaited for task in self.tasks}

    @property
    def unseen(self) -> tuple[str, ...]:
        """The steps whose failure the run's last tasks may not show; then one more task does."""
        return unseen_failures(self.pipeline, self.needs)


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
    ) -> str:
        """Return Airflow's trigger rule for the ends that a step awaits."""
        return TRIGGER_RULES.get(frozenset(item.trigger for item in awaited), MIXED_RULE)

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
    branches: Mapping[str, Branch] = field(init=False)
    assets: Mapping[str, Sequence[str]] = field(init=False)
    """The pipeline's, by the texts that mean them."""

    def __post_init__(self) -> None:
        self.branches = branches(self.pipeline)
        self.assets = assets_by_text(self.pipeline.assets)

    def plan(self) -> Plan:
        steps = {step.name: step for step in self.pipeline.all_steps}
        place = {name: number for number, name in enumerate(steps)}
        exports = _exports(self.pipeline.all_steps)
        awaits = needs(self.pipeline)
        roots = first_ancestors(awaits)
        tasks = [
            self._task(steps[name], awaited, roots[name], exports.get(name, ()))
            for name, awaited in awaits.items()
        ]
        faults = sorted(self.faults, key=lambda fault: place[fault.place])
        return Plan(self.pipeline, tuple(tasks), tuple(faults))

    def _task(
        self,
        step: Step,
        awaited: Mapping[str, str],
        roots: tuple[str, ...],
        exports: tuple[Path, ...],
    ) -> Task:
        ends = [Dependency(name, trigger) for name, trigger in awaited.items()]
        return Task(
            step,
            task_id=self.decisions.task_id(step),
            work=self._work(step),
            trigger_rule=self.decisions.trigger_rule(step, ends),
            awaited=awaited,
            branch=self.branches.get(step.name),
            roots=roots,
            exports=exports,
            assets=tuple(needed_assets(step.arguments, self.assets)),
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

    def _fault(self, step: Step, what: str, hint: str) -> None:
        self.faults.append(Fault(step.name, what, hint))


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


def assets_by_text(assets: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Return the assets by each text with which a request means them: their own address, or that
    of their folder.
    """
    found: dict[str, list[str]] = {}
    for uri in assets:
        folder, _, _ = uri.rpartition("/")
        for text in (uri, folder, f"{folder}/"):
            found.setdefault(text, []).append(uri)
    return found


def needed_assets(arguments: Value, assets: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """Return the assets that a request names, or whose folder it names; `assets` by such texts."""
    return dict.fromkeys(uri for text in _texts(arguments) for uri in assets.get(text, ()))


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, MAPPINGS):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, LISTS):
        for item in value:
            yield from _texts(item)
