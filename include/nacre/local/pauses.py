"""Calls that are made to wait, without making others wait."""

import threading
from typing import Protocol


class Threads(Protocol):
    """Whoever answers calls, with so many threads."""

    def set_thread_count(self, count: int) -> None:
        """Have so many from now on."""


class Pauses:
    """Each waiting call holds a thread, and another one takes its place meanwhile."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._waiting = 0
        self._dispatcher: Threads | None = None
        self._over = threading.Event()

    def attach(self, dispatcher: Threads) -> None:
        """Have the threads of a server that was made after us."""
        self._dispatcher = dispatcher

    def wait(self, seconds: float) -> None:
        """Return so many seconds later, or when all are let go."""
        self._change(1)
        try:
            self._over.wait(seconds)
        finally:
            self._change(-1)

    def let_go(self) -> None:
        """End all waits that have begun."""
        over, self._over = self._over, threading.Event()
        over.set()

    def _change(self, by: int) -> None:
        with self._lock:
            self._waiting += by
            if self._dispatcher is not None:
                self._dispatcher.set_thread_count(self._threads + self._waiting)
