"""A real Airflow for system tests, with all its processes, and the REST calls they need."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil

from scripts import stack
from scripts.airflow_env import ROOT, airflow_environment
from scripts.ports import free_port
from scripts.processes import start, tail
from scripts.standalone import load_settings, server_environment, standalone
from tests.support.local_sagemaker import LocalSageMaker

Json = Any
LOG = "standalone.log"

# So that a killed worker is noticed within a test's patience; Airflow's own default is 300 s.
HEARTBEATS = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
}


@dataclass(frozen=True)
class AirflowApi:
    """The REST API of a running Airflow, in the few words that the tests need."""

    url: str
    client: httpx.Client
    #: Of the API server.
    log_file: Path

    def call(self, method: str, path: str, **options: Json) -> Json:
        """What the API answers; raises httpx.HTTPStatusError on a refusal, with the answer and,
        where it is the server's own fault, the end of the server's log.
        """
        answer = self.client.request(method, f"/api/v2{path}", **options)
        self._check(answer)
        return answer.json() if answer.content else None

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        request = answer.request
        said = f"{request.method} {request.url.path}: {answer.status_code} {answer.text}"
        if answer.is_server_error:
            said += f"\nAirflow's log ends with:\n{tail(self.log_file, lines=100)}"
        raise httpx.HTTPStatusError(said, request=request, response=answer)

    def unpause(self, *dag_ids: str) -> None:
        """Let the DAGs run, as soon as they are parsed."""
        for dag_id in dag_ids:
            wait_for(partial(self.knows, dag_id), f"{dag_id} to be parsed", seconds=60)
            self.call("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def pause(self, *dag_ids: str) -> None:
        """Start no more runs of the DAGs; what triggers them is kept for later."""
        for dag_id in dag_ids:
            self.call("PATCH", f"/dags/{dag_id}", json={"is_paused": True})

    def trigger(self, dag_id: str, conf: Mapping[str, Json] | None = None) -> str:
        """Unpause the DAG, start a run; its run id."""
        self.unpause(dag_id)
        body = {"logical_date": None, "conf": dict(conf or {})}
        return str(self.call("POST", f"/dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def backfill(self, dag_id: str, first: str, last: str, **options: Json) -> None:
        """Unpause the DAG, run it for its dates from `first` to `last` (ISO 8601).

        `options` are those of POST /backfills: max_active_runs, reprocess_behavior, dag_run_conf.
        Waits for the DAG's backfill before this one: Airflow refuses a second one, and notices
        up to half a minute late that the first is over.
        """
        self.unpause(dag_id)
        wait_for(lambda: not self._backfills(dag_id), f"{dag_id}'s backfill to end", seconds=90)
        dates = {"from_date": first, "to_date": last}
        self.call("POST", "/backfills", json={"dag_id": dag_id, **dates, **options})

    def _backfills(self, dag_id: str) -> list[Json]:
        """The DAG's backfills that are not over."""
        found = self.call("GET", "/backfills", params={"dag_id": dag_id})["backfills"]
        return [backfill for backfill in found if backfill["completed_at"] is None]

    def runs(self, dag_id: str, **filters: Json) -> list[Json]:
        """The DAG's runs, the oldest first; filters are those of GET dagRuns (run_type, ...)."""
        params = {"order_by": "run_after", "limit": 100, **filters}
        return list(self.call("GET", f"/dags/{dag_id}/dagRuns", params=params)["dag_runs"])

    def questions(self) -> list[Json]:
        """What people are asked and have not answered: the page Required Actions."""
        path = "/dags/~/dagRuns/~/hitlDetails"
        found = self.call("GET", path, params={"response_received": False})
        return list(found["hitl_details"])

    def answer(self, question: Json, option: str, inputs: Mapping[str, Json] | None = None) -> None:
        """Choose an option of one of the `questions`, as a person does in the UI: some time after
        it was asked. An answer that comes before the scheduler has noticed that the asking worker
        has ended makes Airflow 3.3.2 take the task for lost, and ask again.
        """
        asked = question["task_instance"]
        place = [f"{key}={asked[key]}" for key in ("dag_id", "task_id")]
        ended = ", ".join(
            [*place, f"run_id={asked['dag_run_id']}", f"map_index={asked['map_index']}"]
        )
        log = self.log_file
        wait_for(
            lambda: f"TaskInstance Finished: {ended}," in log.read_text(errors="replace"),
            f"the end of the worker that asks: {ended}",
            seconds=60,
        )
        self.call(
            "PATCH",
            f"/dags/{asked['dag_id']}/dagRuns/{asked['dag_run_id']}/taskInstances"
            f"/{asked['task_id']}/{asked['map_index']}/hitlDetails",
            json={"chosen_options": [option], "params_input": dict(inputs or {})},
        )

    def events(self, asset: str) -> list[Json]:
        """The events of an asset, by its name, the oldest first."""
        params = {"asset_id": self._asset_id(asset), "order_by": "timestamp", "limit": 100}
        return list(self.call("GET", "/assets/events", params=params)["asset_events"])

    def announce(self, asset: str, extra: Mapping[str, Json]) -> None:
        """Emit an event of an asset, as a program outside of Airflow does."""
        body = {"asset_id": self._asset_id(asset), "extra": dict(extra)}
        self.call("POST", "/assets/events", json=body)

    def _asset_id(self, name: str) -> int:
        found = self.call("GET", "/assets", params={"name_pattern": name, "limit": 100})["assets"]
        (asset_id,) = (int(asset["id"]) for asset in found if asset["name"] == name)
        return asset_id

    def knows(self, dag_id: str) -> bool:
        return self.client.get(f"/api/v2/dags/{dag_id}").status_code == httpx.codes.OK

    def import_errors(self) -> str:
        return "\n".join(
            error["stack_trace"] for error in self.call("GET", "/importErrors")["import_errors"]
        )

    def run_state(self, dag_id: str, run_id: str) -> str:
        return str(self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def task(self, dag_id: str, run_id: str, task_id: str) -> Json:
        return self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}")

    def states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """The state of each task of a run, by task id."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        tasks = self.call("GET", path)["task_instances"]
        return {task["task_id"]: task["state"] for task in tasks}

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1) -> str:
        """The log of one try, as text."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        answer = self.client.get(
            f"/api/v2{path}",
            params={"full_content": "true"},
            headers={"Accept": "application/json"},
        )
        self._check(answer)
        content = answer.json()["content"]
        return "\n".join(entry if isinstance(entry, str) else _line(entry) for entry in content)

    def clear(self, dag_id: str, run_id: str, task_id: str) -> None:
        """What the Clear button does, for one task."""
        body = {
            "dry_run": False,
            "task_ids": [task_id],
            "dag_run_id": run_id,
            "only_failed": False,
            "reset_dag_runs": True,
        }
        self.call("POST", f"/dags/{dag_id}/clearTaskInstances", json=body)

    def xcom(
        self,
        dag_id: str,
        run_id: str,
        task_id: str,
        key: str = "return_value",
        *,
        map_index: int = -1,
    ) -> Json:
        """What a task has left."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        return self.call("GET", path, params={"deserialize": True, "map_index": map_index})["value"]

    def mark(self, dag_id: str, run_id: str, task_id: str, state: str) -> None:
        """What "Mark state as..." does."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        self.call("PATCH", path, json={"new_state": state})

    def wait_run(self, dag_id: str, run_id: str, *, seconds: float = 120) -> str:
        """Wait for the end of a run; its state."""
        wait_for(
            lambda: self.run_state(dag_id, run_id) in ("success", "failed"),
            f"the end of {dag_id} {run_id}, tasks {{}}",
            seconds=seconds,
            facts=lambda: self.states(dag_id, run_id),
        )
        return self.run_state(dag_id, run_id)

    def wait_task(
        self, dag_id: str, run_id: str, task_id: str, *states: str, seconds: float = 90
    ) -> Json:
        """Wait until the task is in one of the states; the task instance."""
        wait_for(
            lambda: self.task(dag_id, run_id, task_id)["state"] in states,
            f"{task_id} to be {' or '.join(states)}, tasks {{}}",
            seconds=seconds,
            facts=lambda: self.states(dag_id, run_id),
        )
        return self.task(dag_id, run_id, task_id)


