"""What a supervisor writes down of the job that it runs."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from include.nacre.local.clock import now
from include.nacre.local.jobrecord import KINDS, after, description, fated, new_job
from include.nacre.local.jobs import JobSpec, Outcome, Report, StopRequest, Workspace
from include.nacre.local.jobs.fate import Fate
from include.nacre.local.jobs.spec import Kind
from include.nacre.local.place import Place, StateFolder
from include.nacre.local.processes import ProcessId
from include.nacre.local.store import Resource, Store
from include.nacre.local.supervisor import Supervision
from tests.unit.local.memory import processing, training, transform

US = ProcessId(os.getpid(), 1)
REQUESTS = {"processing": processing, "training": training, "transform": transform}
Reported = Callable[[Report], Outcome]


class Bench:
    """A store with one job, and a supervision of it whose job does what a test says."""

    def __init__(self, root: Path) -> None:
        self.folder = StateFolder(root)
        self.folder.make()
        self.store = Store(self.folder.database)
        self.spec: JobSpec | None = None

    def add(self, kind: Kind) -> None:
        self.store.add(new_job(KINDS[kind], Place(), "job", REQUESTS[kind]("job"), 1.0))

    def run(self, kind: Kind, job: Reported) -> dict[str, Any]:
        def runs(
            spec: JobSpec, workspace: Workspace, report: Report, _stop: StopRequest
        ) -> Outcome:
            self.spec = spec
            workspace.job_dir.mkdir()
            return job(report)

        supervision = Supervision(self.store, self.folder, kind, "job", runs)
        claimed = supervision.claim(US)
        assert claimed is not None
        supervision.run(claimed, Place(), StopRequest())
        supervision.clean_up()
        return self.described(kind)

    def described(self, kind: Kind) -> dict[str, Any]:
        found = self.store.get(kind, "job")
        assert found is not None
        return description(found)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.close()


def reports(outcome: Outcome, *events: str) -> Reported:
    def job(report: Report) -> Outcome:
        for event in events:
            report(event, {})
        return outcome

    return job


def statuses(found: Mapping[str, Any]) -> list[str]:
    return [entry["Status"] for entry in found["SecondaryStatusTransitions"]]


def test_a_good_training_job_goes_through_its_statuses(bench: Bench) -> None:
    bench.add("training")
    facts = {"ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"}}
    job = reports(Outcome("Completed", None, facts), "Downloading", "Training", "Uploading")
    found = bench.run("training", job)
    assert (statuses(found), found["ModelArtifacts"]) == (
        ["Starting", "Downloading", "Training", "Uploading", "Completed"],
        facts["ModelArtifacts"],
    )


def test_a_failed_job_keeps_its_reason(bench: Bench) -> None:
    bench.add("processing")
    found = bench.run("processing", reports(Outcome("Failed", "AlgorithmError: x"), "Downloading"))
    assert (found["ProcessingJobStatus"], found["FailureReason"]) == ("Failed", "AlgorithmError: x")


def test_facts_that_are_reported_on_the_way_are_seen(bench: Bench) -> None:
    bench.add("processing")

    def job(report: Report) -> Outcome:
        report("Running", {"ExitMessage": "so far"})
        return Outcome("Completed")

    assert bench.run("processing", job)["ExitMessage"] == "so far"


def test_a_job_over_its_time_limit_says_so(bench: Bench) -> None:
    bench.add("training")
    job = reports(Outcome("Stopped"), "Downloading", "Training", "Stopping", "Uploading")
    found = bench.run("training", job)
    assert (found["TrainingJobStatus"], statuses(found)[-3:]) == (
        "Stopped",
        ["Stopping", "Uploading", "MaxRuntimeExceeded"],
    )


def test_a_job_that_was_asked_to_stop_is_stopped(bench: Bench) -> None:
    bench.add("training")

    def job(report: Report) -> Outcome:
        report("Training", {})
        bench.store.update("training", "job", lambda found: after(found, "StopAsked", 3.0))
        report("Uploading", {})
        return Outcome("Stopped")

    assert statuses(bench.run("training", job))[-3:] == ["Stopping", "Uploading", "Stopped"]


def test_a_job_that_a_signal_stopped_is_stopped_all_the_same(bench: Bench) -> None:
    bench.add("training")
    found = bench.run("training", reports(Outcome("Stopped"), "Training"))
    assert statuses(found)[-2:] == ["Stopping", "Stopped"]


def test_a_job_is_run_with_the_request_it_was_made_with(bench: Bench) -> None:
    bench.add("training")
    bench.run("training", reports(Outcome("Failed", "x")))
    assert bench.spec == JobSpec(
        "training",
        "job",
        "arn:aws:sagemaker:us-east-1:123456789012:training-job/job",
        {
            "EnableNetworkIsolation": False,
            "EnableInterContainerTrafficEncryption": False,
            "EnableManagedSpotTraining": False,
            **training("job"),
        },
        "us-east-1",
        "123456789012",
    )


def test_a_transform_job_gets_its_model(bench: Bench) -> None:
    bench.add("transform")
    bench.store.add(Resource("model", "abalone", "arn:m", "", 1.0, 1.0, {"ModelName": "abalone"}))
    bench.run("transform", reports(Outcome("Failed", "x")))
    assert bench.spec is not None
    assert bench.spec.model == {"ModelName": "abalone", "ModelArn": "arn:m", "CreationTime": 1.0}


def test_a_transform_job_whose_model_was_deleted_fails_and_says_so(bench: Bench) -> None:
    bench.add("transform")
    found = bench.run("transform", reports(Outcome("Completed")))
    assert found["FailureReason"] == (
        "ClientError: Could not find model"
        ' "arn:aws:sagemaker:us-east-1:123456789012:model/abalone".'
    )


def test_an_interrupted_job_goes_through_its_statuses(bench: Bench) -> None:
    bench.add("training")
    again = ("Downloading", "Training")
    job = reports(Outcome("Completed"), *again, "Interrupted", "Starting", *again, "Uploading")
    assert statuses(bench.run("training", job)) == [
        *("Starting", "Downloading", "Training", "Interrupted"),
        *("Starting", "Downloading", "Training", "Uploading", "Completed"),
    ]


def test_a_job_whose_wait_is_over_says_so(bench: Bench) -> None:
    bench.add("training")
    job = reports(Outcome("Stopped"), "Training", "Interrupted", "MaxWaitTimeExceeded")
    found = bench.run("training", job)
    assert (found["TrainingJobStatus"], statuses(found)[-3:]) == (
        "Stopped",
        ["Interrupted", "Stopping", "MaxWaitTimeExceeded"],
    )


def test_a_job_that_is_slow_to_stop_is_stopping_for_so_long(bench: Bench) -> None:
    bench.store.add(
        fated(new_job(KINDS["training"], Place(), "job", training("job"), 1.0), Fate(stop=0.3))
    )

    def job(report: Report) -> Outcome:
        report("Training", {})
        bench.store.update("training", "job", lambda found: after(found, "StopAsked", now()))
        return Outcome("Stopped")

    *_, stopping, stopped = bench.run("training", job)["SecondaryStatusTransitions"]
    took = stopped["StartTime"] - stopping["StartTime"]
    assert (stopping["Status"], stopped["Status"], took > 0.25) == ("Stopping", "Stopped", True)


def test_a_job_that_was_to_stop_before_it_was_claimed_is_asked_to_at_once(bench: Bench) -> None:
    bench.add("training")
    bench.store.update("training", "job", lambda found: after(found, "StopAsked", 2.0))
    asked: list[bool] = []

    def runs(_spec: JobSpec, _place: Workspace, _report: Report, stop: StopRequest) -> Outcome:
        asked.append(stop.requested)
        return Outcome("Stopped")

    supervision = Supervision(bench.store, bench.folder, "training", "job", runs)
    claimed = supervision.claim(US)
    assert claimed is not None
    supervision.run(claimed, Place(), StopRequest())
    assert (asked, bench.described("training")["TrainingJobStatus"]) == ([True], "Stopped")


def test_a_job_has_one_supervisor(bench: Bench) -> None:
    bench.add("training")
    claims = [
        Supervision(bench.store, bench.folder, "training", "job").claim(ProcessId(pid, 1))
        for pid in (1, 2)
    ]
    assert [claim is not None for claim in claims] == [True, False]


def test_a_job_that_was_stopped_while_it_waited_is_nobodys(bench: Bench) -> None:
    bench.add("training")
    for event in ("StopAsked", "Stopped"):
        bench.store.update("training", "job", lambda job: after(job, event, 2.0))  # noqa: B023
    supervision = Supervision(bench.store, bench.folder, "training", "job")
    assert (supervision.claim(US), bench.store.supervisor("training", "job")) == (None, None)


def test_nothing_of_a_job_stays_in_its_folder(bench: Bench) -> None:
    bench.add("training")
    bench.run("training", reports(Outcome("Failed", "x")))
    assert (
        bench.folder.job("training", "job").exists(),
        bench.store.supervisor("training", "job"),
    ) == (
        False,
        None,
    )
