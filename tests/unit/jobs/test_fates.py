"""Jobs that meet what was asked for: lost instances, and ends that are no fault of theirs."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from include.nacre.local.jobs import JobSpec, Outcome, StopRequest, Workspace
from include.nacre.local.jobs.fate import Fate, Interruption
from include.nacre.local.jobs.job import Job
from tests.unit.jobs.place import SKLEARN, Body, Place, processing, training, uri

ENDLESS = "import time; print('up', flush=True); time.sleep(600)"
# Has come so far on its first instance, and goes on from there on the next.
RESUMING = """
import pathlib, time
data, done = pathlib.Path("/opt/ml/output/data"), pathlib.Path("/opt/ml/checkpoints/done")
print(done.exists(), sorted(path.name for path in data.iterdir()), flush=True)
if not done.exists():
    (data / "scratch").write_text("gone with the instance")
    done.write_text("so far")
    time.sleep(600)
"""
FIRST = ["Downloading", "Training"]
NEXT = ["Interrupted", "Starting", *FIRST]


def trains(script: str, **more: Any) -> Body:
    """A training job that runs a script."""
    algorithm = {
        "TrainingImage": SKLEARN,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python3", "-c", script],
    }
    return training(SKLEARN, {}, AlgorithmSpecification=algorithm, **more)


def test_an_interrupted_job_starts_again_with_its_checkpoints_and_nothing_else(
    place: Place,
) -> None:
    request = trains(RESUMING, CheckpointConfig={"S3Uri": uri("checkpoints")})
    # More than one, for a machine so slow that the first instance is lost before it did anything.
    fate = Fate(interruptions=(Interruption(2, 0.1),) * 9)
    outcome = place.run("training", request, fate=fate)
    assert (outcome.status, place.events[:6], place.events[-1], sorted(set(place.log()))) == (
        "Completed",
        [*FIRST, *NEXT],
        "Uploading",
        ["False []", "True []"],
    )


def test_a_job_that_ends_before_its_instance_is_taken_away_is_not_interrupted(
    place: Place,
) -> None:
    fate = Fate(interruptions=(Interruption(600, 1),))
    outcome = place.run("training", trains("print('quick')"), fate=fate)
    assert (outcome.status, place.events) == ("Completed", [*FIRST, "Uploading"])


def test_a_job_whose_wait_is_over_before_there_is_another_instance_is_stopped(
    place: Place,
) -> None:
    fate = Fate(interruptions=(Interruption(0, 600),))
    outcome = place.run("training", trains(ENDLESS), fate=fate, wait_until=time.time() + 1)
    assert (outcome, place.events) == (
        Outcome("Stopped"),
        [*FIRST, "Interrupted", "MaxWaitTimeExceeded"],
    )


def test_a_spot_job_that_runs_when_its_wait_is_over_is_stopped(place: Place) -> None:
    outcome = place.run("training", trains(ENDLESS), wait_until=time.time() + 2)
    assert (outcome.status, place.events) == (
        "Stopped",
        [*FIRST, "MaxWaitTimeExceeded", "Uploading"],
    )


def test_the_time_on_lost_instances_counts(place: Place) -> None:
    spec = JobSpec("training", "job", "arn", trains(ENDLESS), "us-east-1", "123456789012")
    workspace = Workspace(place.root / "job", place.root / "logs", place.objects)
    job = Job(spec, workspace, lambda _event, _facts: None, StopRequest(), ran=40)
    assert (job.limits.runtime, job.limits.over) == (560, "Stopping")


def test_a_job_that_waits_for_an_instance_is_stopped_at_once(place: Place) -> None:
    stop = StopRequest()

    def stop_when_it_waits() -> None:
        while "Interrupted" not in place.events:
            time.sleep(0.01)
        stop.request()

    threading.Thread(target=stop_when_it_waits, daemon=True).start()
    fate = Fate(interruptions=(Interruption(0, 600),))
    outcome = place.run("training", trains(ENDLESS), fate=fate, stop=stop)
    assert (outcome, place.events) == (Outcome("Stopped"), [*FIRST, "Interrupted"])


REASONS = {
    "internal": "InternalServerError: We encountered an internal error. Please try again.",
    "algorithm": "AlgorithmError: See job logs for more information",
}


@pytest.mark.parametrize(
    ("end", "after", "log"), [("internal", 0, []), ("algorithm", 0, []), ("algorithm", 3, ["up"])]
)
def test_a_job_ends_badly_without_having_run_or_in_the_middle(
    place: Place, end: Any, after: float, log: list[str]
) -> None:
    fate = Fate(end=end, after=after)
    outcome = place.run("processing", processing(ENDLESS, place), fate=fate)
    assert (outcome.status, outcome.failure_reason, place.events, place.log()) == (
        "Failed",
        REASONS[end],
        ["Downloading", "Running"],
        log,
    )


def test_nothing_of_a_lost_instance_is_left_running(place: Place, tmp_path: Path) -> None:
    mark = f"lost-{tmp_path.name}"
    place.run("training", trains(f"{ENDLESS}  # {mark}"), fate=Fate(end="internal", after=1))
    found = [path for path in Path("/proc").glob("[0-9]*/cmdline") if mark in read(path)]
    assert found == []


def read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
