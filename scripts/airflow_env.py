"""The environment in which this project's Airflow runs on this machine, and whether it is up."""

import json
import os
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Why each is not Airflow's default:
_SETTINGS = {
    # The project's own DAGs are enough to look at.
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    # One person on loopback: a login page would only be in the way.
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    # 32 worker processes by default: 40 processes and 1 GB on a laptop.
    "AIRFLOW__CORE__PARALLELISM": "4",
    # Between two looks of the scheduler; the default of 1 s is most of a short task's time.
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
    # How late Airflow 3.3.2 may notice that a worker's process has ended (5 s by default). A task
    # that was deferred and runs again by then, as after a local job of a few seconds, is taken for
    # lost; if it fails in that moment, the scheduler dies of it.
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    # Without it, four of five backfills are refused: "Database is locked".
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS": "scripts.sqlite.CONNECT_ARGS",
    # A saved DAG file shows in the UI within seconds. (One that has not changed is parsed again
    # after 30 s; more often, and the parsing takes a fifth of two cores from the jobs.)
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
    # Part of every job's name: the same for the demo and for `make up`, whatever the port.
    "AIRFLOW__NACRE__INSTALLATION": "this-machine",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}

_LOCAL_SETTINGS = {
    # No account's limits on calls are shared here, and jobs take seconds.
    "AIRFLOW__NACRE__CALLS_PER_SECOND": "20",
}


def airflow_environment(home: Path, *, local: bool) -> dict[str, str]:
    """Variables for an Airflow whose database and logs lie in `home`.

    The virtual environment's programs come first on PATH, because `airflow standalone` starts
    the word `airflow`; the project's root is on PYTHONPATH, because DAGs import `include`.
    With `local`, for the local SageMaker, no AWS profile, key or endpoint of the caller's shell
    reaches the run.
    """
    programs = str(Path(sys.executable).parent)
    inherited = {name: value for name, value in os.environ.items() if not _foreign(name, local)}
    return (
        inherited
        | _SETTINGS
        | (_LOCAL_SETTINGS if local else {})
        | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "PATH": f"{programs}{os.pathsep}{inherited.get('PATH', os.defpath)}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",
        }
    )


def _foreign(name: str, local: bool) -> bool:
    """Another Airflow's settings never belong here; AWS settings only on the way to AWS."""
    return name.startswith("AIRFLOW_") or (local and name.startswith("AWS_"))


PARTS = ("scheduler", "triggerer", "dag_processor")


def is_healthy(port: int) -> bool:
    """Whether scheduler, triggerer and DAG processor all report to the API server at `port`."""
    return not silent_parts(port)


def silent_parts(port: int) -> tuple[str, ...]:
    """Which of Airflow's parts do not report to the API server at `port`; all, if it is silent."""
    url = f"http://127.0.0.1:{port}/api/v2/monitor/health"
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            parts = json.load(answer)
    except OSError:
        # Not listening yet, or (an HTTPError is an OSError) not ready to answer.
        return PARTS
    return tuple(name for name in PARTS if (parts.get(name) or {}).get("status") != "healthy")
