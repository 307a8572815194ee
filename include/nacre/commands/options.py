"""Options that several commands take."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from include.nacre.commands.command import CommandError

SITE = ("role", "bucket", "region")
"""What `get_pipeline` takes, each an option of its own."""


def add_site(parser: argparse.ArgumentParser) -> None:
    """Let a command take where a pipeline's jobs run."""
    add = parser.add_argument
    add("--region", help="AWS region; else that of boto3's settings")
    add("--role", metavar="ARN", help="execution role of the pipeline and its jobs")
    add("--bucket", help="where the pipeline keeps its files")


def add_region(parser: argparse.ArgumentParser) -> None:
    """Let a command take the region alone."""
    parser.add_argument("--region", help="AWS region; else that of boto3's settings")


def given_site(options: argparse.Namespace) -> dict[str, str]:
    """Return what was said of role, bucket and region."""
    return {name: value for name in SITE if (value := getattr(options, name, None))}


def add_pairs(parser: argparse.ArgumentParser, option: str, what: str) -> None:
    """Let a command take `--option KEY=VALUE` several times."""
    parser.add_argument(
        option, metavar="KEY=VALUE", action="append", default=[], help=f"{what}; repeatable"
    )


def pairs(option: str, texts: Sequence[str]) -> Mapping[str, str]:
    """Return what `--option KEY=VALUE` said. Raises CommandError with all that is wrong."""
    found: dict[str, str] = {}
    faults = []
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            faults.append(f"{option} {text}: write it as KEY=VALUE")
        elif key in found:
            faults.append(f"{option} {text}: {key} is given twice")
        found.setdefault(key, value)
    if faults:
        raise CommandError("\n".join(faults))
    return found


def at_least_one(text: str) -> int:
    """Read a count, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


def a_folder(text: str) -> Path:
    """Read the path of a folder that exists or can be made, for argparse."""
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a file")
    return path
