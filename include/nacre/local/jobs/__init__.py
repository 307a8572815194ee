"""What happens inside one job of the local SageMaker."""

from include.nacre.local.jobs.run import run_job
from include.nacre.local.jobs.spec import JobSpec, Kind, Outcome, Report, StopRequest, Workspace

__all__ = ["JobSpec", "Kind", "Outcome", "Report", "StopRequest", "Workspace", "run_job"]
