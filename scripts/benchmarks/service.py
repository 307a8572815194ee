"""A local SageMaker of a benchmark's own, and the memory that it takes."""

from contextlib import AbstractContextManager
from pathlib import Path

import psutil

from scripts.settings import LocalPorts
from scripts.stack import LocalSageMaker, local_sagemaker

ANY_PORTS = LocalPorts(host="127.0.0.1", api=0, s3=0)


def running_service(state: Path, *options: str) -> AbstractContextManager[LocalSageMaker]:
    """A fresh one, stopped after the block; `options` are more of its command line."""
    return local_sagemaker(state, ANY_PORTS, options)


def memory_mb(state: str) -> float:
    """What the processes of the service at `state` hold, in MB; shared pages count once (PSS).

    They are known by that folder in their command lines: a job's supervisor is no child of the
    server, which it may outlive.
    """
    total = 0
    for process in psutil.process_iter():
        try:
            if any(state in word for word in process.cmdline()):
                total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # it ended as we looked; another's
            continue
    return total / 1e6
