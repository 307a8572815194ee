from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.local.jobs.jsonpath import MAX_LENGTH, PathError, parse, select

ROW = ["a", "b", "c", "d", "e", "f", "g"]
DOCUMENT = {
    "id": 7,
    "features": [1, 2, 3],
    "SageMakerOutput": {"score": 0.5, "label": 1},
    "items": [{"n": 1}, {"n": 2}],
}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("$", ROW, ROW),
        ("$[0]", ROW, "a"),
        ("$[-1]", ROW, "g"),
        ("$[0,2]", ROW, ["a", "c"]),
        ("$[2,0]", ROW, ["c", "a"]),
        ("$[1:3]", ROW, ["b", "c"]),
        ("$[1:]", ROW, ROW[1:]),
        ("$[:-1]", ROW, ROW[:-1]),
        ("$[-2:]", ROW, ["f", "g"]),
        ("$[0,5:]", ROW, ["a", "f", "g"]),
        ("$[ 0 , 5: ]", ROW, ["a", "f", "g"]),
        ("$[*]", ROW, ROW),
        ("$.*", ROW, ROW),
        ("$.id", DOCUMENT, 7),
        ("$['id']", DOCUMENT, 7),
        ("$.SageMakerOutput.score", DOCUMENT, 0.5),
        ("$['id','features']", DOCUMENT, {"id": 7, "features": [1, 2, 3]}),
        ("$.features[0]", DOCUMENT, 1),
        ("$.features[1:]", DOCUMENT, [2, 3]),
        ("$.items[*].n", DOCUMENT, [1, 2]),
        ("$['a b']", {"a b": 1}, 1),
    ],
)
def test_a_path_selects(path: str, value: Any, expected: Any) -> None:
    assert select(parse(path), value) == expected


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", "does not begin with"),
        ("id", "does not begin with"),
        ("$[", "cannot be read from '['"),
        ("$[x]", "cannot be read from '[x]'"),
        ("$..id", "cannot be read from '..id'"),
        ("$[0,]", "where a position should stand"),
        ("$[1:2:3]", "where a position should stand"),
        ("$.a[?(@.b)]", "cannot be read from '[?(@.b)]'"),
        ("$." + "x" * MAX_LENGTH, "longer than 63"),
    ],
)
def test_what_is_no_path_is_said(path: str, said: str) -> None:
    with pytest.raises(PathError) as raised:
        parse(path)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("$[7]", ROW, "position 7 is out of range: there are 7"),
        ("$[-8]", ROW, "position -8 is out of range"),
        ("$.nothing", DOCUMENT, "no member 'nothing'"),
        ("$['id','x']", DOCUMENT, "no member 'x'"),
        ("$[0]", DOCUMENT, "is no array"),
        ("$.*", 1, "nothing below 1"),
    ],
)
def test_what_a_value_does_not_have_is_said(path: str, value: Any, said: str) -> None:
    with pytest.raises(PathError) as raised:
        select(parse(path), value)
    assert said in str(raised.value)


@given(row=st.lists(st.integers(), max_size=6), low=st.integers(-8, 8), high=st.integers(-8, 8))
def test_a_slice_excludes_its_end_as_python_s_does(row: list[int], low: int, high: int) -> None:
    assert select(parse(f"$[{low}:{high}]"), row) == row[low:high]
