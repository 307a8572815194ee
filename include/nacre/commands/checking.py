"""`check` and `plan`: what is wrong with definition files, and what Airflow makes of them."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from include.nacre.commands.command import Command, counted
from include.nacre.commands.files import UnreadableFile, read_text
from include.nacre.definition.faults import WHOLE, DefinitionError, Fault
from include.nacre.definition.reader import read_pipeline


def check(options: argparse.Namespace) -> int:
    """Print all faults of all files."""
    counts = [_check_file(path) for path in options.files]
    if any(counts):
        bad = sum(count > 0 for count in counts)
        print(f"\n{counted(sum(counts), 'fault')} in {bad} of {counted(len(counts), 'file')}")
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
        steps = counted(len(checked.survey.pipeline.all_steps), "step")
        print(f"{path}: OK, {steps}, {counted(len(checked.survey.parameters), 'parameter')}")
    return _print_faults(path, checked.faults)


def _print_faults(path: Path, faults: Sequence[Fault]) -> int:
    for fault in faults:
        print(f"{path}: {fault}")
    return len(faults)


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


CHECK = Command(
    "check",
    "print every fault of definition files, requests to AWS included",
    lambda parser: parser.add_argument("files", metavar="FILE", nargs="+", type=Path),
    check,
)
PLAN = Command(
    "plan",
    "print the Airflow tasks that a definition becomes",
    lambda parser: parser.add_argument("file", metavar="FILE", type=Path),
    plan,
)
