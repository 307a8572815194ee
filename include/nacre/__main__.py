"""The command line: `python -m include.nacre COMMAND`."""

import argparse
import io
import os
import sys
from collections.abc import Sequence

from include.nacre.commands.checking import CHECK, PLAN
from include.nacre.commands.command import INTERRUPTED, CommandError
from include.nacre.commands.rendering import LIST, PULL, RENDER
from include.nacre.commands.starting import START
from include.nacre.commands.sweeping import SWEEP
from include.nacre.commands.upserting import UPSERT

COMMANDS = (CHECK, PLAN, LIST, RENDER, UPSERT, START, PULL, SWEEP)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser("python -m include.nacre", description=__doc__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        description = f"{command.help[0].upper()}{command.help[1:]}."
        subparser = commands.add_parser(command.name, help=command.help, description=description)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    options = parser.parse_args(arguments)
    try:
        result: int = options.run(options)
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    return result


def _main() -> int:
    # A definition may hold text that the terminal cannot show.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


if __name__ == "__main__":
    sys.exit(_main())
