"""What no job can escape: its end, its supervisor's end, and its own corner of the machine."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from include.nacre.local.jobs import StopRequest
from include.nacre.local.jobs.processes import remedy
from tests.unit.jobs.place import Place, entry, processing, training

PROJECT = Path(__file__).resolve().parents[3]

# A supervisor of its own: runs one processing job with the given script.
SUPERVISOR = """
import sys
from pathlib import Path
from tests.unit.jobs.place import Place, processing
place = Place(Path(sys.argv[1]))
outcome = place.run("processing", processing(sys.argv[2], place))
print(outcome.status, outcome.failure_reason)
"""


def running(mark: str) -> list[int]:
    """The processes of this machine whose command line contains the mark, but for supervisors."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(mark.encode() == word for word in words):
            found.append(int(path.parent.name))
    return found


def wait_for(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def supervise(place: Place, script: str, *prefix: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", SUPERVISOR, str(place.root), script],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )


def leave_behind(mark: str) -> str:
    """A script that starts a grandchild in a session of its own, out of every group's reach."""
    return f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "{mark}"],
                 start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print("left", flush=True)
"""


def test_no_process_of_a_job_survives_it(place: Place) -> None:
    mark = f"left-behind-{os.getpid()}"
    assert place.run("processing", processing(leave_behind(mark), place)).status == "Completed"
    assert (place.log(), running(mark)) == (["left"], [])


def test_a_supervisor_that_is_killed_takes_its_job_along(place: Place) -> None:
    mark = f"orphan-{os.getpid()}"
    script = leave_behind(mark) + "\nimport time; time.sleep(600)"
    supervisor = supervise(place, script)
    assert wait_for(lambda: len(running(mark)) == 1)
    supervisor.kill()
    supervisor.communicate()
    assert wait_for(lambda: running(mark) == [])


def stop_when_it_says(place: Place, word: str, stop: StopRequest) -> threading.Thread:
    def watch() -> None:
        wait_for(lambda: word in place.log())
        stop.request()

    watcher = threading.Thread(target=watch)
    watcher.start()
    return watcher


SLEEP = "print('up', flush=True); import time; time.sleep(600)"
IGNORE = "import signal; signal.signal(signal.SIG{0}, signal.SIG_IGN)\n" + SLEEP


@pytest.mark.parametrize("script", [SLEEP, IGNORE.format("INT")])
def test_a_stopped_job_is_asked_and_then_killed(place: Place, script: str) -> None:
    place.grace = 0.2
    stop = StopRequest()
    watcher = stop_when_it_says(place, "up", stop)
    outcome = place.run("processing", processing(script, place), stop=stop)
    watcher.join()
    assert (outcome.status, outcome.failure_reason) == ("Stopped", None)
    assert place.events == ["Downloading", "Running"]


def test_a_job_that_was_stopped_before_it_began_never_runs(place: Place) -> None:
    stop = StopRequest()
    stop.request()
    assert place.run("processing", processing("print('up')", place), stop=stop).status == "Stopped"
    assert place.log() == []


@pytest.mark.parametrize("script", [SLEEP, IGNORE.format("TERM")])
def test_a_job_over_its_time_is_stopped_and_keeps_its_model(place: Place, script: str) -> None:
    place.grace = 0.2
    save = "open('/opt/ml/model/weights', 'w').write('so far');"
    request = training(
        "", {}, AlgorithmSpecification=entry("python3", "-c", save + script.replace("\n", ";"))
    )
    outcome = place.run("training", {**request, "StoppingCondition": {"MaxRuntimeInSeconds": 0.5}})
    assert (outcome.status, outcome.failure_reason) == ("Stopped", None)
    assert place.events == ["Downloading", "Training", "Stopping", "Uploading"]
    assert place.keys("models") == ["models/job/output/model.tar.gz"]


def test_a_script_may_end_in_order_when_it_is_asked_to(place: Place) -> None:
    script = """
import signal, sys, time
def save(*_):
    open("/opt/ml/model/weights", "w").write("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("up", flush=True)
time.sleep(600)
"""
    stop = StopRequest()
    watcher = stop_when_it_says(place, "up", stop)
    request = training("", {}, AlgorithmSpecification=entry("python3", "-c", script))
    assert place.run("training", request, stop=stop).status == "Stopped"
    watcher.join()
    assert len(place.get("models/job/output/model.tar.gz")) > 0


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv (util-linux)")
@pytest.mark.skipif(os.geteuid() != 0, reason="every other test shows it")
def test_without_root_s_powers_a_user_namespace_gives_the_same_view(
    place: Place, in_tmp: Path
) -> None:
    script = f"""
import os
open("/opt/ml/here", "w").write("x")
print(os.getuid(), os.path.exists({str(in_tmp)!r}), os.getpid())
print(open("/proc/self/uid_map").read().split())
"""
    supervisor = supervise(place, script, "setpriv", "--bounding-set", "-sys_admin")
    said, _ = supervisor.communicate()
    assert said == "Completed None\n"
    assert place.log() == ["0 False 2", "['0', '0', '1']"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "Allow it: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (
            "user/max_user_namespaces",
            "0",
            "Allow it: sudo sysctl -w user.max_user_namespaces=10000",
        ),
        ("user/max_user_namespaces", "1000", "Inside a container start that one with --privileged"),
    ],
)
def test_a_machine_that_forbids_namespaces_says_how_to_allow_them(
    tmp_path: Path, name: str, value: str, expected: str
) -> None:
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(f"{value}\n")
    assert expected in remedy(tmp_path)


def test_a_machine_without_the_folder_to_mount_below_says_so(tmp_path: Path) -> None:
    said = remedy(tmp_path, tmp_path / "opt")
    assert said == f"Make the folder that it is mounted below: sudo mkdir {tmp_path / 'opt'}"


def test_signals_before_the_command_is_up_are_not_lost(place: Place) -> None:
    stop = StopRequest()
    timer = threading.Timer(0.02, lambda: stop.request())
    timer.start()
    outcome = place.run("processing", processing(SLEEP, place), stop=stop)
    timer.join()
    assert outcome.status == "Stopped"


def test_a_line_without_an_end_is_logged_in_pieces(place: Place) -> None:
    script = "import sys\nfor _ in range(20): sys.stdout.write('x' * 100_000)"
    assert place.run("processing", processing(script, place)).status == "Completed"
    assert [len(line) for line in place.log()] == [256_000] * 7 + [208_000]
