"""`render`, `pull` and `list`: definitions as the service has them or would get them."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from include.nacre.commands.aws import clients, explained
from include.nacre.commands.command import Command, CommandError, counted
from include.nacre.commands.defaults import add_defaults, given_defaults
from include.nacre.commands.options import a_folder, add_region, add_site
from include.nacre.commands.targets import TARGET_HELP, Targets, targets
from include.nacre.definition.merging import with_job_defaults
from include.nacre.definition.records import Pipeline

INDENT = 2


def render(options: argparse.Namespace) -> int:
    """Print definitions as they would be sent, or write each to a file."""
    defaults = given_defaults(options)
    pipelines = [with_job_defaults(item, defaults) for item in _wanted(options)]
    if options.output:
        _write(pipelines, options.output)
    elif len(pipelines) == 1:
        print(json.dumps(pipelines[0], indent=INDENT))
    else:
        names = ", ".join(pipeline.name for pipeline in pipelines)
        raise CommandError(f"there are several, {names}: name one, or give --output FOLDER")
    return 0


def _wanted(options: argparse.Namespace) -> list[Pipeline]:
    known = targets(options)
    if not options.names:
        return known.all()
    return [pipeline for name in options.names for pipeline in _meant(known, name)]


def _meant(known: Targets, name: str) -> list[Pipeline]:
    is_file = name.endswith(".py") and not name.endswith("pipeline.py")
    pipeline = None if is_file else known.find(name)
    if pipeline is not None:
        return [pipeline]
    from include.nacre.commands.dags import pipelines_in

    return pipelines_in(name, others=known.names())


def _write(pipelines: Sequence[Pipeline], folder: Path) -> None:
    if twice := sorted(
        {p.name for p in pipelines if [q.name for q in pipelines].count(p.name) > 1}
    ):
        raise CommandError(f"several pipelines have the name {', '.join(twice)}")
    for pipeline in pipelines:
        file = folder / f"{pipeline.name}.json"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(pipeline, indent=INDENT) + "\n", encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}") from None
        print(file)


def pull(options: argparse.Namespace) -> int:
    """Print the definition that the account has of a pipeline, or that an execution ran."""
    from include.nacre.native.pull import pull as pulled

    with explained():
        found = pulled(clients(options).sagemaker, options.name)
    print(json.dumps(json.loads(found.definition), indent=INDENT))
    return 0


def list_all(options: argparse.Namespace) -> int:
    """Print what pipelines there are, then what is wrong with broken ones."""
    lines, faults = listed(targets(options))
    for line in lines:
        print(line)
    if faults:
        raise CommandError("\n".join(faults))
    return 0


def listed(known: Targets) -> tuple[list[str], list[str]]:
    """Return a line for each pipeline of the project, and the faults of those that have any."""
    lines, faults = [], []
    for name in known.names():
        try:
            lines.append(f"{name}: {_facts(known.one(name))}")
        except CommandError as error:
            faults.append(f"{name}: {error}")
    return lines, faults


def _facts(pipeline: Pipeline) -> str:
    steps = counted(len(pipeline.all_steps), "step")
    parameters = ", ".join(item.name for item in pipeline.parameters) or "no parameters"
    return f"{pipeline.name}, {steps}, {parameters}"


def _render_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names",
        metavar="NAME",
        nargs="*",
        help=f"{TARGET_HELP}, a DAG file or a DAG's id; none: every pipeline of the project",
    )
    add_site(parser)
    add_defaults(parser)
    parser.add_argument(
        "--output", metavar="FOLDER", type=a_folder, help="write FOLDER/<pipeline>.json instead"
    )


def _pull_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME", help="a pipeline's name or ARN, or an execution's ARN"
    )
    add_region(parser)


RENDER = Command(
    "render", "print the definition that would be sent to SageMaker", _render_arguments, render
)
PULL = Command(
    "pull", "print the definition that the account has of a pipeline", _pull_arguments, pull
)
LIST = Command("list", "print the pipelines of the project", add_site, list_all)
