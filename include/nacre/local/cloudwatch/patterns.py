"""FilterLogEvents' patterns for unstructured text: terms that must, may or must not occur."""

import re
import shlex
from collections.abc import Callable

from include.nacre.local.protocol.errors import LogsInvalidParameterError

Matcher = Callable[[str], bool]


def matcher(pattern: str) -> Matcher:
    """What a pattern accepts: all plain terms, one of the `?` terms if any, none of the `-` ones.

    `%...%` is a regular expression. Patterns for JSON and columns (`{...}`, `[...]`) are refused.
    """
    text = pattern.strip()
    if text.startswith(("{", "[")):
        raise LogsInvalidParameterError(
            f'Invalid filter pattern {text!r}: the local service knows terms (ERROR, "two words",'
            " ?either ?or, -without) and %regular expressions%, not JSON or column patterns."
        )
    if len(text) > 1 and text.startswith("%") and text.endswith("%"):
        return _expression(text[1:-1])
    return _terms(_words(text))


def _terms(words: list[str]) -> Matcher:
    needed = [word for word in words if word[0] not in "?-"]
    choices = [word[1:] for word in words if word[0] == "?"]
    banned = [word[1:] for word in words if word[0] == "-"]

    def matches(message: str) -> bool:
        return (
            all(word in message for word in needed)
            and (not choices or any(word in message for word in choices))
            and not any(word in message for word in banned)
        )

    return matches


def _expression(text: str) -> Matcher:
    try:
        expression = re.compile(text)
    except re.error as fault:
        raise LogsInvalidParameterError(f"Invalid regular expression {text!r}: {fault}.") from fault
    return lambda message: expression.search(message) is not None


def _words(text: str) -> list[str]:
    try:
        return [word for word in shlex.split(text) if word]
    except ValueError as fault:
        raise LogsInvalidParameterError(f"Invalid filter pattern {text!r}: {fault}.") from fault
