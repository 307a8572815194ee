"""What came of a demo: the facts, whether they are what they must be, and the page that says so.

Pure: facts in, text out. `scripts/demo.py` gathers the facts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MARKS = {"success": "✓", "skipped": "-", "failed": "✗", "upstream_failed": "✗"}


@dataclass(frozen=True)
class Task:
    """A task of the run, and the SageMaker job (or resource) that it made."""

    name: str
    state: str
    seconds: float | None = None
    job: str | None = None
    #: What the service itself says of the job: `Completed`, `Failed`, ...
    job_status: str | None = None


@dataclass(frozen=True)
class Model:
    """A version in the model registry, as the service describes it."""

    arn: str
    version: int
    approval: str


@dataclass(frozen=True)
class Quality:
    mse: float
    standard_deviation: float
    threshold: float

    @property
    def good_enough(self) -> bool:
        return self.mse <= self.threshold


@dataclass(frozen=True)
class Predictions:
    address: str
    folder: str
    count: int
    #: Rows of the batch that was landed: a prediction is wanted for each.
    expected: int


@dataclass(frozen=True)
class Demo:
    dag_id: str
    run_id: str
    run_state: str
    tasks: tuple[Task, ...]
    quality: Quality | None
    model: Model | None
    predictions: Predictions | None


def faults(demo: Demo) -> list[str]:
    """Why the demo did not succeed, a sentence each; empty when all is as it must be."""
    return [*_task_faults(demo), *_outcome_faults(demo)]


def _task_faults(demo: Demo) -> Iterator[str]:
    if demo.run_state != "success":
        yield f"the run of {demo.dag_id} ended as {demo.run_state}"
    for task in demo.tasks:
        if task.state not in ("success", "skipped"):
            yield f"task {task.name} ended as {task.state}"
        if task.job_status not in (None, "Completed"):
            yield f"SageMaker says {task.job_status} of {task.job}"


def _outcome_faults(demo: Demo) -> Iterator[str]:
    if demo.quality is None:
        yield "the evaluation left no report"
    elif not demo.quality.good_enough:
        yield "the model is not good enough, so it was not registered"
    if demo.model is None:
        yield "no model version was registered"
    if demo.predictions is None:
        yield "no batch was scored"
    elif demo.predictions.count != demo.predictions.expected:
        yield f"{demo.predictions.count} predictions for {demo.predictions.expected} rows"


def text(demo: Demo) -> str:
    """The page that a person reads at the end."""
    total = sum(task.seconds or 0 for task in demo.tasks)
    head = f"{demo.dag_id}: {demo.run_state} in {total:.1f} s   (run {demo.run_id})"
    parts = [[head], _table(demo.tasks), list(_outcome(demo)), _next_steps(demo)]
    return "\n\n".join("\n".join(lines) for lines in parts)


def _table(tasks: Sequence[Task]) -> list[str]:
    names = max(len(task.name) for task in tasks)
    jobs = max([len(task.job or "") for task in tasks] + [len("SageMaker job")])
    head = f"    {'task':<{names}}  {'SageMaker job':<{jobs}}  {'seconds':>7}"
    return [head, *(_row(task, names, jobs) for task in tasks)]


def _row(task: Task, names: int, jobs: int) -> str:
    mark = MARKS.get(task.state, "?")
    took = "" if task.seconds is None else f"{task.seconds:.1f}"
    note = "" if task.state in ("success", "skipped") else f"  {task.state}"
    job = task.job or ("not taken" if task.state == "skipped" else "")
    return f"  {mark} {task.name:<{names}}  {job:<{jobs}}  {took:>7}{note}"


def _outcome(demo: Demo) -> Iterator[str]:
    if quality := demo.quality:
        yield (
            f"Quality      MSE {quality.mse:.2f}, standard deviation "
            f"{quality.standard_deviation:.2f}; threshold {quality.threshold:g}"
        )
        sign, what = ("≤", "register, score") if quality.good_enough else (">", "fail")
        yield f"Branch       MSE {sign} threshold: {what}"
    if model := demo.model:
        yield f"Model        {model.arn}"
        yield f"             version {model.version}, {model.approval}"
    if predictions := demo.predictions:
        yield f"Predictions  {predictions.count} (one for each of {predictions.expected} rows)"
        yield f"             {predictions.address}"
        yield f"             {predictions.folder}"


def _next_steps(demo: Demo) -> list[str]:
    return [
        "Next",
        f"  make up      Airflow's UI: http://localhost:8080/dags/{demo.dag_id}",
        "               trigger it with another threshold, or clear a task",
        "  make demo    again: the next version, beside this one",
        "  make local   point boto3, the AWS CLI or the SageMaker SDK at what lies here",
        "  docs/getting-started.md",
    ]
