"""`make up`: Airflow with its UI beside the local SageMaker, until Ctrl-C."""

import argparse
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from scripts.airflow_env import ROOT, airflow_environment, silent_parts
from scripts.lock import TakenError, only_airflow
from scripts.processes import Child, NotReadyError, tail, turn_signals_into_exit
from scripts.settings import Settings, SettingsError, read_settings
from scripts.stack import SETTINGS_FILE, STATE, local_sagemaker
from scripts.standalone import load_settings, server_environment, standalone

_LOOK_SECONDS = 10.0  # between two looks at whether all of Airflow's parts report


def main() -> int:
    arguments = _arguments()
    turn_signals_into_exit()
    try:
        with ExitStack() as stack:
            _run(arguments, stack)
    except KeyboardInterrupt:
        print("\nStopped; no process is left behind.")
        return 0
    except (NotReadyError, SettingsError, TakenError) as error:
        print(f"make up: {error}", file=sys.stderr)
        return 1
    return 1


def _run(arguments: argparse.Namespace, stack: ExitStack) -> None:
    settings = read_settings(arguments.settings)
    stack.enter_context(only_airflow(arguments.state, "make up"))
    _require_free(arguments.port)
    sagemaker = _sagemaker(arguments.state, settings, stack)
    airflow = _airflow(arguments, settings, stack)
    _banner(arguments, sagemaker)
    _watch(airflow, arguments)
    log = arguments.state / "airflow.log"
    raise NotReadyError(f"Airflow ended by itself. {log} ends with:\n{tail(log)}")


def _watch(airflow: Child, arguments: argparse.Namespace) -> None:
    """Wait for Airflow's end. Its standalone goes on when one of its processes dies, and nothing
    in the UI says so: tasks just stay as they are.
    """
    silent: set[str] = set()
    looked = time.monotonic()
    while airflow.alive:
        time.sleep(0.5)
        if time.monotonic() - looked < _LOOK_SECONDS:
            continue
        looked, before, silent = time.monotonic(), silent, set(silent_parts(arguments.port))
        for part in sorted(silent - before):
            print(
                f"  Airflow's {part} does not report. If it has died ({_short(arguments.state)}"
                "/airflow.log says so), press Ctrl-C and start anew: make up",
                flush=True,
            )


def _sagemaker(state: Path, settings: Settings, stack: ExitStack) -> str:
    """Where the jobs will run, in words."""
    ports = settings.local_ports()
    if ports is None:
        return "AWS, as connection aws_default says"
    print("Starting the local SageMaker ...", flush=True)
    service = stack.enter_context(local_sagemaker(state, ports))
    return f"{service.endpoint}/console/" + ("" if service.child else "  (was running already)")


def _airflow(arguments: argparse.Namespace, settings: Settings, stack: ExitStack) -> Child:
    home, log = arguments.state / "airflow", arguments.state / "airflow.log"
    environment = airflow_environment(home, local=settings.local_ports() is not None)
    environment |= server_environment(arguments.port)
    print(
        "Loading connections, pools and variables from", arguments.settings.name, "...", flush=True
    )
    load_settings(arguments.settings, environment)
    print("Starting Airflow (about half a minute) ...", flush=True)
    log.unlink(missing_ok=True)
    airflow = stack.enter_context(standalone(environment, arguments.port, log))
    stack.callback(print, "\nStopping Airflow ...", flush=True)
    return airflow


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise NotReadyError(
                f"port {port} is taken by another program. Stop it, or choose: make up PORT=8081"
            ) from error


def _banner(arguments: argparse.Namespace, sagemaker: str) -> None:
    print(
        f"""
  Airflow    http://localhost:{arguments.port}          (no login)
  SageMaker  {sagemaker}
  Logs       {_short(arguments.state)}/airflow.log, {_short(arguments.state)}/sagemaker.log

  Unpause abalone_training, model_approval and abalone_scoring, then trigger abalone_ingest with
  HistoryDays 29: the data trains a model, you approve it (Required Actions), it scores the batch.
  Ctrl-C stops everything.
""",
        flush=True,
    )


def _short(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make up", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="of Airflow's UI and API")
    parser.add_argument("--settings", type=Path, default=SETTINGS_FILE)
    parser.add_argument("--state", type=Path, default=STATE, help="databases, objects, logs")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
