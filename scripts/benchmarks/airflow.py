"""An Airflow of a benchmark's own, and what its REST API answers."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from scripts.airflow_env import ROOT, airflow_environment
from scripts.benchmarks.results import BrokenPromiseError
from scripts.ports import free_port
from scripts.stack import SETTINGS_FILE, LocalSageMaker
from scripts.standalone import load_settings, server_environment, standalone

PARSED_SECONDS = 120.0
LOOK_SECONDS = 0.5  # each answer costs Airflow some of the two cores


@dataclass(frozen=True)
class Airflow:
    """A running `airflow standalone`."""

    client: httpx.Client

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer of the REST API."""
        answer = self.client.request(method, f"/api/v2{path}", json=body)
        if not answer.is_success:
            raise BrokenPromiseError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run, once it is parsed."""
        deadline = time.monotonic() + PARSED_SECONDS
        while self.client.get(f"/api/v2/dags/{dag_id}").status_code != httpx.codes.OK:
            if time.monotonic() > deadline:
                raise BrokenPromiseError(f"{dag_id} is not parsed: {self.import_errors()}")
            time.sleep(0.2)
        self.call("PATCH", f"/dags/{dag_id}", {"is_paused": False})

    def import_errors(self) -> str:
        errors = self.call("GET", "/importErrors")["import_errors"]
        return "\n".join(error["stack_trace"] for error in errors)

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Start a run; its id."""
        body = {"logical_date": None, "conf": dict(conf or {})}
        return str(self.call("POST", f"/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}"))

    def wait_for(self, dag_id: str, run_id: str, *, seconds: float) -> dict[str, Any]:
        """The run, when it has succeeded."""
        deadline = time.monotonic() + seconds
        while (run := self.run(dag_id, run_id))["state"] not in ("success", "failed"):
            if time.monotonic() > deadline:
                raise BrokenPromiseError(f"{dag_id} {run_id} is {run['state']}: {self.tasks(run)}")
            time.sleep(LOOK_SECONDS)
        if run["state"] != "success":
            raise BrokenPromiseError(f"{dag_id} {run_id} has failed: {self.tasks(run)}")
        return run

    def tasks(self, run: Mapping[str, Any]) -> dict[str, str]:
        """The state of each task of a run."""
        path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
        found = self.call("GET", path)["task_instances"]
        return {task["task_id"]: task["state"] for task in found}


@contextmanager
def running_airflow(
    home: Path,
    service: LocalSageMaker,
    *,
    dags: Path = ROOT / "dags",
    packages: Path | None = None,
) -> Iterator[Airflow]:
    """Airflow in `home` as `make up` runs it, but for the calls a second, with the DAG files in
    `dags`; stopped after the block. Python packages in the folder `packages` come before those of
    the environment.
    """
    port = free_port()
    environment = airflow_environment(home, local=True) | server_environment(port)
    del environment["AIRFLOW__NACRE__CALLS_PER_SECOND"]  # as in an account: the default
    environment["AIRFLOW__CORE__DAGS_FOLDER"] = str(dags)
    if packages is not None:
        environment["PYTHONPATH"] = os.pathsep.join([str(packages), environment["PYTHONPATH"]])
    environment["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps(service.connection())
    load_settings(SETTINGS_FILE, environment)
    with (
        standalone(environment, port, home / "standalone.log"),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        token = client.get("/auth/token").json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield Airflow(client)
