"""How many jobs run at once, in which order, and what becomes of those whose process is gone."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from include.nacre.local.jobrecord import KINDS, after, description, fated, new_job
from include.nacre.local.jobs.fate import Fate
from include.nacre.local.jobs.faults import CAPACITY_ERROR, INTERNAL_ERROR
from include.nacre.local.jobs.spec import Kind
from include.nacre.local.place import Place, StateFolder
from include.nacre.local.processes import identify
from include.nacre.local.runner import LaunchError, Runner
from include.nacre.local.store import Store
from tests.unit.local.memory import training


class Sleepers:
    """Supervisors that claim their job and sleep."""

    def __init__(self, store: Store, folder: StateFolder) -> None:
        self.store = store
        self.folder = folder
        self.launched: list[str] = []
        self.started: dict[str, subprocess.Popen[bytes]] = {}

    def launch(self, kind: Kind, name: str) -> int:
        process = subprocess.Popen(["sleep", "60"])
        found = identify(process.pid)
        assert found is not None
        self.store.claim(kind, name, *found)
        self.launched.append(name)
        self.started[name] = process
        return process.pid

    def end(self, name: str) -> None:
        self.started[name].kill()
        self.started[name].wait()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def sleepers(store: Store, tmp_path: Path) -> Iterator[Sleepers]:
    made = Sleepers(store, StateFolder(tmp_path))
    yield made
    for name in made.started:
        made.end(name)


@pytest.fixture
def runner(store: Store, sleepers: Sleepers) -> Iterator[Runner]:
    made = Runner(store, sleepers.folder, sleepers.launch, 2, time.time)
    yield made
    made.close(grace=0)


def add(store: Store, *names: str, fate: Fate | None = None, ago: float = 0, **more: Any) -> None:
    for name in names:
        job = new_job(KINDS["training"], Place(), name, training(name, **more), time.time() - ago)
        store.add(fated(job, fate or Fate()))


def submit(store: Store, runner: Runner, *names: str, **more: Any) -> None:
    for name in names:
        add(store, name, **more)
        runner.submitted("training", name)


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def stop(store: Store, runner: Runner, name: str) -> None:
    """As StopTrainingJob does it."""
    store.update("training", name, lambda job: after(job, "StopAsked", time.time()))
    runner.stop("training", name)


def status(store: Store, name: str) -> str:
    found = store.get("training", name)
    return found.status if found else ""


def test_jobs_start_in_their_order_while_there_is_room(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "c", "b", "a")
    assert list(sleepers.started) == ["c", "b"]


def test_the_next_job_starts_when_one_ends(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "c", "b", "a")
    sleepers.end("b")
    assert until(lambda: list(sleepers.started) == ["c", "b", "a"])


def test_a_job_whose_process_is_gone_has_failed_with_the_services_words(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a")
    sleepers.end("a")
    assert until(lambda: status(store, "a") == "Failed")
    found = store.get("training", "a")
    assert found is not None
    assert description(found)["FailureReason"] == INTERNAL_ERROR


def test_a_job_that_is_over_stays_what_it_is_when_its_process_ends(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a")
    for event in ("Launched", "Running", "Completed"):
        store.update("training", "a", lambda job: after(job, event, time.time()))  # noqa: B023
    sleepers.end("a")
    assert until(lambda: store.supervisor("training", "a") is None)
    assert status(store, "a") == "Completed"


def test_a_waiting_job_that_is_stopped_never_starts(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a", "b", "c", "d")
    store.update("training", "c", lambda job: after(job, "StopAsked", time.time()))
    runner.stop("training", "c")
    stopped = status(store, "c")
    sleepers.end("a")
    assert until(lambda: "d" in sleepers.started)
    assert (stopped, list(sleepers.started)) == ("Stopped", ["a", "b", "d"])


def test_a_running_job_that_is_stopped_is_signalled(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a")
    store.update("training", "a", lambda job: after(job, "StopAsked", time.time()))
    runner.stop("training", "a")
    assert sleepers.started["a"].wait(10) == -15


def test_a_job_that_cannot_be_started_fails_and_the_next_one_starts(
    store: Store, tmp_path: Path
) -> None:
    launched: list[str] = []

    def launch(_kind: Kind, name: str) -> int:
        if name == "a":
            raise LaunchError("no room")
        launched.append(name)
        return subprocess.Popen(["true"]).pid

    runner = Runner(store, StateFolder(tmp_path), launch, 1, time.time)
    submit(store, runner, "a", "b")
    assert (status(store, "a"), launched) == ("Failed", ["b"])
    runner.close(grace=0)


def test_the_end_of_each_job_is_told_when_the_store_has_it(
    store: Store, sleepers: Sleepers
) -> None:
    told: list[tuple[str, str]] = []

    def note(_kind: Kind, name: str) -> None:
        told.append((name, status(store, name)))

    runner = Runner(store, sleepers.folder, sleepers.launch, 1, time.time, note)
    submit(store, runner, "a", "b")
    store.update("training", "b", lambda job: after(job, "StopAsked", time.time()))
    runner.stop("training", "b")
    sleepers.end("a")
    assert until(lambda: len(told) == 2)
    assert told == [("b", "Stopped"), ("a", "Failed")]
    runner.close(grace=0)


def test_closing_ends_every_job_and_leaves_none_in_progress(
    store: Store, sleepers: Sleepers
) -> None:
    runner = Runner(store, sleepers.folder, sleepers.launch, 1, time.time)
    submit(store, runner, "a", "b")
    runner.close(grace=5)
    assert sleepers.started["a"].wait(10) == -15
    assert [status(store, name) for name in ("a", "b")] == ["Failed", "Failed"]


def test_a_restarted_runner_adopts_what_runs(store: Store, sleepers: Sleepers) -> None:
    add(store, "a", "b")
    sleepers.launch("training", "a")
    runner = Runner(store, sleepers.folder, sleepers.launch, 1, time.time)
    runner.start()
    alone = list(sleepers.started)
    sleepers.end("a")
    assert until(lambda: list(sleepers.started) == ["a", "b"])
    assert (alone, status(store, "a")) == (["a"], "Failed")
    runner.close(grace=0)


def test_a_restarted_runner_fails_what_was_lost(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    add(store, "a")
    sleepers.launch("training", "a")
    sleepers.end("a")
    runner.start()
    assert (status(store, "a"), list(sleepers.started)) == ("Failed", ["a"])


def test_nothing_stays_of_the_folder_of_a_lost_job(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a")
    (sleepers.folder.job("training", "a") / "input").mkdir(parents=True)
    sleepers.end("a")
    assert until(lambda: not sleepers.folder.job("training", "a").exists())


def test_a_restarted_runner_stops_what_was_to_be_stopped(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    add(store, "a", "b")
    sleepers.launch("training", "a")
    for name in ("a", "b"):
        store.update("training", name, lambda job: after(job, "StopAsked", time.time()))
    runner.start()
    assert (sleepers.started["a"].wait(10), status(store, "b")) == (-15, "Stopped")


def test_a_supervisor_that_came_too_late_does_not_fail_the_others_job(
    store: Store, sleepers: Sleepers
) -> None:
    add(store, "a")
    sleepers.launch("training", "a")  # an earlier server's, which claimed after that server died
    late = subprocess.Popen(["sleep", "60"])
    runner = Runner(store, sleepers.folder, lambda _kind, _name: late.pid, 1, time.time)
    runner.submitted("training", "a")
    late.kill()
    late.wait()
    time.sleep(0.05)
    assert status(store, "a") == "InProgress"
    sleepers.end("a")
    assert until(lambda: status(store, "a") == "Failed")
    runner.close(grace=0)


SLOW = Fate(start=600)
SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 1, "MaxWaitTimeInSeconds": 1},
}


def described(store: Store, name: str) -> dict[str, Any]:
    found = store.get("training", name)
    assert found is not None
    return description(found)


def test_a_job_that_starts_slowly_takes_no_process_and_no_room(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, *(f"slow-{number}" for number in range(20)), fate=SLOW)
    submit(store, runner, "a")
    found = described(store, "slow-0")
    assert (found["TrainingJobStatus"], found["SecondaryStatus"], list(sleepers.started)) == (
        "InProgress",
        "Starting",
        ["a"],
    )


def test_a_job_that_starts_slowly_starts_in_the_end(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a", fate=Fate(start=0.2))
    assert until(lambda: list(sleepers.started) == ["a"])


def test_a_job_that_is_stopped_while_it_starts_slowly_never_starts(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a", fate=Fate(start=1))
    stop(store, runner, "a")
    stopped = status(store, "a")
    submit(store, runner, "later", fate=Fate(start=1))
    assert until(lambda: bool(sleepers.started))
    assert (stopped, list(sleepers.started)) == ("Stopped", ["later"])


def test_a_job_for_which_there_is_no_capacity_fails_with_the_services_words(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a", fate=Fate(end="capacity", after=0.2))
    assert until(lambda: status(store, "a") == "Failed")
    found = described(store, "a")
    assert (found["FailureReason"], found.get("TrainingStartTime"), sleepers.started) == (
        CAPACITY_ERROR,
        None,
        {},
    )


def test_a_job_that_has_not_begun_can_be_slow_to_stop(store: Store, runner: Runner) -> None:
    submit(store, runner, "a", fate=Fate(start=600, stop=0.3))
    stop(store, runner, "a")
    assert until(lambda: status(store, "a") == "Stopped")


def test_a_job_that_is_slow_to_stop_does_not_begin_meanwhile(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a", "b")
    submit(store, runner, "c", fate=Fate(stop=600))
    stop(store, runner, "c")
    submit(store, runner, "d")
    sleepers.end("a")
    assert until(lambda: "d" in sleepers.started)
    assert (list(sleepers.started), status(store, "c")) == (["a", "b", "d"], "Stopping")


def test_a_spot_job_for_which_there_is_no_room_in_time_is_stopped(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a", fate=SLOW, **SPOT)
    assert until(lambda: status(store, "a") == "Stopped")
    found = described(store, "a")
    assert (found["SecondaryStatus"], found["BillableTimeInSeconds"], sleepers.started) == (
        "MaxWaitTimeExceeded",
        None,
        {},
    )


def test_a_spot_job_that_runs_is_nobodys_to_stop_but_its_supervisors(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a", **SPOT)
    time.sleep(1.2)
    assert (status(store, "a"), sleepers.started["a"].poll()) == ("InProgress", None)


def test_a_restarted_runner_waits_for_what_is_left_of_a_slow_start(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    add(store, "over", fate=Fate(start=600), ago=601)
    add(store, "nearly", fate=Fate(start=600), ago=599.5)
    add(store, "half", fate=Fate(start=600), ago=300)
    runner.start()
    assert until(lambda: list(sleepers.started) == ["over", "nearly"])


def test_a_restarted_runner_waits_for_what_is_left_of_a_slow_stop(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    add(store, "a", fate=Fate(stop=0.4))
    add(store, "b", fate=Fate(stop=600))
    for name in ("a", "b"):
        store.update("training", name, lambda job: after(job, "StopAsked", time.time()))
    runner.start()
    assert until(lambda: status(store, "a") == "Stopped")
    assert (status(store, "b"), sleepers.started) == ("Stopping", {})


def test_closing_ends_what_starts_slowly(store: Store, sleepers: Sleepers) -> None:
    runner = Runner(store, sleepers.folder, sleepers.launch, 1, time.time)
    submit(store, runner, "a", fate=SLOW)
    runner.close(grace=0)
    assert status(store, "a") == "Failed"


def test_a_job_that_somebody_deleted_keeps_no_other_waiting(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a", "b", "c")
    store.delete("training", "a")
    sleepers.end("a")
    assert until(lambda: list(sleepers.started) == ["a", "b", "c"])


def test_a_job_that_has_ended_is_let_go_when_its_process_has_ended(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a")
    for event in ("Launched", "Running", "Completed"):
        store.update("training", "a", lambda job: after(job, event, time.time()))  # noqa: B023
    threading.Timer(0.2, sleepers.started["a"].kill).start()
    let_go = runner.let_go("training", "a")
    assert (let_go, sleepers.started["a"].wait(), store.supervisor("training", "a")) == (
        True,
        -9,
        None,
    )


def test_a_name_that_is_free_again_can_be_used_at_once(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    for number in range(5):
        submit(store, runner, "a")
        for event in ("Launched", "Running", "Completed"):
            store.update("training", "a", lambda job: after(job, event, time.time()))  # noqa: B023
        threading.Timer(0.02 * number, sleepers.started["a"].kill).start()
        assert runner.let_go("training", "a")
        store.delete("training", "a")
    submit(store, runner, "a")
    time.sleep(0.1)
    assert status(store, "a") == "InProgress"


def test_what_was_to_happen_to_a_deleted_job_does_not_happen_to_the_next_of_its_name(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a", fate=Fate(start=1))
    stop(store, runner, "a")
    store.delete("training", "a")
    submit(store, runner, "a", fate=SLOW)
    submit(store, runner, "later", fate=Fate(start=1))
    assert until(lambda: bool(sleepers.started))
    assert list(sleepers.started) == ["later"]


def test_a_job_of_a_name_that_waited_before_and_was_deleted_starts_once(
    store: Store, sleepers: Sleepers, runner: Runner
) -> None:
    submit(store, runner, "a", "b", "c")
    stop(store, runner, "c")
    store.delete("training", "c")
    submit(store, runner, "c", "d")
    sleepers.end("a")
    assert until(lambda: "c" in sleepers.started)
    sleepers.end("b")
    assert until(lambda: len(sleepers.launched) == 4)
    assert sleepers.launched == ["a", "b", "c", "d"]
