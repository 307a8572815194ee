"""One Airflow at a time over one database: a scheduler and a demo would run the same tasks."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class TakenError(Exception):
    """Another process holds the lock; the message says which."""


@contextmanager
def only_airflow(state: Path, owner: str) -> Iterator[None]:
    """Hold the right to run Airflow in `state` for the block. A killed owner gives it up too."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "airflow.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise TakenError(
                f"{holder} runs Airflow in {state}; two at once would run the same tasks twice. "
                "Stop it first (Ctrl-C), or use its UI."
            ) from error
        file.truncate(0)
        file.write(owner)
        file.flush()
        yield
