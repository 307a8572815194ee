"""Run DAGs of this project in Airflow, one after another, in this process, and tell how it goes.

`python -m scripts.demo_run --settings FILE DAG_ID[=CONF] ...` with Airflow's environment set; CONF
is what the trigger form would give the run, as JSON.
Standard output carries one JSON object a line, an event each:

    {"event": "task", "dag": ..., "task": ..., "state": "running" | "success" | "failed",
        "error": why it failed, else null}
    {"event": "import_errors", "errors": {file: message}}
    {"event": "run", "dag": ..., "run_id": ..., "state": ..., "tasks": [{"task", "state",
        "start", "end" (ISO 8601 or null), "result" (the task's return value)}]}

What Airflow prints goes to standard error, and while a task runs to the task's own log file, so
that `make up` shows it: `dag.test()` itself keeps no logs.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from airflow.dag_processing.dagbag import BundleDagBag
from airflow.listeners import hookimpl
from airflow.models.taskinstance import TaskInstance
from airflow.models.trigger import Trigger
from airflow.sdk.listener import get_listener_manager

from scripts.load_settings import load
from scripts.settings import read_settings


class Events:
    """Writes events to the real standard output, whatever is printed elsewhere."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def send(self, event: str, **facts: Any) -> None:
        print(json.dumps({"event": event} | facts, default=str), file=self._out, flush=True)


class TaskLogs:
    """Sends standard output, to which all loggers write, to the log file of the running task."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, task_instance: Any) -> None:
        # Where Airflow's log handler looks by default ([logging] log_filename_template).
        file = (
            self._folder
            / f"dag_id={task_instance.dag_id}"
            / f"run_id={task_instance.run_id}"
            / f"task_id={task_instance.task_id}"
            / f"attempt={task_instance.try_number}.log"
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as log:
            _send_stdout_to(log.fileno())

    def end(self) -> None:
        _send_stdout_to(sys.stderr.fileno())


class TaskStates:
    """Airflow listener: an event whenever a task starts or ends. A resumed task starts again."""

    def __init__(self, events: Events, logs: TaskLogs) -> None:
        self._events = events
        self._logs = logs

    @hookimpl
    def on_task_instance_running(self, task_instance: Any) -> None:
        self._logs.begin(task_instance)
        self._tell(task_instance, "running")

    @hookimpl
    def on_task_instance_success(self, task_instance: Any) -> None:
        self._logs.end()
        self._tell(task_instance, "success")

    @hookimpl
    def on_task_instance_failed(self, task_instance: Any, error: object) -> None:
        # The log goes on: Airflow writes the exception after this.
        self._tell(task_instance, "failed", error)

    def _tell(self, task_instance: Any, state: str, error: object = None) -> None:
        self._events.send(
            "task",
            dag=task_instance.dag_id,
            task=task_instance.task_id,
            state=state,
            error=error and str(error),
        )


def main() -> int:
    events = Events(_take_stdout())
    arguments = _arguments()
    load(read_settings(arguments.settings))
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")
    if bag.import_errors:
        events.send("import_errors", errors=bag.import_errors)
        return 1
    logs = TaskLogs(Path(os.environ["AIRFLOW_HOME"], "logs"))
    states = TaskStates(events, logs)
    get_listener_manager().add_listener(states)  # type: ignore[no-untyped-call]
    for argument in arguments.dags:
        dag_id, _, conf = argument.partition("=")
        if not _run(bag.dags[dag_id], json.loads(conf or "{}"), events, logs):
            return 1
    return 0


def _run(dag: Any, conf: dict[str, Any], events: Events, logs: TaskLogs) -> bool:
    run = dag.test(run_conf=conf)
    logs.end()
    # dag.test() leaves the triggers of deferred tasks behind; the triggerer of a later `make up`
    # would start them, and then kill them.
    Trigger.clean_unused()
    tasks = [_task(instance) for instance in run.get_task_instances()]
    events.send("run", dag=dag.dag_id, run_id=run.run_id, state=str(run.state), tasks=tasks)
    return str(run.state) == "success"


def _task(instance: TaskInstance) -> dict[str, Any]:
    return {
        "task": instance.task_id,
        "state": str(instance.state),
        "start": instance.start_date and instance.start_date.isoformat(),
        "end": instance.end_date and instance.end_date.isoformat(),
        "result": instance.xcom_pull(task_ids=instance.task_id),
    }


def _take_stdout() -> TextIO:
    """The real standard output; from now on, prints and loggers write to standard error."""
    mine = os.fdopen(os.dup(1), "w", encoding="utf-8")
    _send_stdout_to(sys.stderr.fileno())
    return mine


def _send_stdout_to(descriptor: int) -> None:
    sys.stdout.flush()
    os.dup2(descriptor, sys.stdout.fileno())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("dags", nargs="+", metavar="DAG_ID[=CONF]")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
