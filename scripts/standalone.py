"""`airflow standalone`: all of Airflow's processes, with its UI and API on loopback."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scripts.airflow_env import ROOT, is_healthy
from scripts.processes import Child, NotReadyError, start, wait_until


def server_environment(port: int) -> dict[str, str]:
    """Variables for an Airflow whose UI and API listen at `port`."""
    return {
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__BASE_URL": f"http://localhost:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://localhost:{port}/execution/",
    }


def load_settings(path: Path, environment: Mapping[str, str]) -> None:
    """Connections, pools and variables into Airflow's database, which is made if it is missing.

    Pools matter most: a task whose pool does not exist waits for ever.
    """
    argv = [sys.executable, "-m", "scripts.load_settings", str(path)]
    done = subprocess.run(argv, env=environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise NotReadyError(f"{path} could not be loaded into Airflow:\n{done.stderr}")


@contextmanager
def standalone(environment: Mapping[str, str], port: int, log: Path) -> Iterator[Child]:
    """Airflow in `environment`, for the time of the block; every part of it reports when it begins.

    Raises NotReadyError with the end of its log when it cannot start.
    """
    argv = [sys.executable, "-m", "airflow", "standalone"]
    child = start("Airflow", argv, env=environment, log=log, cwd=ROOT, grace_seconds=30)
    try:
        wait_until(lambda: is_healthy(port), child, seconds=180, log=log)
        yield child
    finally:
        child.stop()
