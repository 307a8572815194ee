"""Names that an execution gives: its own id, and those of the jobs of its steps.

A job's name follows from the execution, the retry of the execution, the step and the attempt
alone, so that whoever goes on after a crash knows it again.
"""

import hashlib
import re
import secrets
import string

_ID_LENGTH = 12
_UNIQUE_LENGTH = 10
_ID_LETTERS = string.ascii_lowercase + string.digits
_LETTERS = string.ascii_letters + string.digits


def new_execution_id() -> str:
    """Return an id that no other execution has: 12 lower-case letters and digits."""
    return "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))


def job_name(execution_id: str, step: str, retry: int, attempt: int, limit: int = 63) -> str:
    """Return `pipelines-<execution>-<step>-<10 characters>`, cut to the kind's limit."""
    head = f"pipelines-{execution_id}-{_hyphenated(step)}"
    unique = _unique(execution_id, step, retry, attempt)
    return f"{head[: limit - _UNIQUE_LENGTH - 1].rstrip('-')}-{unique}"


def prefixed_name(
    prefix: str, execution_id: str, step: str, retry: int, attempt: int, limit: int = 63
) -> str:
    """Return `<prefix>-<execution>-<10 characters>-<failures before>`, cut to the limit."""
    tail = f"-{execution_id}-{_unique(execution_id, step, retry)}-{attempt - 1}"
    return _hyphenated(prefix)[: limit - len(tail)].rstrip("-") + tail


def callback_token(execution_id: str, step: str, retry: int, attempt: int) -> str:
    """Return the 10 letters and digits that answer a Callback step."""
    return _unique("callback", execution_id, step, retry, attempt)


def client_token(execution_id: str, step: str, retry: int, attempt: int) -> str:
    """Return the token that makes a create call idempotent where no name does."""
    return f"{execution_id}-{_unique(execution_id, step, retry, attempt)}"


def _hyphenated(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-") or "step"


def _unique(*parts: str | int) -> str:
    number = int.from_bytes(hashlib.sha256(repr(parts).encode()).digest())
    found = []
    for _ in range(_UNIQUE_LENGTH):
        number, letter = divmod(number, len(_LETTERS))
        found.append(_LETTERS[letter])
    return "".join(found)
