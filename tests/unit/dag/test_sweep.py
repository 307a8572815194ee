"""The sweep's calls: few, paced, over all pages, and what becomes of those that fail."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, cast

import pytest

from include.nacre.dag.aws import Aws
from include.nacre.dag.budget import BURST, Budget
from include.nacre.dag.identity import Generation, TaskKey, job_name
from include.nacre.dag.kinds import KINDS, PROCESSING, Kind
from include.nacre.dag.sweep import Report, Sweep, SweepRefusedError
from include.nacre.dag.tags import Origin, tags_of
from include.nacre.native.upsert import tag_list
from tests.unit.dag.memory import BEGIN, refused

LISTS = {KINDS[name].operation("List"): KINDS[name] for name in ("Processing", "Training")}
LISTS["ListTransformJobs"] = KINDS["Transform"]


@dataclass
class Account:
    """What runs in an account, by ARN; each page has two entries."""

    running: dict[str, tuple[Kind, str, Origin]] = field(default_factory=dict)
    endpoint: str = "http://127.0.0.1:4670"
    fails: Callable[[str], Exception | None] = lambda _: None
    calls: Counter[str] = field(default_factory=Counter)
    ended: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    """ARNs that nothing but lists have any more."""
    pipelines: list[str] = field(default_factory=list)
    """Deleted ones, too."""
    stopped: list[str] = field(default_factory=list)

    def start(self, task_id: str, kind: Kind = PROCESSING) -> str:
        origin = Origin(TaskKey("here", "abalone", "r1", task_id), Generation(0, 1))
        name = job_name(origin.key, origin.generation, task_id)
        self.running[f"arn:{name}"] = kind, name, origin
        return name

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        self._count(operation)
        if operation == "ListPipelineExecutions":
            raise refused(operation, "ResourceNotFound")
        if operation == "ListTags":
            if request["ResourceArn"] in self.deleted:
                raise refused(operation, "ValidationException")
            return self._page(
                "Tags", tag_list(tags_of(self.running[request["ResourceArn"]][2])), request
            )
        if operation in LISTS:
            kind = LISTS[operation]
            items = [
                {kind.name_key: name, kind.arn_key: arn, "CreationTime": BEGIN}
                for arn, (of, name, _) in self.running.items()
                if of is kind
            ]
            return self._page(kind.summaries_key, items, request)
        summaries = [{"PipelineName": it, "LastExecutionTime": BEGIN} for it in self.pipelines]
        return self._page("PipelineSummaries", summaries, request)

    def describe(self, kind: Kind, name: str) -> dict[str, Any] | None:
        self._count(kind.operation("Describe"))
        return {str(kind.status_key): "Completed" if name in self.ended else "InProgress"}

    def stop(self, kind: Kind, name: str) -> None:
        self._count(kind.operation("Stop"))
        self.stopped.append(name)

    def _count(self, operation: str) -> None:
        self.calls[operation] += 1
        if error := self.fails(operation):
            raise error

    def _page(self, key: str, items: list[Any], request: dict[str, Any]) -> dict[str, Any]:
        start = int(request.get("NextToken", 0))
        more = {"NextToken": str(start + 2)} if start + 2 < len(items) else {}
        date = format_datetime(BEGIN + timedelta(hours=1), usegmt=True)
        meta = {"ResponseMetadata": {"HTTPHeaders": {"date": date}}}
        return {key: items[start : start + 2], **more, **meta}


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    now: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def read(self) -> float:
        return self.now


def sweep(account: Account, clock: Clock | None = None, *, stop: bool = False) -> Report:
    """Sweep an account for an Airflow that knows no task at all."""
    time = clock or Clock()
    return Sweep(
        cast("Aws", account),
        Budget(1.0),
        "here",
        lambda _: {},
        warn=lambda _: None,
        sleep=time.sleep,
        clock=time.read,
    ).run(stop=stop)


def found(report: Report) -> set[str]:
    return {item.stray.running.name for item in report.found}


def test_all_pages_of_all_kinds_are_looked_at() -> None:
    account = Account()
    names = {account.start(f"Step{number}") for number in range(5)}
    names |= {account.start("Fit", KINDS["Training"]), account.start("Score", KINDS["Transform"])}
    assert (found(sweep(account)), account.calls["ListTags"]) == (names, 7 * 3)


def test_calls_are_made_at_the_users_pace() -> None:
    account, clock = Account(), Clock()
    for number in range(10):
        account.start(f"Step{number}")
    sweep(account, clock)
    assert clock.now == pytest.approx(account.calls.total() - BURST)


def test_a_call_that_is_throttled_is_made_again() -> None:
    throttled = iter([refused("ListTags", "ThrottlingException")] * 3)
    account = Account(
        fails=lambda operation: next(throttled, None) if operation == "ListTags" else None
    )
    name = account.start("Work")
    assert found(sweep(account)) == {name}


def test_what_ends_while_the_sweep_looks_is_no_stray() -> None:
    account = Account()
    account.ended.add(account.start("Work"))
    assert sweep(account).found == ()


def test_what_somebody_deletes_while_the_sweep_looks_is_passed_over() -> None:
    account = Account()
    gone = account.start("Gone")
    name = account.start("Work")
    account.deleted.add(f"arn:{gone}")
    account.pipelines = ["deleted"]
    assert found(sweep(account)) == {name}


def denied(*operations: str) -> Callable[[str], Exception | None]:
    return lambda called: refused(called, "AccessDeniedException") if called in operations else None


def test_where_some_calls_are_not_permitted_the_rest_is_looked_at() -> None:
    account = Account(fails=denied("ListPipelines", "ListTrainingJobs"))
    name = account.start("Work")
    report = sweep(account)
    assert (found(report), [line.partition(".")[0] for line in report.unseen]) == (
        {name},
        [
            "Not all training jobs could be looked at",
            "Not all pipeline executions could be looked at",
        ],
    )


def test_a_stray_that_may_not_be_stopped_is_told_to_run_still() -> None:
    account = Account(fails=denied("StopProcessingJob"))
    account.start("Work")
    report = sweep(account, stop=True)
    assert [line.partition(" It ")[2][:22] for line in map(str, report.left)] == [
        "could not be stopped. "
    ]


def test_any_other_fault_ends_the_sweep() -> None:
    account = Account(fails=lambda operation: refused(operation, "ValidationException"))
    with pytest.raises(Exception, match="ValidationException"):
        sweep(account)


@pytest.mark.parametrize(
    ("endpoint", "address", "name", "stops"),
    [
        ("https://api.sagemaker.eu-west-1.amazonaws.com", "http://localhost:8080", "", False),
        ("https://api.sagemaker.eu-west-1.amazonaws.com", "", "", False),
        ("https://api.sagemaker.eu-west-1.amazonaws.com", "https://airflow.example.com", "", True),
        ("https://api.sagemaker.eu-west-1.amazonaws.com", "http://localhost:8080", "live", True),
        ("http://127.0.0.1:4670", "http://localhost:8080", "", True),
    ],
)
def test_an_airflow_without_a_name_of_its_own_stops_nothing_in_an_account(
    endpoint: str, address: str, name: str, stops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", address)
    monkeypatch.setenv("AIRFLOW__NACRE__INSTALLATION", name)
    account = Account(endpoint=endpoint)
    job = account.start("Work")
    if stops:
        sweep(account, stop=True)
    else:
        with pytest.raises(SweepRefusedError, match=r"Give it a name of its own first: \[nacre\]"):
            sweep(account, stop=True)
    assert account.stopped == ([job] if stops else [])
