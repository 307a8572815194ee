"""Things done later: in their order, by one thread, until it is closed."""

import threading

import pytest

from include.nacre.local.later import Later


def test_things_are_done_in_the_order_of_their_times() -> None:
    later, done, over = Later(), list[str](), threading.Event()
    later.after(0.6, over.set)
    later.after(0.5, lambda: done.append("b"))
    later.after(0, lambda: done.append("a"))
    later.after(600, lambda: done.append("c"))
    ended = over.wait(10)
    later.close()
    assert (ended, done) == (True, ["a", "b"])


def test_a_thing_that_cannot_be_done_ends_no_other(caplog: pytest.LogCaptureFixture) -> None:
    later, over = Later(), threading.Event()

    def fail() -> None:
        raise LookupError("gone")

    later.after(0, fail)
    later.after(0.01, over.set)
    ended = over.wait(10)
    later.close()
    assert (ended, [record.levelname for record in caplog.records]) == (True, ["ERROR"])


def test_a_thing_may_ask_for_another_one() -> None:
    later, over = Later(), threading.Event()
    later.after(0, lambda: later.after(0, over.set))
    ended = over.wait(10)
    later.close()
    assert ended


def test_nothing_is_done_after_the_close() -> None:
    later, done = Later(), list[str]()
    later.after(600, lambda: done.append("a"))
    later.close()
    later.after(0, lambda: done.append("b"))
    threading.Event().wait(0.1)
    assert done == []
