"""`make local`: the local SageMaker alone, at the ports that airflow_settings.yaml names."""

import os
import sys

from scripts.airflow_env import ROOT
from scripts.settings import SettingsError, read_settings
from scripts.stack import SETTINGS_FILE, STATE, service_command


def main() -> int:  # noqa: RET503  (execv does not return)
    try:
        ports = read_settings(SETTINGS_FILE).local_ports()
    except SettingsError as error:
        print(f"make local: {error}", file=sys.stderr)
        return 1
    if ports is None:
        print(
            "make local: connection aws_default in airflow_settings.yaml points at AWS, not at "
            "this machine. Run `python -m include.nacre.local --help` to choose ports yourself.",
            file=sys.stderr,
        )
        return 1
    os.chdir(ROOT)
    # Become the service: a signal to `make local` then reaches it, and nothing stands between.
    os.execv(sys.executable, service_command(STATE, ports))  # noqa: S606


if __name__ == "__main__":
    raise SystemExit(main())
