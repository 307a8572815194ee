import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.local.jobs.records import Packing, Pair, TooLarge, lines, packed, payloads

LIMIT = 10
RECORDS = st.lists(st.text("ab,1", min_size=1, max_size=LIMIT).map(str.encode), max_size=12)


def sent(content: bytes, *, by_line: bool = True, many: bool = True) -> list[bytes]:
    return list(payloads(io.BytesIO(content), Packing(by_line, many, LIMIT)))


@given(
    records=RECORDS, end=st.sampled_from([b"", b"\n"]), newline=st.sampled_from([b"\n", b"\r\n"])
)
def test_many_records_a_payload_are_whole_ordered_and_within_the_limit(
    records: list[bytes], end: bytes, newline: bytes
) -> None:
    made = sent(newline.join(records) + (end if records else b""))
    together = [line.rstrip(b"\r") for payload in made for line in payload.split(b"\n")]
    assert together == records
    assert all(0 < len(payload) <= LIMIT for payload in made)


@given(records=RECORDS)
def test_as_many_records_as_fit_are_packed(records: list[bytes]) -> None:
    made = sent(b"\n".join(records))
    firsts = [payload.split(b"\n")[0] for payload in made[1:]]
    assert all(
        len(payload) + 1 + len(first) > LIMIT for payload, first in zip(made, firsts, strict=False)
    )


@given(records=RECORDS)
def test_single_records_are_one_a_payload(records: list[bytes]) -> None:
    assert sent(b"\n".join(records), many=False) == records


@given(records=RECORDS)
def test_records_that_are_kept_are_packed_as_those_that_are_not(records: list[bytes]) -> None:
    pairs = [Pair(record, record) for record in records]
    groups = packed(pairs, LIMIT, many=True)
    assert [b"\n".join(p.sent for p in g) for g in groups] == sent(b"\n".join(records))


def test_an_object_that_is_not_split_is_one_payload_however_it_looks() -> None:
    assert sent(b"1\n\n2\n", by_line=False) == [b"1\n\n2\n"]
    assert sent(b"", by_line=False) == [b""]


def test_empty_lines_are_no_records() -> None:
    assert list(lines(io.BytesIO(b"\n1\n\n\r\n2\n"), LIMIT)) == [b"1", b"2"]
    assert sent(b"\n\n") == []


@pytest.mark.parametrize(
    ("by_line", "many", "what"),
    [(True, True, "A record"), (True, False, "A record"), (False, True, "The object")],
)
def test_what_is_larger_than_a_payload_is_refused(by_line: bool, many: bool, what: str) -> None:
    with pytest.raises(TooLarge, match=f"{what} is larger than the maximum payload of 10 bytes"):
        sent(b"x" * (LIMIT + 1), by_line=by_line, many=many)


def test_what_just_fits_is_sent() -> None:
    exact = b"x" * LIMIT
    assert [sent(exact + b"\n" + exact, many=many) for many in (True, False)] == [[exact] * 2] * 2
    assert sent(exact, by_line=False) == [exact]
