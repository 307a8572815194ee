"""The command line: `python -m include.nacre COMMAND`."""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from include.nacre.definition.faults import WHOLE, DefinitionError, Fault
from include.nacre.definition.reader import read_pipeline

# Many times the longest definition; keeps a wrong file out of memory.
LARGEST_FILE = 16 * 1024 * 1024


class Command(NamedTuple):
    """A subcommand: how it is called, and what it does; `run` returns the exit status."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], object]
    run: Callable[[argparse.Namespace], int]


class UnreadableFile(Exception):  # noqa: N818 - what a user is told
    """A file holds no text; the message says why."""


def read_text(path: Path) -> str:
    """Return the text of a definition file."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}") from None
    if len(content) > LARGEST_FILE:
        raise UnreadableFile(f"larger than {LARGEST_FILE >> 20} MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"not UTF-8 text: byte {error.start} is wrong") from None


def check(options: argparse.Namespace) -> int:
    """Print all faults of all files."""
    counts = [_check_file(path) for path in options.files]
    if any(counts):
        bad = sum(count > 0 for count in counts)
        print(f"\n{_plural(sum(counts), 'fault')} in {bad} of {_plural(len(counts), 'file')}")
    return 1 if any(counts) else 0


def _check_file(path: Path) -> int:
    # botocore is loaded only where it is needed.
    from include.nacre.check import check_definition

    try:
        text = read_text(path)
    except UnreadableFile as error:
        return _print_faults(path, [Fault(WHOLE, str(error))])
    checked = check_definition(text, path.stem)
    if checked.survey.pipeline is not None and not checked.faults:
        steps = _plural(len(checked.survey.pipeline.all_steps), "step")
        print(f"{path}: OK, {steps}, {_plural(len(checked.survey.parameters), 'parameter')}")
    return _print_faults(path, checked.faults)


def _print_faults(path: Path, faults: Sequence[Fault]) -> int:
    for fault in faults:
        print(f"{path}: {fault}")
    return len(faults)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def plan(options: argparse.Namespace) -> int:
    """Print the task plan of a definition."""
    try:
        pipeline = read_pipeline(read_text(options.file), options.file.stem)
    except UnreadableFile as error:
        return _print_faults(options.file, [Fault(WHOLE, str(error))])
    except DefinitionError as error:
        return min(1, _print_faults(options.file, error.faults))
    from include.nacre.dag.show import plan_text

    print(plan_text(pipeline))
    return 0


COMMANDS = (
    Command(
        "check",
        "print every fault of definition files, requests to AWS included",
        lambda parser: parser.add_argument("files", metavar="FILE", nargs="+", type=Path),
        check,
    ),
    Command(
        "plan",
        "print the Airflow tasks that a definition becomes",
        lambda parser: parser.add_argument("file", metavar="FILE", type=Path),
        plan,
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser("python -m include.nacre", description=__doc__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        subparser = commands.add_parser(command.name, help=command.help)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    options = parser.parse_args(arguments)
    result: int = options.run(options)
    return result


def _main() -> int:
    # A definition may hold text that the terminal cannot show.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


if __name__ == "__main__":
    sys.exit(_main())
