"""What the store keeps, and what of it survives."""

import multiprocessing
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from include.nacre.local.store import Exists, Query, Resource, Store, StoreError

JOB = Resource("training", "fit", "arn:fit", "InProgress", 1.0, 1.0, {"a": [1]}, {"b": None})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store.sqlite")
    yield opened
    opened.close()


def test_a_resource_comes_back_as_it_was(store: Store) -> None:
    store.add(JOB)
    assert store.get("training", "fit") == replace(JOB, id=1)


def test_a_name_is_taken_once(store: Store) -> None:
    store.add(JOB)
    with pytest.raises(Exists) as taken:
        store.add(replace(JOB, created=2.0))
    assert taken.value.resource == replace(JOB, id=1)


def test_of_many_threads_with_one_name_exactly_one_wins(store: Store) -> None:
    won: list[int] = []

    def add(number: int) -> None:
        try:
            store.add(replace(JOB, created=float(number)))
        except Exists:
            return
        won.append(number)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = store.get("training", "fit")
    assert [found.created if found else None] == [float(number) for number in won]


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def half_done() -> None:
        with store.transaction():
            store.add(JOB, {"key": "value"})
            raise InterruptedError

    with pytest.raises(InterruptedError):
        half_done()
    assert (store.get("training", "fit"), store.tags("arn:fit")) == (None, {})


def test_a_deleted_resource_takes_its_tags_along(store: Store) -> None:
    store.add(JOB, {"key": "value"})
    store.delete("training", "fit")
    store.add(JOB)
    assert store.tags("arn:fit") == {}


def test_an_update_of_what_does_not_exist_is_an_error(store: Store) -> None:
    with pytest.raises(KeyError):
        store.update("training", "none", lambda found: found)


def test_a_counter_counts_on_when_what_it_counted_is_gone(store: Store) -> None:
    assert [store.count_up("group") for _ in range(3)] == [1, 2, 3]


def test_a_job_has_one_supervisor(store: Store) -> None:
    claims = [store.claim("training", "fit", pid, 0) for pid in (10, 11)]
    assert (claims, store.supervisor("training", "fit")) == ([True, False], (10, 0))


def test_a_released_job_can_be_claimed_again(store: Store) -> None:
    store.claim("training", "fit", 10, 0)
    store.release("training", "fit")
    assert store.claim("training", "fit", 11, 0)


def test_a_column_is_never_taken_from_a_request(store: Store) -> None:
    from include.nacre.local.store import Filter

    with pytest.raises(ValueError, match="status; DROP"):
        store.find(Query("training", [Filter("status; DROP TABLE resources", "=", 1)]))


def add_and_die(path: Path) -> None:
    store = Store(path)
    store.add(JOB)
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_was_added_survives_the_death_of_the_process(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    child = multiprocessing.get_context("spawn").Process(target=add_and_die, args=(path,))
    child.start()
    child.join()
    store = Store(path)
    found = store.get("training", "fit")
    store.close()
    assert (child.exitcode, found) == (-signal.SIGKILL, replace(JOB, id=1))


def test_two_processes_see_each_others_changes(tmp_path: Path) -> None:
    one, other = Store(tmp_path / "store.sqlite"), Store(tmp_path / "store.sqlite")
    one.add(JOB)
    other.update("training", "fit", lambda found: replace(found, status="Failed"))
    found = one.get("training", "fit")
    one.close()
    other.close()
    assert found == replace(JOB, id=1, status="Failed")


def test_a_store_of_another_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="start with another --state folder"):
        Store(path)


def test_a_file_that_is_no_store_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"not a database at all, but long enough to look at" * 100)
    with pytest.raises(StoreError, match="is no file of the local SageMaker"):
        Store(path)