@dataclass(frozen=True)
class Airflow(AirflowApi):
    """`airflow standalone`: its processes and its REST API."""

    home: Path
    #: Of `airflow standalone`; every other process of Airflow descends from it.
    pid: int
    environment: Mapping[str, str]
    #: What the tests started beside it, to be ended with it.
    helpers: ExitStack

    def processes(self) -> list[psutil.Process]:
        """Every process of Airflow but the one at the root."""
        return psutil.Process(self.pid).children(recursive=True)

    def start_triggerer(self) -> None:
        """Another triggerer, in place of one that was killed: standalone starts none anew."""
        argv = [sys.executable, "-m", "airflow", "triggerer", "--skip-serve-logs"]
        log = self.home / "triggerer.log"
        child = start("triggerer", argv, env=self.environment, log=log, cwd=ROOT)
        self.helpers.callback(child.stop)


def _line(entry: Mapping[str, Json]) -> str:
    """A log entry as the UI shows it: what happened, and the exceptions' messages."""
    errors = [
        f"{error['exc_type']}: {error['exc_value']}" for error in entry.get("error_detail") or ()
    ]
    return "\n".join([str(entry.get("event", "")), *errors])


def wait_for(
    condition: Callable[[], bool],
    what: str,
    *,
    seconds: float,
    facts: Callable[[], Json] = dict,
) -> None:
    """Wait until the condition holds; fails the test with `what` and the facts when it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s for {what.format(facts())}")
        time.sleep(0.3)  # each look costs the API server a little of what all share


def aws_connection(sagemaker: LocalSageMaker) -> Json:
    """What `aws_default` is where the service stands for AWS."""
    return stack.aws_connection(sagemaker.endpoint, sagemaker.s3_endpoint, "us-east-1")


@contextmanager
def running_airflow(
    home: Path, dags: Path, *, connections: Mapping[str, Json]
) -> Iterator[Airflow]:
    """`airflow standalone` in `home` with the DAG files in `dags`, until the end of the block.

    `connections` are Airflow's, by id, in the words of its JSON form; they win over those of the
    project's settings file, which is loaded.
    """
    port = free_port()
    variables = airflow_environment(home, local=True) | server_environment(port) | HEARTBEATS
    variables |= {
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        # A 500 says what happened, not only where it is logged.
        "AIRFLOW__API__EXPOSE_STACKTRACE": "True",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "1",
        # At 0.1 s, as `make up` has it, an idle scheduler takes a seventh of a core from the jobs.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
    }
    for conn_id, connection in connections.items():
        variables[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps(connection)
    load_settings(stack.SETTINGS_FILE, variables)
    with (
        standalone(variables, port, home / LOG) as child,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=90) as client,
        ExitStack() as helpers,
    ):
        token = client.get("/auth/token").json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        url, pid = f"http://localhost:{port}", child.process.pid
        yield Airflow(url, client, home / LOG, home, pid, variables, helpers)
