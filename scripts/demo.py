"""`make demo`: land the data, run the pipeline in Airflow to the end, say what came of it."""

import argparse
import json
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from scripts.airflow_env import ROOT, airflow_environment
from scripts.demo_facts import INGEST, TRAINING, gather
from scripts.demo_report import faults, text
from scripts.lock import TakenError, only_airflow
from scripts.processes import NotReadyError, tail, turn_signals_into_exit
from scripts.settings import LocalPorts, SettingsError, read_settings
from scripts.stack import SETTINGS_FILE, STATE, local_sagemaker

# The date and the days before it: every shell of the bundled data set, once.
MONTH = {"HistoryDays": 29}


class DemoError(Exception):
    """The demo cannot go on; the message says why and where to look."""


def main() -> int:
    arguments = _arguments()
    turn_signals_into_exit()
    try:
        return _demo(arguments.settings, arguments.state.resolve())
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130
    except (DemoError, NotReadyError, SettingsError, TakenError) as error:
        print(f"\nmake demo: {error}", file=sys.stderr)
        return 1


def _demo(settings_file: Path, state: Path) -> int:
    began = time.monotonic()
    ports = _local_ports(settings_file)
    with ExitStack() as stack:
        stack.enter_context(only_airflow(state, "make demo"))
        print("Starting the local SageMaker and Airflow ...", flush=True)
        service = stack.enter_context(local_sagemaker(state, ports))
        runs = _run_dags(settings_file, state)
        demo = gather(service, state, runs)
    print(f"\n{text(demo)}\n\nAll of it took {time.monotonic() - began:.0f} s.")
    for fault in (wrong := faults(demo)):
        print(f"make demo: {fault}", file=sys.stderr)
    return 1 if wrong else 0


def _local_ports(settings_file: Path) -> LocalPorts:
    ports = read_settings(settings_file).local_ports()
    if ports is None:
        raise DemoError(
            f"connection aws_default in {settings_file.name} points at AWS; the demo runs on this "
            "machine alone. See docs/on-aws.md for running the same DAGs on AWS."
        )
    return ports


def _run_dags(settings_file: Path, state: Path) -> dict[str, Any]:
    """Run both DAGs, showing each task as it ends; the `run` events by DAG id."""
    log = state / "demo.log"
    argv = [sys.executable, "-m", "scripts.demo_run", "--settings", str(settings_file)]
    environment = airflow_environment(state / "airflow", local=True)
    environment["AIRFLOW__LOGGING__JSON_LOGS"] = "True"  # the form of task logs that the UI reads
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [*argv, f"{INGEST}={json.dumps(MONTH)}", TRAINING],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as airflow,
    ):
        try:
            runs = _follow(airflow)
        except KeyboardInterrupt:
            # Ctrl-C reached Airflow too, whose tasks stop their jobs on the way out.
            airflow.wait(30)
            raise
    if TRAINING not in runs:
        raise DemoError(f"{_ended_early(runs)}. {log} ends with:\n{tail(log)}")
    return runs


def _ended_early(runs: dict[str, Any]) -> str:
    failed = [
        f"{dag_id}.{task['task']}"
        for dag_id, run in runs.items()
        for task in run["tasks"]
        if task["state"] == "failed"
    ]
    return f"{', '.join(failed)} failed" if failed else "Airflow ended early"


def _follow(airflow: "subprocess.Popen[str]") -> dict[str, Any]:
    progress = Progress()
    runs: dict[str, Any] = {}
    for line in airflow.stdout or ():
        match json.loads(line):
            case {"event": "task"} as event:
                progress.task(event["dag"], event["task"], event["state"], event["error"])
            case {"event": "run", "dag": dag_id} as event:
                runs[dag_id] = event
            case {"event": "import_errors", "errors": errors}:
                raise DemoError("\n".join(f"{file}:\n{said}" for file, said in errors.items()))
    return runs


class Progress:
    """Prints a line for each task as it ends, under its DAG's name."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._dag = ""

    def task(self, dag_id: str, task_id: str, state: str, error: str | None) -> None:
        if dag_id != self._dag:
            self._dag = dag_id
            print(f"\n{dag_id}", flush=True)
        if state == "running":
            # A task that deferred starts a second time: it began at the first.
            self._began.setdefault(f"{dag_id}.{task_id}", time.monotonic())
            self._transient(f"  … {task_id}")
        else:
            took = time.monotonic() - self._began.pop(f"{dag_id}.{task_id}", time.monotonic())
            mark = "✓" if state == "success" else "✗"
            self._transient("")
            print(f"  {mark} {task_id:<24}{took:6.1f} s", flush=True)
        if error:
            print("\n".join(f"      {line}" for line in error.splitlines()), flush=True)

    def _transient(self, line: str) -> None:
        """A line that the next one replaces; only where a person looks on."""
        if sys.stdout.isatty():
            print(f"\r\033[K{line}", end="", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--settings", type=Path, default=SETTINGS_FILE)
    parser.add_argument("--state", type=Path, default=STATE, help="databases, objects, logs")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
