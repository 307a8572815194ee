"""One job of each generation, whenever the worker dies: a state machine over all histories."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from include.nacre.dag.aws import Aws
from include.nacre.dag.identity import Generation, TaskKey
from include.nacre.dag.kinds import EXECUTION, TRAINING
from include.nacre.dag.launch import Intent, Launch, Launcher
from include.nacre.dag.patience import Patience
from tests.unit.dag.memory import MemoryService

RETRIES = 2
KEY = TaskKey("here", "abalone", "r1", "Train")


class DiedError(Exception):
    """The worker was killed."""


@dataclass
class MemoryStore:
    """Airflow's state store of one task."""

    durable: bool = True
    record: Any = None

    def load(self) -> Intent | None:
        return Intent.from_record(self.record)

    def save(self, intent: Intent) -> None:
        if self.durable:
            self.record = intent.to_record()


@dataclass
class Dying:
    """The service as seen by a worker that dies before or after its nth call."""

    service: MemoryService
    calls_left: int
    after: bool

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        return self._dying(lambda: self.service.call(operation, **request))

    def describe(self, kind: Any, name: str) -> dict[str, Any] | None:
        return cast("dict[str, Any] | None", self._dying(lambda: self.service.describe(kind, name)))

    def stop(self, kind: Any, name: str) -> None:
        self._dying(lambda: self.service.stop(kind, name))

    def _dying(self, call: Any) -> Any:
        self.calls_left -= 1
        if self.calls_left == 0 and not self.after:
            raise DiedError
        answer = call()
        if self.calls_left == 0:
            raise DiedError
        return answer


def tell(store: MemoryStore) -> None:
    """End a try with the failure of its job."""
    intent = store.load()
    assert intent is not None
    store.save(replace(intent, told=True))


def launcher(service: Any, store: MemoryStore) -> Launcher:
    return Launcher(
        cast("Aws", service),
        TRAINING,
        KEY,
        "abalone-train",
        store,
        Patience(print, 0),
        prepare=lambda: None,
        about_to_create=lambda _: None,
    )


def launch(service: Any, store: MemoryStore, max_tries: int = RETRIES) -> Launch:
    return launcher(service, store).launch(lambda _: {}, max_tries)


def status(job: Mapping[str, Any]) -> str:
    return str(job["TrainingJobStatus"])


def test_a_first_try_creates_one_job() -> None:
    service, store = MemoryService(), MemoryStore()
    launched = launch(service, store)
    assert (list(service.jobs), launched.adopted) == ([launched.intent.name], False)


def test_a_retry_adopts_the_running_job() -> None:
    service, store = MemoryService(), MemoryStore()
    first, second = launch(service, store), launch(service, store)
    assert (second.intent, second.adopted, len(service.jobs)) == (first.intent, True, 1)


def test_a_cleared_task_stops_the_job_that_it_had_left_running() -> None:
    service, store = MemoryService(), MemoryStore()
    first, second = launch(service, store), launch(service, store, max_tries=RETRIES + 2)
    assert {name: status(job) for name, job in service.jobs.items()} == {
        first.intent.name: "Stopping",
        second.intent.name: "InProgress",
    }


def test_a_cleared_task_leaves_the_job_that_has_ended_alone() -> None:
    service, store = MemoryService(), MemoryStore()
    first = launch(service, store)
    service.end(TRAINING, first.intent.name, "Completed")
    launch(service, store, max_tries=RETRIES + 2)
    assert "StopTrainingJob" not in service.calls


def test_a_name_that_an_earlier_run_of_the_same_id_has_used_is_not_adopted() -> None:
    service = MemoryService()
    first = launch(service, MemoryStore())
    service.pass_time(3600)
    second = launch(service, MemoryStore())
    assert second.intent.generation == Generation(RETRIES, 2)
    assert list(service.jobs) == [first.intent.name, second.intent.name]


def test_a_job_that_failed_while_nobody_looked_is_adopted_until_its_failure_is_told() -> None:
    service, store = MemoryService(), MemoryStore()
    first = launch(service, store)
    service.end(TRAINING, first.intent.name, "Failed")
    again = launch(service, store)
    tell(store)
    after = launch(service, store)
    assert (again.intent, again.adopted) == (first.intent, True)
    assert (after.intent.generation, after.adopted) == (Generation(RETRIES, 2), False)


def test_a_job_that_was_stopped_while_nobody_looked_is_followed_by_the_next() -> None:
    service, store = MemoryService(), MemoryStore()
    first = launch(service, store)
    service.end(TRAINING, first.intent.name, "Stopped")
    service.jobs[first.intent.name]["SecondaryStatus"] = "Stopped"
    assert launch(service, store).intent.generation == Generation(RETRIES, 2)


@pytest.mark.parametrize("limit", ["MaxRuntimeExceeded", "MaxWaitTimeExceeded"])
def test_a_job_whose_time_was_over_while_nobody_looked_is_not_run_again_unasked(limit: str) -> None:
    service, store = MemoryService(), MemoryStore()
    first = launch(service, store)
    service.end(TRAINING, first.intent.name, "Stopped")
    service.jobs[first.intent.name]["SecondaryStatus"] = limit
    again = launch(service, store)
    assert (again.intent, again.adopted) == (first.intent, True)


