"""The local SageMaker that a run on this machine needs: the one that runs already, or our own."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from scripts.airflow_env import ROOT
from scripts.processes import Child, start, wait_until
from scripts.settings import LocalPorts

STATE = ROOT / ".nacre"
SETTINGS_FILE = ROOT / "airflow_settings.yaml"


@dataclass(frozen=True)
class LocalSageMaker:
    endpoint: str
    s3_endpoint: str
    region: str
    #: None when the service was running before us, and will go on after us.
    child: Child | None

    def connection(self) -> dict[str, Any]:
        """`aws_default`, where this service stands for AWS."""
        return aws_connection(self.endpoint, self.s3_endpoint, self.region)


def aws_connection(endpoint: str, s3_endpoint: str, region: str) -> dict[str, Any]:
    """An Airflow connection to a local SageMaker, in the words of its JSON form."""
    return {
        "conn_type": "aws",
        "login": "local",
        "password": "local",
        "extra": {
            "region_name": region,
            "endpoint_url": endpoint,
            # The local S3 repeats a whole upload's checksum in answers to ranged reads.
            "config_kwargs": {"response_checksum_validation": "when_required"},
            "service_config": {"s3": {"endpoint_url": s3_endpoint}},
        },
    }


@contextmanager
def local_sagemaker(
    state: Path, ports: LocalPorts, options: Sequence[str] = ()
) -> Iterator[LocalSageMaker]:
    """The local SageMaker at `ports`, started for the time of the block unless it runs already.
    `options` are more of its command line.

    Raises NotReadyError with the end of its log when it cannot start.
    """
    ready_file = _ready_file(state)
    running = _running(ready_file, ports)
    if running:
        yield _described(running, None)
        return
    ready_file.unlink(missing_ok=True)
    child = _start(state, ports, options)
    try:
        wait_until(ready_file.exists, child, seconds=60, log=state / "sagemaker.log")
        yield _described(json.loads(ready_file.read_text()), child)
    finally:
        child.stop()


def service_command(state: Path, ports: LocalPorts) -> list[str]:
    """The command that serves the local SageMaker at `ports`, in the foreground."""
    argv = [sys.executable, "-m", "include.nacre.local", "--state", str(state / "sagemaker")]
    argv += ["--host", ports.host, "--port", str(ports.api), "--s3-port", str(ports.s3)]
    return [*argv, "--ready-file", str(_ready_file(state))]


def _ready_file(state: Path) -> Path:
    return state / "sagemaker" / "ready.json"


def _start(state: Path, ports: LocalPorts, options: Sequence[str]) -> Child:
    environment = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    log = state / "sagemaker.log"
    argv = [*service_command(state, ports), *options]
    return start("local SageMaker", argv, env=environment, log=log, cwd=ROOT)


def _running(ready_file: Path, ports: LocalPorts) -> dict[str, Any] | None:
    """What the ready file says, if the process that wrote it lives and listens where we look."""
    if not ready_file.exists():
        return None
    ready: dict[str, Any] = json.loads(ready_file.read_text())
    here = ready["endpoint"].endswith(f":{ports.api}")
    return ready if here and _is_ours(ready["pid"]) else None


def _is_ours(pid: int) -> bool:
    try:
        return "include.nacre.local" in psutil.Process(pid).cmdline()
    except psutil.NoSuchProcess:
        return False


def _described(ready: dict[str, Any], child: Child | None) -> LocalSageMaker:
    return LocalSageMaker(ready["endpoint"], ready["s3_endpoint"], ready["region"], child)
