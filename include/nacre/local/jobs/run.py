"""Run one job to its end."""

from include.nacre.local.jobs.spec import JobSpec, Outcome, Report, StopRequest, Workspace


def run_job(spec: JobSpec, workspace: Workspace, report: Report, stop: StopRequest) -> Outcome:
    """Run the job in this thread; what the job did wrong is its Outcome, never an exception."""
    raise NotImplementedError(spec, workspace, report, stop)