def test_a_create_call_that_the_client_repeated_adopts_its_own_job() -> None:
    service = MemoryService()

    @dataclass
    class Repeating(Dying):
        def call(self, operation: str, **request: Any) -> dict[str, Any]:
            self.service.call(operation, **request)
            return self.service.call(operation, **request)

    launched = launch(Repeating(service, 0, after=False), MemoryStore())
    assert (list(service.jobs), launched.adopted) == ([launched.intent.name], True)


def test_without_a_store_a_retry_adopts_and_a_clear_starts_anew() -> None:
    service, store = MemoryService(), MemoryStore(durable=False)
    first, retry, cleared = (launch(service, store, tries) for tries in (2, 2, 4))
    assert (retry.intent.name == first.intent.name, retry.adopted) == (True, True)
    assert (cleared.intent.generation, len(service.jobs)) == (Generation(4, 1), 2)


def test_without_a_store_the_job_that_a_task_has_started_is_found_again() -> None:
    service, store = MemoryService(), MemoryStore(durable=False)
    launched = launch(service, store)
    assert launcher(service, store).current(RETRIES) == launched.intent


@dataclass
class Executions(MemoryService):
    """What has no name: an execution is known by the token that it was started with."""

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        self.calls.append(operation)
        arn = f"arn:{request['ClientRequestToken']}"
        self.jobs.setdefault(arn, {"PipelineExecutionStatus": "Executing"})
        return {"PipelineExecutionArn": arn}


def start(service: Any, store: MemoryStore, max_tries: int = RETRIES) -> Launch:
    starter = replace(launcher(service, store), kind=EXECUTION)
    return starter.launch(lambda _: {"PipelineName": "p"}, max_tries)


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("calls", [1, 2, 3])
@pytest.mark.parametrize("after", [True, False])
def test_a_start_that_was_lost_anywhere_is_not_made_twice(
    durable: bool, calls: int, after: bool
) -> None:
    service, store = Executions(), MemoryStore(durable)
    with suppress(DiedError):
        start(Dying(service, calls, after), store)
    second = start(service, store)
    assert list(service.jobs) == [second.intent.name]


@pytest.mark.parametrize("durable", [True, False])
def test_a_retry_after_a_failed_execution_starts_another(durable: bool) -> None:
    service, store = Executions(), MemoryStore(durable)
    first = start(service, store)
    service.end(EXECUTION, first.intent.name, "Failed")
    if durable:
        tell(store)
    second = start(service, store)
    assert list(service.jobs) == [first.intent.name, second.intent.name]


def test_a_run_that_is_made_again_does_not_get_the_execution_of_the_one_before() -> None:
    service = Executions()
    first, second = start(service, MemoryStore()), start(service, MemoryStore())
    assert list(service.jobs) == [first.intent.name, second.intent.name]


class OneJobOfEachGeneration(RuleBasedStateMachine):
    """Tries that die anywhere, jobs that end anyhow, clears, and runs that are made again."""

    @initialize(durable=st.booleans())
    def begin(self, durable: bool) -> None:
        self.service = MemoryService()
        self.store = MemoryStore(durable)
        self.max_tries = RETRIES
        self.tries = 0
        self.of_generation: set[str] = set()
        """The names of all jobs that were created since the last clear."""

    @rule(calls=st.integers(1, 8), after=st.booleans())
    def try_once(self, calls: int, after: bool) -> None:
        self.tries += 1
        before, untold = self._usable(), self._untold()
        known = set(self.service.jobs)
        try:
            launched = launch(Dying(self.service, calls, after), self.store, self.max_tries)
        except DiedError:
            pass
        else:
            assert launched.intent.name in self.of_generation | (set(self.service.jobs) - known)
            end = status(self.service.jobs[launched.intent.name])
            if self.store.durable and end == "Failed":
                assert not launched.intent.told
                tell(self.store)
            else:
                assert TRAINING.usable(end)
        created = set(self.service.jobs) - known
        self.of_generation |= created
        assert not (before and created), "a second job beside a usable one"
        assert not (untold and created), "a job after one whose failure nobody knows"

    @precondition(lambda self: bool(self._usable()))
    @rule(end=st.sampled_from(["Completed", "Failed", "Stopping", "Stopped"]))
    def end_a_job(self, end: str) -> None:
        self.service.end(TRAINING, self._usable().pop(), end)

    @rule(seconds=st.integers(1, 100_000))
    def wait(self, seconds: int) -> None:
        self.service.pass_time(seconds)

    @precondition(lambda self: self.tries > 0)
    @rule()
    def clear(self) -> None:
        """As Airflow does it, for a task that is not running."""
        self.max_tries = self.tries + RETRIES
        self.of_generation = set()

    @precondition(lambda self: self.store.durable)
    @rule()
    def delete_the_run_and_make_it_again(self) -> None:
        self.store.record = None
        self.max_tries, self.tries = RETRIES, 0
        self.of_generation = set()
        self.service.pass_time(60)

    @invariant()
    def at_most_one_usable_job(self) -> None:
        assert len(self._usable()) <= 1

    def _untold(self) -> bool:
        """Whether the job of this generation has failed, and no try with it."""
        intent = self.store.load()
        if intent is None or intent.told or intent.generation.cleared != self.max_tries:
            return False
        job = self.service.jobs.get(intent.name)
        return job is not None and status(job) == "Failed"

    def _usable(self) -> set[str]:
        if not hasattr(self, "service"):
            return set()
        jobs = self.service.jobs
        return {name for name in self.of_generation if TRAINING.usable(status(jobs[name]))}


TestOneJobOfEachGeneration = OneJobOfEachGeneration.TestCase
