"""`sweep`: what this Airflow has started on SageMaker, and no task waits for any more."""

import argparse
import os
import sys
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from include.nacre.commands.aws import explained
from include.nacre.commands.command import Command, CommandError
from include.nacre.commands.options import add_region

if TYPE_CHECKING:
    from include.nacre.dag.sweep import Report

LONGEST_GRACE = 365 * 24 * 60
"""Minutes. A job runs for a month at most."""


def sweep(options: argparse.Namespace) -> int:
    """Print what belongs to no task any more, and stop it if wanted; status 1 if any of it still
    runs.
    """
    _require_airflow()
    with redirect_stdout(sys.stderr):  # what Airflow says is no part of our output
        report = _swept(options)
    for line in report.lines():
        print(line)
    return 1 if report.left or report.unseen else 0


def _swept(options: argparse.Namespace) -> "Report":
    from include.nacre.dag.aws import Account
    from include.nacre.dag.deployment import installation
    from include.nacre.dag.ledger import states_in_database
    from include.nacre.dag.sweep import SweepRefusedError, sweep_of

    name = installation()
    _require_its_database(name)
    _tell(f"Airflow {name!r}")
    grace = timedelta(minutes=options.grace)
    account = Account(None, options.region)
    with explained():
        try:
            return sweep_of(account, states_in_database, _tell, grace).run(stop=options.stop)
        except SweepRefusedError as error:
            raise CommandError(str(error)) from None


def _require_airflow() -> None:
    """Make sure that it is a deployment's settings that Airflow reads, before it makes new ones."""
    usual = Path.home() / "airflow"
    if not {"AIRFLOW_HOME", _DATABASE} & os.environ.keys() and not usual.is_dir():
        raise CommandError(
            f"The sweep asks the database of an Airflow, and there is none in {usual}. Run it where"
            f" the scheduler runs, or set AIRFLOW_HOME or {_DATABASE}."
        )
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")


_DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


def _require_its_database(name: str) -> None:
    """Make sure that the database is one of an Airflow in use: a new one knows no task, and all
    that runs would be astray.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from include.nacre.dag.ledger import has_run_anything

    try:
        in_use = has_run_anything()
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise CommandError(f"Airflow's database cannot be asked: {reason}") from None
    if not in_use:
        raise CommandError(
            f"This Airflow ({name!r}) has never run a DAG, so it can have started nothing: is"
            f" AIRFLOW_HOME, or {_DATABASE}, that of the deployment?"
        )


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_region(parser)
    parser.add_argument("--stop", action="store_true", help="stop what is found")
    parser.add_argument(
        "--grace",
        metavar="MINUTES",
        type=_minutes,
        default=10,
        help="leave alone what is younger (10)",
    )


def _minutes(text: str) -> int:
    if not text.isdecimal() or int(text) > LONGEST_GRACE:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no whole number of minutes, at most {LONGEST_GRACE}"
        )
    return int(text)


SWEEP = Command(
    "sweep", "find jobs that this Airflow has started and that belong to no task", _arguments, sweep
)
