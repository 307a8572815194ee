"""What survives the death of the service, and what is left running by none of its ends."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.local_sagemaker import BUCKET, LocalSageMaker, start
from tests.unit.local_service.scripts import OUTPUT, Scripts

ENDLESS = "import time; print('up', flush=True); time.sleep(600)"


def waiting_at(gate: socket.socket) -> str:
    """A script that goes on when it is let through: after a server was killed and started again."""
    return f"""
import socket
print("up", flush=True)
socket.create_connection({gate.getsockname()!r}).recv(1)
open("{OUTPUT}/a.txt", "a").write("once\\n")
"""


def open_gate(gate: socket.socket) -> None:
    """Let through the one script that waits, or will."""
    gate.accept()[0].close()


@pytest.fixture
def gate() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(30)
        yield listening


@pytest.fixture
def services() -> Iterator[Callable[..., LocalSageMaker]]:
    """Starts services; ends those that still run."""
    with contextlib.ExitStack() as running:

        def begin(state: Path, *options: str) -> LocalSageMaker:
            service = start(state, options)
            running.callback(lambda: service.process.poll() is None and service.stop())
            return service

        yield begin


def processes_of(state: Path) -> list[str]:
    """The command lines of every process that works on a state folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = entry.read_bytes().decode(errors="replace").replace("\0", " ")
            if str(state) in words and "pytest" not in words:
                found.append(words)
    return found


def gone(state: Path, seconds: float = 10) -> list[str]:
    deadline = time.monotonic() + seconds
    while processes_of(state) and time.monotonic() < deadline:
        time.sleep(0.05)
    return processes_of(state)


def kill(service: LocalSageMaker) -> None:
    service.process.kill()
    service.process.wait()


def supervisor_of(state: Path, name: str) -> int:
    with sqlite3.connect(state / "sagemaker.sqlite") as database:
        (pid,) = database.execute("SELECT pid FROM supervisors WHERE name = ?", (name,)).fetchone()
    return int(pid)


def test_a_job_outlives_the_server_and_ends_once(
    state: Path, services: Callable[..., LocalSageMaker], gate: socket.socket
) -> None:
    service = services(state)
    scripts = Scripts(service, "outlives")
    name = scripts.start("a", waiting_at(gate))
    scripts.wait_for_log(name)
    kill(service)
    scripts = Scripts(services(state), "outlives")
    adopted = scripts.status(name)
    open_gate(gate)
    end = scripts.end_of(name)["ProcessingJobStatus"]
    output = scripts.s3.get_object(Bucket=BUCKET, Key=f"out/{name}/a.txt")["Body"].read()
    assert (adopted, end, output, scripts.log(name)) == (
        "InProgress",
        "Completed",
        b"once\n",
        ["up"],
    )


def test_a_job_whose_process_is_gone_has_failed_with_the_services_words(
    state: Path, services: Callable[..., LocalSageMaker]
) -> None:
    service = services(state)
    scripts = Scripts(service, "lost")
    name = scripts.start("a", ENDLESS)
    scripts.wait_for_log(name)
    kill(service)
    os.kill(supervisor_of(state, name), signal.SIGKILL)
    end = Scripts(services(state), "lost").end_of(name)
    assert (end["ProcessingJobStatus"], end["FailureReason"]) == (
        "Failed",
        "InternalServerError: We encountered an internal error. Please try again.",
    )


def test_a_job_whose_process_is_killed_fails_at_once(
    state: Path, services: Callable[..., LocalSageMaker]
) -> None:
    scripts = Scripts(services(state), "killed")
    name = scripts.start("a", ENDLESS)
    scripts.wait_for_log(name)
    os.kill(supervisor_of(state, name), signal.SIGKILL)
    assert scripts.end_of(name)["FailureReason"].startswith("InternalServerError: ")


def test_waiting_jobs_start_when_the_service_is_back(
    state: Path, services: Callable[..., LocalSageMaker], gate: socket.socket
) -> None:
    service = services(state, "--max-jobs", "1")
    scripts = Scripts(service, "waits")
    first = scripts.start("first", waiting_at(gate))
    second = scripts.start("second", "print('me too')")
    scripts.wait_for_log(first)
    waited = scripts.status(second)
    kill(service)
    scripts = Scripts(services(state, "--max-jobs", "1"), "waits")
    open_gate(gate)
    ends = [scripts.end_of(name)["ProcessingJobStatus"] for name in (first, second)]
    assert (waited, ends) == ("InProgress", ["Completed", "Completed"])


def test_a_stop_reaches_a_job_that_was_adopted(
    state: Path, services: Callable[..., LocalSageMaker]
) -> None:
    service = services(state)
    name = Scripts(service, "adopted").start("a", ENDLESS)
    Scripts(service, "adopted").wait_for_log(name)
    kill(service)
    scripts = Scripts(services(state), "adopted")
    scripts.sagemaker.stop_processing_job(ProcessingJobName=name)
    assert scripts.end_of(name)["ProcessingJobStatus"] == "Stopped"


def test_a_killed_server_leaves_its_jobs_and_nothing_else(
    state: Path, services: Callable[..., LocalSageMaker], gate: socket.socket
) -> None:
    service = services(state)
    name = Scripts(service, "left").start("a", waiting_at(gate))
    Scripts(service, "left").wait_for_log(name)
    kill(service)
    time.sleep(0.5)
    left = processes_of(state)
    open_gate(gate)
    assert ([words for words in left if "nursery" not in words], gone(state)) == ([], [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_server_leaves_nothing_running_and_no_job_in_progress(
    state: Path, services: Callable[..., LocalSageMaker], number: signal.Signals
) -> None:
    service = services(state, "--max-jobs", "1")
    scripts = Scripts(service, "stopped")
    running, waiting = scripts.start("running", ENDLESS), scripts.start("waiting", ENDLESS)
    scripts.wait_for_log(running)
    service.process.send_signal(number)
    status = service.process.wait(20)
    left = gone(state)
    scripts = Scripts(services(state), "stopped")
    ends = [scripts.status(name) for name in (running, waiting)]
    assert (status, left, ends) == (0, [], ["Stopped", "Failed"])


def test_the_s3_server_is_started_again_when_it_dies(
    state: Path, services: Callable[..., LocalSageMaker]
) -> None:
    service = services(state)
    s3 = service.client("s3")
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"kept")
    children = Path(f"/proc/{service.process.pid}/task").glob("*/children")
    pids = [int(pid) for path in children for pid in path.read_text().split()]
    (rclone,) = [p for p in pids if "rclone" in Path(f"/proc/{p}/cmdline").read_text()]
    os.kill(rclone, signal.SIGKILL)
    time.sleep(0.2)
    assert service.client("s3").get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"kept"


def test_jobs_start_when_the_process_that_starts_them_has_died(
    state: Path, services: Callable[..., LocalSageMaker]
) -> None:
    scripts = Scripts(services(state), "nursery")
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = entry.read_text()
            if "nacre.local.nursery" in words and str(state) in words:
                os.kill(int(entry.parent.name), signal.SIGKILL)
    name = scripts.start("a", "print('still here')")
    assert scripts.end_of(name)["ProcessingJobStatus"] == "Completed"


def test_the_ready_file_says_where_the_service_is(
    state: Path, services: Callable[..., LocalSageMaker]
) -> None:
    service = services(state)
    assert json.loads((state / "ready.json").read_text()) == {
        "endpoint": service.endpoint,
        "s3_endpoint": service.s3_endpoint,
        "region": "us-east-1",
        "account": "123456789012",
        "pid": service.process.pid,
    }
