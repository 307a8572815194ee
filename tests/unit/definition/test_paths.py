"""Paths into JSON documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.definition.paths import (
    Index,
    Key,
    Member,
    Path,
    PathLookupError,
    PathSyntaxError,
    format_path,
    parse_json_path,
    parse_path,
    resolve_path,
)
from tests.support.definitions import Json

members = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True).map(Member)
indices = st.integers(0, 10**9 - 1).map(Index)
keys = st.text(st.characters(exclude_characters="'", exclude_categories=["Cs"]), min_size=1)
parts = members | indices | keys.map(Key)
paths = st.tuples(members, st.lists(parts, max_size=4)).map(lambda pair: (pair[0], *pair[1]))


@given(paths)
def test_a_path_is_written_and_read_alike(path: Path) -> None:
    assert parse_path(format_path(path)) == path


def test_the_three_parts_of_a_path() -> None:
    assert parse_path("Outputs['train'].List[0].S3-Uri") == (
        Member("Outputs"),
        Key("train"),
        Member("List"),
        Index(0),
        Member("S3-Uri"),
    )


@pytest.mark.parametrize(
    "text", ["", ".", ".a", "a.", "a..b", "a[", "a[-1]", "a[01]", "a['']", "a[b]", "a b", "[0]"]
)
def test_what_is_no_property_path(text: str) -> None:
    with pytest.raises(PathSyntaxError):
        parse_path(text)


@pytest.mark.parametrize("text", ["a.*", "a[*]", "..a", "a[?(@.b)]", "a[0,1]", "$x", "@.a"])
def test_what_names_more_than_one_place_is_refused(text: str) -> None:
    with pytest.raises(PathSyntaxError, match="a path is made of"):
        parse_json_path(text)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a.b", (Member("a"), Member("b"))),
        ("$.a", (Member("a"),)),
        ("$['a b'][2]", (Key("a b"), Index(2))),
        ("[1].x", (Index(1), Member("x"))),
        ("$", ()),
    ],
)
def test_a_json_path_may_start_at_the_root(text: str, path: Path) -> None:
    assert parse_json_path(text) == path


DOCUMENT = {
    "ProcessingOutputConfig": {
        "Outputs": [
            {"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}},
            {"OutputName": "test", "S3Output": {"S3Uri": "s3://b/test"}},
        ]
    },
    "FinalMetricDataList": [{"MetricName": "val:acc", "Value": 0.9}],
    "HyperParameters": {"eta": "0.2"},
    "Nothing": None,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri", "s3://b/test"),
        ("ProcessingOutputConfig.Outputs[0].OutputName", "train"),
        ("FinalMetricDataList['val:acc'].Value", 0.9),
        ("HyperParameters['eta']", "0.2"),
        ("Nothing", None),
    ],
)
def test_a_path_finds_list_elements_by_index_and_by_name(text: str, value: Json) -> None:
    assert resolve_path(DOCUMENT, parse_path(text)) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Outputs", "the document has no 'Outputs' (it has: ProcessingOutputConfig, "),
        (
            "ProcessingOutputConfig.Outputs['x']",
            "ProcessingOutputConfig.Outputs has no element named 'x' (it has: train, test)",
        ),
        ("FinalMetricDataList[1]", "FinalMetricDataList has 1 elements, so none at [1]"),
        ("HyperParameters[0]", "HyperParameters is no list, so it has no element 0"),
        ("Nothing.X", "Nothing is no object, so it has no 'X'"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(text: str, message: str) -> None:
    with pytest.raises(PathLookupError) as caught:
        resolve_path(DOCUMENT, parse_path(text))

    assert str(caught.value).startswith(message)
