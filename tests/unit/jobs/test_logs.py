import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.local.jobs.logs import (
    MAX_EVENT_BYTES,
    LineSplitter,
    LogPump,
    LogStream,
    escape,
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"[0]\ttrain-rmse:1.2", "[0]#011train-rmse:1.2"),
        (b"50%\r100%", "50%#015100%"),
        (b"\x1b[31mred\x1b[0m", "#033[31mred#033[0m"),
        ("ü 日本".encode(), "ü 日本"),
        (b"caf\xe9", "caf\\xe9"),
        (b"a\0b\x7f", "a#000b#177"),
    ],
)
def test_a_line_is_shown_as_the_service_shows_it(line: bytes, expected: str) -> None:
    assert escape(line) == expected


@given(text=st.binary(max_size=60), cuts=st.lists(st.integers(0, 60)))
def test_lines_do_not_depend_on_how_they_arrive(text: bytes, cuts: list[int]) -> None:
    splitter, lines = LineSplitter(), []
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    for start, end in itertools.pairwise(edges):
        lines += splitter.feed(text[start:end])
    lines += splitter.finish()
    expected = text.split(b"\n")
    assert lines == (expected if expected[-1] else expected[:-1])


def test_a_line_that_never_ends_becomes_events_of_whole_characters() -> None:
    splitter = LineSplitter()
    text = ("é" * MAX_EVENT_BYTES).encode()
    pieces = [*splitter.feed(b"x" + text), *splitter.finish()]
    assert b"".join(pieces) == b"x" + text
    assert all(len(piece) <= MAX_EVENT_BYTES for piece in pieces)
    assert [piece.decode() for piece in pieces] != []


def test_a_pump_writes_every_line_with_its_time_and_tells_of_it(tmp_path: Path) -> None:
    read, write = os.pipe()
    seen: list[tuple[int, str]] = []
    pump = LogPump()
    pump.add(read, LogStream(tmp_path / "s.log"), lambda ms, text: seen.append((ms, text)))
    pump.start()
    os.write(write, b"one\ntwo\nhalf")
    os.close(write)
    pump.join()
    written = [line.split(" ", 1) for line in (tmp_path / "s.log").read_text().splitlines()]
    assert [(int(ms), text) for ms, text in written] == seen
    assert [text for _, text in seen] == ["one", "two", "half"]
