"""`start`: an execution of a pipeline that the account has, followed to its end if wanted."""

import argparse
import sys
from typing import Any

from include.nacre.commands.aws import clients, explained
from include.nacre.commands.command import INTERRUPTED, Command, CommandError
from include.nacre.commands.defaults import add_defaults, given_defaults
from include.nacre.commands.options import add_pairs, add_site, at_least_one, pairs
from include.nacre.commands.targets import targets
from include.nacre.definition.faults import DefinitionError
from include.nacre.definition.merging import with_job_defaults
from include.nacre.definition.reader import read_pipeline
from include.nacre.definition.records import Pipeline


def start(options: argparse.Namespace) -> int:
    """Start an execution of what the account has; print its ARN, and follow it if wanted."""
    from include.nacre.native.start import StartError
    from include.nacre.native.start import start as begin

    values = pairs("--parameter", options.parameter)
    with explained():
        sagemaker = clients(options).sagemaker
        pipeline = _there(sagemaker, options)
        try:
            arn = begin(sagemaker, pipeline, values, _start_options(options))
        except StartError as error:
            raise CommandError(str(error)) from None
        print(arn, flush=True)
        return _followed(sagemaker, arn, options.accept_failures) if options.wait else 0


def _start_options(options: argparse.Namespace) -> Any:
    from include.nacre.native.start import StartOptions

    return StartOptions(
        display_name=options.display_name,
        description=options.description,
        parallelism=options.parallelism,
        selected_steps=options.select,
        source_execution_arn=options.source_execution,
        version_id=options.version_id,
        version_alias=options.version_alias,
    )


def _there(sagemaker: Any, options: argparse.Namespace) -> Pipeline:
    """Return the pipeline as the account has it: what starts is not what the project may hold."""
    defaults = given_defaults(options)
    found = targets(options).find(options.name)
    mine = found and with_job_defaults(found, defaults)
    name = mine.name if mine else options.name
    version = {
        "PipelineVersionId": options.version_id,
        "PipelineVersionAlias": options.version_alias,
    }
    request = {key: value for key, value in version.items() if value is not None}
    answer = sagemaker.describe_pipeline(PipelineName=name, **request)
    try:
        there = read_pipeline(answer["PipelineDefinition"], answer["PipelineName"])
    except DefinitionError as error:
        raise CommandError(str(error)) from None
    if mine is not None and mine != there and not request:
        _tell(_OTHER.format(name=name))
    return there


_OTHER = (
    "The account's definition of {name} is not the project's for this role, bucket and region: "
    "`upsert` brings it there."
)


def _followed(sagemaker: Any, arn: str, accept_failures: bool) -> int:
    from include.nacre.native.execution import HANDLED, SUCCEEDED, follow, reason, status

    try:
        answer = follow(sagemaker, arn, _tell)
    except KeyboardInterrupt:
        _tell(f"The execution goes on: {arn}")
        return INTERRUPTED
    end = status(answer)
    good = end == SUCCEEDED or (accept_failures and end == HANDLED)
    _tell(end if good or not reason(answer) else f"{end}: {reason(answer)}")
    return 0 if good else 1


def _tell(line: str) -> None:
    # Beside the output: that is the ARN, for the next command of a script.
    print(line, file=sys.stderr, flush=True)


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("name", metavar="NAME", help="a pipeline of the project, or the name or ARN of any other")
    add_site(parser)
    add_defaults(parser)
    add_pairs(parser, "--parameter", "a parameter's value")
    add("--wait", action="store_true", help="show the steps' states until all has ended")
    add(
        "--accept-failures",
        action="store_true",
        help="with --wait: status 0 also for CompletedWithFailures",
    )
    add("--parallelism", metavar="N", type=at_least_one, help="steps at once in this execution")
    add("--select", metavar="STEP", action="append", default=[], help="run this step; repeatable")
    add(
        "--source-execution",
        metavar="ARN",
        help="where selected steps take the results of others from; else the latest execution",
    )
    version = parser.add_mutually_exclusive_group()
    version.add_argument(
        "--version-id", metavar="N", type=at_least_one, help="a version of the pipeline"
    )
    version.add_argument("--version-alias", metavar="ALIAS", help="the same, by an alias")
    add("--display-name", metavar="TEXT")
    add("--description", metavar="TEXT")


START = Command("start", "start an execution of a pipeline in the account", _arguments, start)
