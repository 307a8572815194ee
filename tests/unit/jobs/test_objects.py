from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.local.objects import ObjectError, Objects, S3Uri, parse_s3_uri, relative_key


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    (tmp_path / "buckets" / "b").mkdir(parents=True)
    return Objects(tmp_path / "buckets")


def file_with(folder: Path, text: str) -> Path:
    path = folder / "source"
    path.write_text(text)
    return path


def keys(objects: Objects, prefix: str) -> list[str]:
    return [each.uri.key for each in objects.list(prefix)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://b/k", S3Uri("b", "k")),
        ("s3://b/a/b.csv", S3Uri("b", "a/b.csv")),
        ("s3://b/a/", S3Uri("b", "a/")),
        ("s3://b", S3Uri("b")),
        ("s3://b/", S3Uri("b")),
        ("s3://b/a b#?%20.csv", S3Uri("b", "a b#?%20.csv")),
    ],
)
def test_an_address_is_bucket_and_key(text: str, expected: S3Uri) -> None:
    assert parse_s3_uri(text) == expected


@pytest.mark.parametrize(
    "text", ["", "b/k", "s3:/b/k", "http://b/k", "s3://", "s3:///k", "s3://../k"]
)
def test_what_is_no_address_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ObjectError, match="write s3://bucket/key"):
        parse_s3_uri(text)


@pytest.mark.parametrize(
    ("address", "parts", "expected"),
    [
        ("s3://b/p", ("x",), "s3://b/p/x"),
        ("s3://b/p/", ("x", "y.csv"), "s3://b/p/x/y.csv"),
        ("s3://b", ("x",), "s3://b/x"),
    ],
)
def test_joining_puts_one_slash_between(
    address: str, parts: tuple[str, ...], expected: str
) -> None:
    assert str(parse_s3_uri(address).join(*parts)) == expected


@pytest.mark.parametrize(
    ("prefix", "key", "expected"),
    [
        ("s3://b/data/", "data/a.csv", "a.csv"),
        ("s3://b/data", "data/sub/a.csv", "sub/a.csv"),
        ("s3://b/data", "data2/a.csv", "data2/a.csv"),
        ("s3://b/data/part-", "data/part-0", "part-0"),
        ("s3://b/data/a.csv", "data/a.csv", "a.csv"),
        ("s3://b", "data/a.csv", "data/a.csv"),
    ],
)
def test_an_object_lands_relative_to_its_prefix(prefix: str, key: str, expected: str) -> None:
    assert relative_key(parse_s3_uri(prefix), key) == expected


def test_a_prefix_is_a_string_prefix(objects: Objects) -> None:
    for key in ("train/a", "train/b/c", "train2/x", "other/train"):
        objects.put_bytes(f"s3://b/{key}", b"")
    assert keys(objects, "s3://b/train") == ["train/a", "train/b/c", "train2/x"]
    assert keys(objects, "s3://b/train/") == ["train/a", "train/b/c"]


