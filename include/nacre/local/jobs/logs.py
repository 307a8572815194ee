"""A job's log files: one event a line, `<epoch_ms> <text>`.

Below the log root lies what CloudWatch would hold: a folder a group (its name's last part), a file
a stream. A stream's name is its file's path below the group, less `.log`:

    <log_dir>/TrainingJobs/<job>/algo-1-<epoch>.log
    <log_dir>/ProcessingJobs/<job>/algo-1-<epoch>.log
    <log_dir>/TransformJobs/<job>/<instance>-<epoch>.log
    <log_dir>/TransformJobs/<job>/<instance>-<epoch>/data-log.log
"""

import os
import selectors
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from include.nacre.local.jobs.spec import Kind

# The last part of `/aws/sagemaker/<group>`.
GROUPS: Mapping[Kind, str] = {
    "processing": "ProcessingJobs",
    "training": "TrainingJobs",
    "transform": "TransformJobs",
}
MAX_EVENT_BYTES = 256_000  # a little below what CloudWatch takes; a longer line becomes several

# As the service shows control characters: `#` and three octal digits, so that TAB is `#011`.
_ESCAPES = {number: f"#{number:03o}" for number in (*range(32), 127)}
_READ_BYTES = 1 << 16

OnLine = Callable[[int, str], None]  # (epoch_ms, text)


def escape(line: bytes) -> str:
    """A line as the log holds it: control characters and bytes that are not UTF-8 spelt out."""
    return line.decode("utf-8", errors="backslashreplace").translate(_ESCAPES)


class LineSplitter:
    """Cuts a stream of bytes into lines, holding back at most one event's bytes."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The lines that are complete now, without their ends."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            yield from _cut(line)
        while len(self._rest) > MAX_EVENT_BYTES:
            piece, self._rest = _split_event(self._rest)
            yield piece

    def finish(self) -> Iterator[bytes]:
        """What is left when the stream ends without a line end."""
        rest, self._rest = self._rest, b""
        if rest:
            yield from _cut(rest)


class LogStream:
    """One stream's file; `append` may be called from one thread at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("ab")

    def append(self, epoch_ms: int, text: str) -> None:
        """Write one event; it is on disk (or in the kernel's hands) with the next `flush`."""
        self._file.write(f"{epoch_ms} {text}\n".encode(errors="backslashreplace"))

    def flush(self) -> None:
        """Let readers see what was appended."""
        self._file.flush()

    def close(self) -> None:
        """Flush and close the file."""
        self._file.close()


def open_stream(log_dir: Path, kind: Kind, job: str, stream: str) -> LogStream:
    """The file of one of a job's streams, for appending."""
    return LogStream(log_dir / GROUPS[kind] / job / f"{stream}.log")


class LogPump:
    """Copies what processes print into log streams, in a thread of its own, until all is read."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, name="log pump", daemon=True)

    def add(self, descriptor: int, stream: LogStream, on_line: OnLine | None = None) -> None:
        """Copy from the descriptor until its end, and close both then; before `start` only."""
        self._selector.register(
            descriptor, selectors.EVENT_READ, _Source(descriptor, stream, on_line)
        )

    def start(self) -> None:
        """Start copying."""
        self._thread.start()

    def join(self) -> None:
        """Wait until every descriptor has ended and all is written."""
        if self._thread.ident is None:
            self.start()
        self._thread.join()

    def _run(self) -> None:
        while self._selector.get_map():
            for key, _ in self._selector.select():
                source: _Source = key.data
                if not source.copy():
                    self._selector.unregister(key.fd)
                    source.close()
        self._selector.close()


class _Source:
    def __init__(self, descriptor: int, stream: LogStream, on_line: OnLine | None) -> None:
        self._descriptor, self._stream, self._on_line = descriptor, stream, on_line
        self._splitter = LineSplitter()

    def copy(self) -> bool:
        chunk = os.read(self._descriptor, _READ_BYTES)
        self._write(self._splitter.feed(chunk) if chunk else self._splitter.finish())
        return bool(chunk)

    def close(self) -> None:
        os.close(self._descriptor)
        self._stream.close()

    def _write(self, lines: Iterator[bytes]) -> None:
        now = time.time_ns() // 1_000_000
        for line in lines:
            text = escape(line)
            self._stream.append(now, text)
            if self._on_line:
                self._on_line(now, text)
        self._stream.flush()


def _cut(line: bytes) -> Iterator[bytes]:
    while len(line) > MAX_EVENT_BYTES:
        piece, line = _split_event(line)
        yield piece
    yield line


def _split_event(line: bytes) -> tuple[bytes, bytes]:
    """The longest start that fits one event and ends with a whole UTF-8 character, and the rest."""
    end = MAX_EVENT_BYTES
    while end > MAX_EVENT_BYTES - 4 and line[end] & 0xC0 == 0x80:
        end -= 1
    return line[:end], line[end:]
