"""`--defaults FILE`: what the Airflow variable `nacre_defaults` holds, for pipelines that are sent
without Airflow.
"""

import argparse
import json
from pathlib import Path

from include.nacre.commands.command import CommandError
from include.nacre.commands.files import UnreadableFile, read_text
from include.nacre.definition.jobdefaults import JobDefaults, JobDefaultsError, read_job_defaults


def add_defaults(parser: argparse.ArgumentParser) -> None:
    """Let a command take the defaults for all steps."""
    parser.add_argument(
        "--defaults",
        metavar="FILE",
        type=Path,
        help="defaults for all steps, JSON: what the Airflow variable nacre_defaults has",
    )


def given_defaults(options: argparse.Namespace) -> JobDefaults:
    """Return the defaults that were given. Raises CommandError with all that is wrong with them."""
    file: Path | None = options.defaults
    if file is None:
        return JobDefaults()
    try:
        return read_job_defaults(json.loads(read_text(file)), str(file))
    except UnreadableFile as error:
        raise CommandError(f"{file}: {error}") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise CommandError(f"{file}: not JSON: {place}: {error.msg}") from None
    except JobDefaultsError as error:
        raise CommandError(str(error)) from None
