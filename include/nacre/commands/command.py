"""What a command is, and how it fails."""

import argparse
from collections.abc import Callable
from typing import NamedTuple

INTERRUPTED = 130
"""The exit status of a program that Ctrl-C ended."""


class Command(NamedTuple):
    """A subcommand: how it is called, and what it does; `run` returns the exit status."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], object]
    run: Callable[[argparse.Namespace], int]


class CommandError(Exception):
    """A command cannot do what it is asked for; the message says why and what to do."""


def counted(count: int, noun: str) -> str:
    """Return `1 step`, `2 steps`."""
    return f"{count} {noun}" + ("" if count == 1 else "s")
