"""What all kinds of jobs share: the request and its place, as they are needed along the way."""

import functools
import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from include.nacre.local.images import Runtime
from include.nacre.local.jobs.environment import base_environment
from include.nacre.local.jobs.fate import Interruption
from include.nacre.local.jobs.faults import (
    INTERNAL_ERROR,
    Interrupted,
    JobFault,
    algorithm_error,
    client_error,
)
from include.nacre.local.jobs.hosts import Cut, HostGroup, Limits
from include.nacre.local.jobs.places import Host, make_hosts, write_names
from include.nacre.local.jobs.spec import JobSpec, Report, StopRequest, Workspace
from include.nacre.local.jobs.tools import make_tools
from include.nacre.local.objects import ObjectError, Objects, copy_file

_DEFAULT_RUNTIME = 86_400  # seconds, where there is no StoppingCondition


class Job:
    """One job on its way; its hosts are made by the kind of job.

    `interruption` takes its spot instance away; `ran` is how many seconds it ran before, on others.
    """

    def __init__(
        self,
        spec: JobSpec,
        workspace: Workspace,
        report: Report,
        stop: StopRequest,
        interruption: Interruption | None = None,
        ran: float = 0.0,
    ) -> None:
        self.spec, self.workspace, self.stop = spec, workspace, stop
        self.report = report
        self._interruption, self._ran = interruption, ran
        self._started = int(time.time())

    @property
    def request(self) -> Mapping[str, Any]:
        """The body of the Create call."""
        return self.spec.request

    @property
    def objects(self) -> Objects:
        """Where the job's addresses are."""
        return self.workspace.objects

    @functools.cached_property
    def limits(self) -> Limits:
        """The time limit from now on that is over first, and the time to end after a stop."""
        condition, until = self.request.get("StoppingCondition") or {}, self.spec.wait_until
        may_run = condition.get("MaxRuntimeInSeconds", _DEFAULT_RUNTIME) - self._ran
        may_wait = math.inf if until is None else until - time.time()
        over = "Stopping" if may_run <= may_wait else "MaxWaitTimeExceeded"
        return Limits(max(0.0, min(may_run, may_wait)), self.workspace.grace_seconds, over)

    def hosts(self, streams: Mapping[str, str], runtime: Runtime) -> list[Host]:
        """The job's hosts (a log stream each), with the runtime's Python and commands."""
        hosts = make_hosts(self.workspace.job_dir, streams)
        write_names(hosts, self.spec.name)
        for host in hosts:
            make_tools(host.tools, runtime.image)
        return hosts

    def environment(self, *more: Mapping[str, str] | None) -> dict[str, str]:
        """Every job's variables and these; the last one given counts."""
        environment = base_environment(self.spec, self.workspace.environment, os.environ)
        for variables in more:
            environment |= variables or {}
        return environment

    def group(self) -> HostGroup:
        """A group to start the hosts in."""
        return HostGroup(self.spec, self.workspace, self._started, self._cut())

    def _cut(self) -> Cut | None:
        fate = self.spec.fate
        if self._interruption is not None:
            return Cut(self._interruption.after, Interrupted())
        match fate.end:
            case "internal":
                return Cut(fate.after, JobFault(INTERNAL_ERROR))
            case "algorithm":
                return Cut(fate.after, algorithm_error("See job logs for more information"))
        return None

    def over_time(self) -> None:
        """Tell that the job is being stopped because its time is over."""
        self.report(self.limits.over, {})

    def fetch(self, uri: str, target: Path) -> None:
        """Copy one object that the job cannot do without."""
        try:
            copy_file(self.objects.get(uri).path, target)
        except ObjectError as fault:
            raise client_error(f"Failed to download data. {fault}") from fault


def algorithm_streams(count: int) -> dict[str, str]:
    """Hosts that are named in their log streams: algo-1 and so on."""
    return {name: name for name in (f"algo-{n}" for n in range(1, count + 1))}


def refuse(faults: Sequence[str]) -> None:
    """Refuse what a request asks for and the local SageMaker does not do, all in one message."""
    if faults:
        raise client_error("The local SageMaker does not support " + "; ".join(faults))
