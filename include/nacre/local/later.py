"""Things that are done when their time has come, by one thread for all of them."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

_LOG = logging.getLogger(__name__)

Action = Callable[[], None]


class Later:
    """Has a thread from the first thing on that is to be done, until it is closed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Action]] = []
        self._numbers = itertools.count()  # of two things for one moment the earlier one is first
        self._thread: threading.Thread | None = None
        self._closed = False

    def after(self, seconds: float, action: Action) -> None:
        """Have something done so many seconds from now, unless this is closed by then."""
        with self._changed:
            entry = (time.monotonic() + seconds, next(self._numbers), action)
            heapq.heappush(self._due, entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="later", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Do nothing any more. What is being done now is done."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (action := self._next()) is not None:
            try:
                action()
            except Exception:  # noqa: BLE001 - one thing that cannot be done must not end them all
                _LOG.exception("Something that was to be done later cannot be done.")

    def _next(self) -> Action | None:
        with self._changed:
            while not self._closed:
                left = self._due[0][0] - time.monotonic() if self._due else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(left)
        return None
