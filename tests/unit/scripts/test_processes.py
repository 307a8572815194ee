"""What we start, we end, with all that it started."""

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from scripts.check_python import fault
from scripts.processes import Child, NotReadyError, start, tail, wait_until


def python(code: str, log: Path, **options: object) -> Child:
    return start(
        "child",
        [sys.executable, "-c", code],
        env=os.environ,
        log=log,
        cwd=log.parent,
        **options,  # type: ignore[arg-type]
    )


def lives(pid: int) -> bool:
    """A dead process that its new parent has not buried yet does not live."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


PRINT_PID_OF_A_GRANDCHILD_THAT_IGNORES_SIGNALS = """
import signal, subprocess, sys, time
code = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_grandchild_in_its_own_session_ends_too(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = python(PRINT_PID_OF_A_GRANDCHILD_THAT_IGNORES_SIGNALS, log, grace_seconds=1)
    wait_until(lambda: log.read_text().strip().isdigit(), child, seconds=10, log=log)
    child.stop()
    assert lives(int(log.read_text().split()[0])) is False


def test_a_child_ends_by_the_signal_that_it_likes(tmp_path: Path) -> None:
    child = python("import time; time.sleep(60)", tmp_path / "log", stop_signal=signal.SIGTERM)
    child.stop()
    assert child.process.returncode == -signal.SIGTERM


def test_a_child_that_ended_can_be_stopped(tmp_path: Path) -> None:
    child = python("", tmp_path / "log")
    child.process.wait()
    child.stop()
    assert child.process.returncode == 0


def test_a_child_that_ends_before_it_is_ready_shows_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = python("print('port taken')", log)
    with pytest.raises(NotReadyError, match="port taken"):
        wait_until(lambda: False, child, seconds=10, log=log)


def test_a_child_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = python("import time; time.sleep(60)", log)
    with pytest.raises(NotReadyError, match=r"not ready after 0 s"):
        wait_until(lambda: False, child, seconds=0, log=log)
    child.stop()


def test_the_tail_of_a_missing_log_says_so(tmp_path: Path) -> None:
    assert tail(tmp_path / "none") == "  (no output)"


@pytest.mark.parametrize(
    ("version", "has_venv", "expected"),
    [
        ((3, 11), True, None),
        ((3, 13), True, None),
        ((3, 10), True, "wants 3.11 or later"),
        ((3, 11), False, "apt-get install python3.11-venv"),
    ],
)
def test_a_python_that_cannot_build_the_environment_is_told_apart(
    version: tuple[int, int], has_venv: bool, expected: str | None
) -> None:
    message = fault(*version, has_venv)
    assert (message is None) if expected is None else (expected in (message or ""))
