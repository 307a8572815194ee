"""The records of a transform's input object, packed into payloads; never a whole object at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from gzip import GzipFile
from typing import BinaryIO, NamedTuple

Stream = BinaryIO | GzipFile


class TooLarge(Exception):  # noqa: N818 - a fact about a record
    """A record, or an object that is not split, is larger than a payload may be."""


@dataclass(frozen=True)
class Packing:
    """How an object becomes payloads: split at line ends or not, many records each or one."""

    by_line: bool
    many: bool
    max_bytes: int


class Pair(NamedTuple):
    """A record, and what of it is sent to the model."""

    record: bytes
    sent: bytes


def payloads(stream: Stream, packing: Packing) -> Iterator[bytes]:
    """Payloads of at most `max_bytes`, in order; a payload of lines has no line end at its end."""
    if not packing.by_line:
        yield _whole(stream, packing.max_bytes)
    elif packing.many:
        yield from _blocks(stream, packing.max_bytes)
    else:
        yield from lines(stream, packing.max_bytes)


def lines(stream: Stream, max_bytes: int) -> Iterator[bytes]:
    """The lines that are not empty, without their ends."""
    while line := stream.readline(max_bytes + 2):
        record = line.rstrip(b"\r\n") if line.endswith(b"\n") else line
        if len(record) > max_bytes:
            raise _too_large("A record", max_bytes)
        if record:
            yield record


def packed(pairs: Iterable[Pair], max_bytes: int, *, many: bool) -> Iterator[list[Pair]]:
    """Records in groups whose sent lines together fit one payload; of one each if not many."""
    group: list[Pair] = []
    size = 0
    for pair in pairs:
        if len(pair.sent) > max_bytes:
            raise _too_large("A record", max_bytes)
        if group and (not many or size + 1 + len(pair.sent) > max_bytes):
            yield group
            group, size = [], 0
        size += len(pair.sent) + bool(group)
        group.append(pair)
    if group:
        yield group


def _whole(stream: Stream, max_bytes: int) -> bytes:
    content = stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise _too_large("The object", max_bytes)
    return content


def _blocks(stream: Stream, max_bytes: int) -> Iterator[bytes]:
    """As many whole lines as fit, without looking at each of them."""
    rest = b""
    while True:
        # More than fits by a line end: a payload may end just before it.
        block = rest + stream.read(max_bytes + 2 - len(rest))
        if len(block) <= max_bytes:
            if block := block.rstrip(b"\r\n"):
                yield block
            return
        is_full = block.endswith(b"\r\n") and len(block) == max_bytes + 2
        end = max_bytes + 1 if is_full else block.rfind(b"\n", 0, max_bytes + 1)
        if end < 0:
            raise _too_large("A record", max_bytes)
        if payload := block[:end].rstrip(b"\r"):
            yield payload
        rest = block[end + 1 :]


def _too_large(what: str, max_bytes: int) -> TooLarge:
    return TooLarge(f"{what} is larger than the maximum payload of {max_bytes} bytes")
