"""Log files as groups, streams and events. Positions are byte offsets of line starts."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

_PREFIX = "/aws/sagemaker/"
_BLOCK = 64 * 1024


class Event(NamedTuple):
    """One line of a log: milliseconds since the epoch, its text, and where its line starts."""

    timestamp: int
    message: str
    start: int
    end: int


@dataclass(frozen=True)
class Stream:
    """One log file; `name` is the stream's name within its group."""

    name: str
    path: Path

    def events(self, start: int = 0) -> Iterator[Event]:
        """The events from an offset on; a line that is still being written is not one yet."""
        with self.path.open("rb") as file:
            file.seek(start)
            for line in file:
                end = start + len(line)
                if line.endswith(b"\n"):
                    yield _event(line, start, end)
                start = end

    def events_before(self, end: int) -> Iterator[Event]:
        """The events before an offset, the last one first."""
        with self.path.open("rb") as file:
            for line, start in _lines_before(file, end):
                yield _event(line, start, start + len(line))

    def first(self) -> Event | None:
        """The oldest event."""
        return next(self.events(), None)

    def last(self) -> Event | None:
        """The newest event."""
        return next(self.events_before(self.size()), None)

    def size(self) -> int:
        """The offset behind the last finished line."""
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            while size > 0:
                start = max(0, size - _BLOCK)
                file.seek(start)
                newline = file.read(size - start).rfind(b"\n")
                if newline >= 0:
                    return start + newline + 1
                size = start
        return 0


class LogGroups:
    """All log groups below a folder; names are the service's, `/aws/sagemaker/TrainingJobs`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> list[str]:
        """Every group that something was written to."""
        return sorted(_PREFIX + entry.name for entry in self._root.glob("*/"))

    def folder(self, group: str) -> Path | None:
        """Where a group lies, if there is such a group."""
        return self._root / group.removeprefix(_PREFIX) if group in self.names() else None

    def streams(self, group: str, prefix: str = "") -> list[Stream]:
        """The streams of a group whose names start so, in the order of their names."""
        folder, above = self.folder(group), PurePosixPath(prefix.rpartition("/")[0])
        # A prefix is only text, and must not lead out of the group.
        if folder is None or prefix.startswith("/") or ".." in above.parts:
            return []
        # It mostly is a job's name with a slash: only that job's folder is walked then.
        found = (
            Stream(path.relative_to(folder).as_posix().removesuffix(".log"), path)
            for path in (folder / above).rglob("*.log")
        )
        return sorted((s for s in found if s.name.startswith(prefix)), key=lambda s: s.name)


def _lines_before(file: BinaryIO, end: int) -> Iterator[tuple[bytes, int]]:
    """The lines that end at or before an offset, backwards, each with where it starts."""
    rest = b""
    while end > 0:
        start = max(0, end - _BLOCK)
        file.seek(start)
        block = file.read(end - start) + rest
        lines = [line + b"\n" for line in block.split(b"\n")[:-1]]
        keep = 0 if start == 0 else 1  # the first line may have begun before this block
        position = start + len(block)
        for line in reversed(lines[keep:]):
            position -= len(line)
            yield line, position
        rest = lines[0] if keep else b""
        end = start


def _event(line: bytes, start: int, end: int) -> Event:
    stamp, _, message = line.rstrip(b"\n").decode(errors="replace").partition(" ")
    return Event(int(stamp) if stamp.isdigit() else 0, message, start, end)
