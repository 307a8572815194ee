"""Processes that are not our children."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from include.nacre.local.processes import ProcessId, identify, is_alive, send, this_process, wait


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def known(process: subprocess.Popen[bytes]) -> ProcessId:
    found = identify(process.pid)
    assert found is not None
    return found


def test_this_process_is_alive() -> None:
    assert (this_process().pid, is_alive(this_process())) == (os.getpid(), True)


def test_a_process_that_has_ended_is_not_alive(sleeper: subprocess.Popen[bytes]) -> None:
    process = known(sleeper)
    sleeper.kill()
    sleeper.wait()
    assert is_alive(process) is False


def test_a_process_that_nobody_waited_for_is_not_alive(sleeper: subprocess.Popen[bytes]) -> None:
    process = known(sleeper)
    sleeper.kill()
    assert (wait(process, 10), is_alive(process)) == (True, False)


def test_another_process_with_the_same_number_is_another_process(
    sleeper: subprocess.Popen[bytes],
) -> None:
    other = ProcessId(sleeper.pid, known(sleeper).started - 1)
    send(other, signal.SIGKILL)
    assert (is_alive(other), wait(other), sleeper.poll()) == (False, True, None)


def test_waiting_ends_with_its_time(sleeper: subprocess.Popen[bytes]) -> None:
    assert wait(known(sleeper), 0.01) is False


def test_waiting_ends_with_the_process(sleeper: subprocess.Popen[bytes]) -> None:
    process = known(sleeper)
    send(process, signal.SIGTERM)
    assert wait(process, 10) is True


def test_a_process_that_is_gone_needs_no_signal() -> None:
    process = subprocess.Popen(["true"])
    found = identify(process.pid) or ProcessId(process.pid, 0)
    process.wait()
    time.sleep(0)
    send(found, signal.SIGTERM)
    assert wait(found, 0) is True


def test_a_program_may_have_any_name(tmp_path_factory: pytest.TempPathFactory) -> None:
    program = tmp_path_factory.mktemp("bin") / "a) S 1 (b"
    program.symlink_to("/bin/sleep")
    process = subprocess.Popen([program, "60"])
    try:
        assert is_alive(known(process))
    finally:
        process.kill()
        process.wait()
