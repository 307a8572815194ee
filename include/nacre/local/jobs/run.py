"""Run one job to its end."""

import select
import shutil
import time
from collections.abc import Callable, Mapping

from include.nacre.local.images import UnknownImage
from include.nacre.local.jobs.fate import Interruption
from include.nacre.local.jobs.faults import (
    Interrupted,
    JobFault,
    Stopped,
    client_error,
    limited,
)
from include.nacre.local.jobs.job import Job
from include.nacre.local.jobs.processing import run_processing
from include.nacre.local.jobs.spec import JobSpec, Kind, Outcome, Report, StopRequest, Workspace
from include.nacre.local.jobs.training import run_training
from include.nacre.local.jobs.transform import run_transform
from include.nacre.local.objects import ObjectError

_RUNNERS: Mapping[Kind, Callable[[Job], Outcome]] = {
    "processing": run_processing,
    "training": run_training,
    "transform": run_transform,
}


def run_job(spec: JobSpec, workspace: Workspace, report: Report, stop: StopRequest) -> Outcome:
    """Run the job in this thread, which must live as long: its processes die with it.

    What the job or its request did wrong is the Outcome. An exception is this machine's fault (a
    full disk, say), and on the service would be an InternalServerError.
    """
    try:
        return _run_on(spec, workspace, report, stop)
    except Stopped:
        return Outcome("Stopped")
    except JobFault as fault:
        return Outcome("Failed", limited(str(fault)))
    except (UnknownImage, ObjectError) as fault:
        return Outcome("Failed", limited(str(client_error(str(fault)))))


def _run_on(spec: JobSpec, workspace: Workspace, report: Report, stop: StopRequest) -> Outcome:
    """Run the job on as many spot instances, one after the other, as are taken away from it."""
    ran = 0.0
    for interruption in spec.fate.interruptions:
        try:
            return _RUNNERS[spec.kind](Job(spec, workspace, report, stop, interruption, ran))
        except Interrupted:
            report("Interrupted", {})
        ran += interruption.after
        shutil.rmtree(workspace.job_dir, ignore_errors=True)  # gone with the instance
        if not _wait_for_another(spec, interruption, stop):
            report("MaxWaitTimeExceeded", {})
            return Outcome("Stopped")
        report("Starting", {})
    return _RUNNERS[spec.kind](Job(spec, workspace, report, stop, ran=ran))


def _wait_for_another(spec: JobSpec, interruption: Interruption, stop: StopRequest) -> bool:
    """Whether there is another instance in time; raises Stopped if that is not wanted any more."""
    until = spec.wait_until
    left = interruption.away if until is None else max(0.0, until - time.time())
    select.select([stop], [], [], min(interruption.away, left))
    if stop.requested:
        raise Stopped
    return interruption.away <= left
