"""Run one job to its end."""

from collections.abc import Callable, Mapping

from include.nacre.local.images import UnknownImage
from include.nacre.local.jobs.faults import JobFault, Stopped, client_error, limited
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
        return _RUNNERS[spec.kind](Job(spec, workspace, report, stop))
    except Stopped:
        return Outcome("Stopped")
    except JobFault as fault:
        return Outcome("Failed", limited(str(fault)))
    except (UnknownImage, ObjectError) as fault:
        return Outcome("Failed", limited(str(client_error(str(fault)))))
