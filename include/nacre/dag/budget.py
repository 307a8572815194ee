"""How many calls a second one watcher makes: the user's word, kept for every request."""

import logging
import math
import threading

DEFAULT_CALLS_PER_SECOND = 1.0
"""An account's limits on List calls are about two a second, and they are for everybody in it."""

BURST = 5
"""Calls that may be made at once after a time of silence, so that what begins is seen soon."""

log = logging.getLogger(__name__)


class Budget:
    """A token bucket. The watcher takes a call before it makes one; what the client sends beyond
    that (its own retries, an execution's steps) is `sent` all the same, and taken afterwards.

    Times are seconds of one monotonic clock. `sent` may come from any thread.
    """

    def __init__(self, per_second: float, burst: int = BURST) -> None:
        self._pause = 1 / per_second
        self._ahead = (burst - 1) * self._pause
        self._next = -math.inf
        """When the next call was due if all came evenly; up to `_ahead` of it is allowed."""
        self._lock = threading.Lock()
        self._open = self._prepaid = self._owed = 0

    def wait(self, now: float) -> float:
        """Return how long to wait before the next call, in seconds; 0 if it may be made."""
        with self._lock:
            self._next = max(self._next, now) + self._owed * self._pause
            self._owed = 0
            return max(0.0, self._next - self._ahead - now)

    def take(self, now: float) -> None:
        """Begin a call."""
        with self._lock:
            self._next = max(self._next, now) + self._pause
            self._open += 1
            self._prepaid += 1

    def sent(self) -> None:
        """Note a request that goes out."""
        with self._lock:
            if self._prepaid:
                self._prepaid -= 1
            else:
                self._owed += 1

    def done(self) -> None:
        """Note the end of a call: one that failed before it sent anything pays for no other."""
        with self._lock:
            self._open -= 1
            if not self._open:
                self._prepaid = 0


def calls_per_second() -> float:
    """Return how many calls a second one triggerer makes for a connection and region.

    Airflow's config `[nacre] calls_per_second` (AIRFLOW__NACRE__CALLS_PER_SECOND).
    """
    from airflow.sdk.configuration import conf

    given = conf.get("nacre", "calls_per_second", fallback="") or str(DEFAULT_CALLS_PER_SECOND)
    try:
        number = float(given)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        log.warning(
            "[nacre] calls_per_second is %r: it must be a number above 0. Until it is one, %g is"
            " taken. Mend it (AIRFLOW__NACRE__CALLS_PER_SECOND) and restart the triggerer.",
            given,
            DEFAULT_CALLS_PER_SECOND,
        )
        return DEFAULT_CALLS_PER_SECOND
    return number