KEY = st.lists(st.text("ab-. /é", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join)


@given(wanted=st.sets(KEY, max_size=8), prefix=st.text("ab-./", max_size=4))
def test_a_listing_is_the_matching_keys_in_the_order_of_their_bytes(
    tmp_path_factory: pytest.TempPathFactory, wanted: set[str], prefix: str
) -> None:
    root = tmp_path_factory.mktemp("objects") / "buckets"
    (root / "b").mkdir(parents=True)
    objects = Objects(root)
    stored = set()
    for key in sorted(wanted):
        try:
            objects.put_bytes(S3Uri("b", key), b"")
            stored.add(key)
        except ObjectError:  # a key that no file can have, or an object where a folder is
            pass
    expected = sorted((key for key in stored if key.startswith(prefix)), key=str.encode)
    assert keys(objects, f"s3://b/{prefix}") == expected


@pytest.mark.parametrize(
    "key",
    [
        "/",
        "..",
        "../x",
        "a/../x",
        "a//b",
        "./a",
        "a/./b",
        "/a",
        "a\0b",
        "\ud800",
        "x" * 256,
        "é" * 128,
    ],
)
def test_a_key_that_no_file_can_have_is_refused(objects: Objects, key: str) -> None:
    with pytest.raises(ObjectError):
        objects.put_bytes(S3Uri("b", key), b"")


@pytest.mark.parametrize("key", ["a b", "ünï.csv", "a#b?c&d=e", "...", "-rf", "a'b\"c", "x" * 250])
def test_a_strange_key_is_as_good_as_any(objects: Objects, key: str) -> None:
    objects.put_bytes(S3Uri("b", key), b"content")
    assert objects.get(S3Uri("b", key)).path.read_bytes() == b"content"


def test_symlinks_and_folders_are_no_objects(objects: Objects) -> None:
    objects.put_bytes("s3://b/a", b"")
    (objects.root / "b" / "link").symlink_to("a")
    (objects.root / "b" / "empty").mkdir()
    assert keys(objects, "s3://b/") == ["a"]
    assert [objects.exists(f"s3://b/{name}") for name in ("a", "link", "empty")] == [
        True,
        False,
        False,
    ]


def test_an_empty_object_is_an_object(objects: Objects) -> None:
    objects.put_bytes("s3://b/empty", b"")
    assert objects.get("s3://b/empty").size == 0


def test_what_is_missing_is_named(objects: Objects) -> None:
    with pytest.raises(ObjectError, match="there is no object at s3://b/nothing"):
        objects.get("s3://b/nothing")
    with pytest.raises(ObjectError, match="the bucket of s3://none/x does not exist"):
        objects.put_bytes("s3://none/x", b"")
    assert keys(objects, "s3://none/") == []


def test_an_object_and_a_folder_cannot_share_a_name(objects: Objects) -> None:
    objects.put_bytes("s3://b/a", b"")
    objects.put_bytes("s3://b/c/d", b"")
    with pytest.raises(ObjectError, match="an object cannot be a folder"):
        objects.put_bytes("s3://b/a/b", b"")
    with pytest.raises(ObjectError, match="there are objects below s3://b/c/"):
        objects.put_bytes("s3://b/c", b"")


def test_a_copied_object_does_not_change_with_its_source(objects: Objects, tmp_path: Path) -> None:
    source = file_with(tmp_path, "one")
    objects.put_file("s3://b/k", source)
    source.write_text("two")
    assert objects.get("s3://b/k").path.read_text() == "one"


def test_a_given_file_is_not_copied_and_a_shared_one_is(objects: Objects, tmp_path: Path) -> None:
    source = file_with(tmp_path, "one")
    objects.put_file("s3://b/first", source, give=True)
    objects.put_file("s3://b/second", source, give=True)
    inodes = [objects.get(f"s3://b/{n}").path.stat().st_ino for n in ("first", "second")]
    assert (inodes[0] == source.stat().st_ino, inodes[1] == inodes[0]) == (True, False)


def test_an_object_is_replaced_whole_for_those_who_read_it(
    objects: Objects, tmp_path: Path
) -> None:
    objects.put_bytes("s3://b/k", b"old")
    with objects.get("s3://b/k").path.open("rb") as reader:
        objects.put_file("s3://b/k", file_with(tmp_path, "new"))
        assert (reader.read(), objects.get("s3://b/k").path.read_bytes()) == (b"old", b"new")


def test_nothing_unfinished_is_listed_or_left(objects: Objects) -> None:
    objects.put_bytes("s3://b/k", b"x")
    assert sorted(path.name for path in objects.root.iterdir()) == ["b"]
    assert list((objects.root.parent / "buckets.unfinished").iterdir()) == []


def test_deleting_takes_empty_folders_along_but_not_the_bucket(objects: Objects) -> None:
    objects.put_bytes("s3://b/a/b/c", b"")
    objects.delete("s3://b/a/b/c")
    objects.delete("s3://b/a/b/c")
    assert list((objects.root / "b").iterdir()) == []


def test_copying_in_keeps_the_tree_below_the_prefix(objects: Objects, tmp_path: Path) -> None:
    objects.put_bytes("s3://b/in/a", b"1")
    objects.put_bytes("s3://b/in/sub/b", b"2")
    count = objects.copy_in("s3://b/in", tmp_path / "target")
    assert count == 2
    assert (tmp_path / "target/sub/b").read_bytes() == b"2"
