"""Who this Airflow is: what its config says, and what a running task is called."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from airflow.sdk import Context
from airflow.sdk.configuration import conf

from include.nacre.dag.identity import TaskKey
from include.nacre.dag.launch import Intent


def installation() -> str:
    """Return what tells this deployment's jobs from those of another one in the same account.

    Airflow's config `[nacre] installation` (AIRFLOW__NACRE__INSTALLATION), else the address of
    its API server (`[api] base_url`). Jobs that run while it changes are not found again.
    """
    configured = conf.get("nacre", "installation", fallback="") or ""
    return configured or conf.get("api", "base_url", fallback="") or "airflow"


def is_named() -> bool:
    """Say whether `installation` is surely this deployment's own: not what every Airflow on a
    laptop is called.
    """
    if conf.get("nacre", "installation", fallback=""):
        return True
    host = urlsplit(conf.get("api", "base_url", fallback="") or "").hostname
    return host is not None and host not in _EVERYWHERE


_EVERYWHERE = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 (only compared)


def task_key(context: Context) -> TaskKey:
    """Return the key of the running task instance."""
    ti: Any = context["ti"]
    return TaskKey(installation(), ti.dag_id, ti.run_id, ti.task_id, _map_index(ti))


def _map_index(ti: Any) -> int:
    return -1 if ti.map_index is None else int(ti.map_index)


def run_map_index(context: Context) -> int:
    """Return the index of the task group's instance that the task runs in; -1 outside of one."""
    group = context["task"].get_closest_mapped_task_group()
    return _map_index(context["ti"]) if group is not None else -1


class TaskStore:
    """The state store of the running task: it survives retries, deferral and the worker's death.

    Airflow before 3.3 has none. Then nothing is kept, and every try finds its job by its name.
    """

    KEY = "nacre_job"

    def __init__(self, context: Context) -> None:
        self._store = context.get("task_state_store")

    @property
    def durable(self) -> bool:
        return self._store is not None

    def load(self) -> Intent | None:
        return Intent.from_record(self.get(self.KEY))

    def save(self, intent: Intent) -> None:
        self.set(self.KEY, intent.to_record())

    def get(self, key: str) -> Any:
        """Return what was kept under a key, or None."""
        return self._store.get(key) if self._store is not None else None

    def set(self, key: str, value: Any, retention: timedelta | None = None) -> None:
        """Keep JSON under a key, for as long as this Airflow keeps state, or for `retention`."""
        if self._store is not None:
            self._store.set(key, value, retention=retention)
