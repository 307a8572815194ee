"""Airflow as it runs in production, in processes that can be killed one by one: scheduler (with
LocalExecutor's workers), triggerer, API server and DAG processor, on PostgreSQL; beside them the
local SageMaker.
"""

import json
import os
import secrets
import signal
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psutil

from scripts.airflow_env import ROOT, airflow_environment, is_healthy
from scripts.ports import free_port
from scripts.processes import Child, start, wait_until
from scripts.stack import SETTINGS_FILE
from scripts.standalone import load_settings, server_environment
from tests.support.airflow import HEARTBEATS, AirflowApi, aws_connection
from tests.support.local_sagemaker import LocalSageMaker
from tests.support.local_sagemaker import start as start_sagemaker
from tests.support.postgres import postgres

SCHEDULER, TRIGGERER, API_SERVER = "scheduler", "triggerer", "api-server"
PARTS = (API_SERVER, SCHEDULER, TRIGGERER, "dag-processor")
SAGEMAKER = "local SageMaker"

# Seconds where Airflow's defaults are minutes. Not shorter: a part that is only slow, on a loaded
# machine, is then taken for dead.
_SETTINGS = HEARTBEATS | {
    "AIRFLOW__CORE__PARALLELISM": "16",
    "AIRFLOW__CORE__XCOM_BACKEND": "tests.chaos.xcom.MarkedXCom",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "1",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "6",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "3",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "6",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
}


@dataclass
class Deployment:
    """The processes, and the way to kill them."""

    api: AirflowApi
    home: Path
    environment: Mapping[str, str]
    sagemaker: LocalSageMaker
    sagemaker_options: list[str]
    gates: Path
    """A folder that jobs see: what they have below /tmp is their own."""
    parts: dict[str, Child] = field(default_factory=dict)
    left_behind: list[psutil.Process] = field(default_factory=list)
    """What a part had started that was killed alone."""

    def start(self, part: str) -> None:
        """Start a part, as a process manager does."""
        if part == SAGEMAKER:
            state = self.sagemaker.state
            self.sagemaker = start_sagemaker(state, self.sagemaker_options)
            return
        argv = [sys.executable, "-m", "airflow", *self._arguments(part)]
        log = self.home / f"{part}.log"
        self.parts[part] = start(part, argv, env=self.environment, log=log, cwd=ROOT)

    def kill(self, part: str, *, alone: bool = False) -> None:
        """SIGKILL a part with all that it has started, as the end of a container does; `alone`: as
        the kernel does that runs out of memory.
        """
        process = self.root(part)
        children = process.children(recursive=True)
        kill(process, *(() if alone else children))
        self.left_behind += children if alone else ()
        if part == SAGEMAKER:
            self.sagemaker.process.wait()
        else:
            self.parts[part].process.wait()

    def root(self, part: str) -> psutil.Process:
        """The process of a part from which its others descend."""
        if part == SAGEMAKER:
            return psutil.Process(self.sagemaker.process.pid)
        return psutil.Process(self.parts[part].process.pid)

    def wait_for_api(self) -> None:
        """Wait until the API server answers."""
        server = self.parts[API_SERVER]
        wait_until(self._answers, server, seconds=240, log=self.api.log_file)

    def _answers(self) -> bool:
        try:
            return self.api.client.get("/api/v2/monitor/health").is_success
        except httpx.TransportError:
            return False

    def second(self, part: str) -> Child:
        """Start one more of a part; the first one stays, and is returned."""
        first = self.parts[part]
        self.left_behind.append(self.root(part))
        self.start(part)
        return first

    def stop(self) -> None:
        """End everything; nothing of it is left running. What is thrown away needs no tidy end."""
        for part, child in self.parts.items():
            if child.alive:
                self.kill(part)
        for process in self.left_behind:
            if process.is_running():  # and is not another one of the same number
                kill(*process.children(recursive=True), process)
        if self.sagemaker.process.poll() is None:
            self.sagemaker.stop()

    def _arguments(self, part: str) -> list[str]:
        match part:
            case "api-server":
                return [part, "--host", "127.0.0.1", "--port", self.environment["PORT"]]
            case "scheduler" | "triggerer":
                return [part, "--skip-serve-logs"]
            case _:
                return [part]


def kill(*processes: psutil.Process) -> None:
    """SIGKILL; who has ended meanwhile has ended."""
    for process in processes:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue


@contextmanager
def deployment(home: Path, orders: Path, dags: Path) -> Iterator[Deployment]:
    """All of it in `home`, until the end of the block. `orders` is the folder that
    `include.nacre.dag.points` watches.
    """
    with ExitStack() as stack:
        address = stack.enter_context(postgres(home))
        # It comes back where it was: whoever waits for it knows no other address.
        options = ["--port", str(free_port()), "--s3-port", str(free_port()), "--max-jobs", "64"]
        sagemaker = start_sagemaker(home / "sagemaker", options)
        port = free_port()
        environment = _environment(home, orders, dags, address, port, sagemaker)
        load_settings(SETTINGS_FILE, environment)
        url = f"http://127.0.0.1:{port}"
        client = stack.enter_context(httpx.Client(base_url=url, timeout=120))
        api = AirflowApi(url, client, home / f"{API_SERVER}.log")
        gates = stack.enter_context(TemporaryDirectory(prefix="nacre-", dir="/var/tmp"))
        running = Deployment(api, home, environment, sagemaker, options, Path(gates))
        stack.callback(running.stop)
        for part in PARTS:
            running.start(part)
        server = running.parts[API_SERVER]
        wait_until(lambda: is_healthy(port), server, seconds=240, log=api.log_file)
        token = client.get("/auth/token").json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield running


def _environment(
    home: Path, orders: Path, dags: Path, database: str, port: int, sagemaker: LocalSageMaker
) -> dict[str, str]:
    variables = airflow_environment(home, local=True) | server_environment(port) | _SETTINGS
    del variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS"]  # they are SQLite's
    connection: dict[str, Any] = aws_connection(sagemaker)
    return variables | {
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{database}",
        # Processes that are started apart, and again, have to agree on them.
        "AIRFLOW__CORE__FERNET_KEY": urlsafe_b64encode(os.urandom(32)).decode(),
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(16),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
        "NACRE_POINTS": str(orders),
        "PORT": str(port),
    }
