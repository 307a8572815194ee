"""The time as the service tells it."""

import time


def now() -> float:
    """Seconds since the epoch, to the millisecond."""
    return round(time.time(), 3)
