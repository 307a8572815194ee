"""`upsert`: pipelines of the project, created or updated in the account."""

import argparse
from typing import Any

from include.nacre.commands.aws import clients, explained
from include.nacre.commands.command import Command, CommandError
from include.nacre.commands.defaults import add_defaults, given_defaults
from include.nacre.commands.options import add_pairs, add_site, at_least_one, pairs
from include.nacre.commands.targets import TARGET_HELP, targets
from include.nacre.definition.merging import with_job_defaults
from include.nacre.definition.records import Pipeline


def upsert(options: argparse.Namespace) -> int:
    """Create or update pipelines; what is the same already is left alone."""
    from include.nacre.native.upsert import upsert as bring

    wanted = _all_wanted(options)
    with explained():
        there = clients(options)
        for item in wanted:
            bring(there, item, print)
    return 0


def _all_wanted(options: argparse.Namespace) -> list[Any]:
    """Return what shall be there. Everything that can be wrong is found before the first call."""
    defaults = given_defaults(options)
    tags = {**defaults.tags("Pipeline"), **pairs("--tag", options.tag)}
    pipelines = [with_job_defaults(item, defaults) for item in _pipelines(options)]
    faults, wanted = [], []
    for pipeline in pipelines:
        try:
            wanted.append(_wanted(pipeline, options, tags))
        except CommandError as error:
            faults.append(str(error))
    if faults:
        raise CommandError("\n".join(faults))
    return wanted


def _pipelines(options: argparse.Namespace) -> list[Pipeline]:
    if options.all == bool(options.names):
        raise CommandError("name the pipelines, or give --all")
    known = targets(options)
    pipelines = known.all() if options.all else known.each(options.names)
    if len(pipelines) > 1 and (options.display_name or options.description):
        raise CommandError("--display-name and --description are for one pipeline at a time")
    return pipelines


def _wanted(pipeline: Pipeline, options: argparse.Namespace, tags: Any) -> Any:
    from include.nacre.native.upsert import UpsertError, Wanted, check_wanted, role_of

    try:
        role = options.role or role_of(pipeline)
    except UpsertError as error:
        raise CommandError(f"{error} (--role ARN)") from None
    wanted = Wanted(
        pipeline,
        role,
        display_name=options.display_name,
        description=options.description,
        tags=tags,
        parallelism=options.parallelism,
        bucket=options.bucket,
    )
    try:
        check_wanted(wanted)
    except UpsertError as error:
        raise CommandError(str(error)) from None
    return wanted


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("names", metavar="NAME", nargs="*", help=TARGET_HELP)
    add("--all", action="store_true", help="every pipeline of the project")
    add_site(parser)
    add_defaults(parser)
    add_pairs(parser, "--tag", "a tag, added to those that the pipeline has")
    add("--parallelism", metavar="N", type=at_least_one, help="steps at once in an execution")
    add("--display-name", metavar="TEXT")
    add("--description", metavar="TEXT")


UPSERT = Command("upsert", "create or update pipelines in the account", _arguments, upsert)
