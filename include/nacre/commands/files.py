"""Definition files, as people hand them over."""

from pathlib import Path

# Many times the longest definition; keeps a wrong file out of memory.
LARGEST_FILE = 16 * 1024 * 1024


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
