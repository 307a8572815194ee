import os
import tarfile
from pathlib import Path

import pytest

from include.nacre.local.jobs.outputs import FolderSync, archive, files, upload
from include.nacre.local.objects import parse_s3_uri
from tests.unit.jobs.place import Place, uri


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "buckets/bucket").mkdir(parents=True)
    path = tmp_path / "folder"
    (path / "sub" / "empty").mkdir(parents=True)
    (path / "a").write_text("1")
    (path / "sub" / "b").write_text("2")
    return path


def test_files_are_regular_ones_only(folder: Path) -> None:
    (folder / "link").symlink_to("a")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    assert [relative for relative, _ in files(folder)] == ["a", "sub/b"]
    assert list(files(folder / "loop")) == []
    assert list(files(folder / "nothing")) == []


def test_an_archive_holds_the_tree_links_and_empty_folders_too(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "link").symlink_to("a")
    os.mkfifo(folder / "pipe")
    assert archive([folder], tmp_path / "x" / "m.tar.gz") is True
    with tarfile.open(tmp_path / "x" / "m.tar.gz") as tar:
        members = {member.name: (member.type, member.uname, member.uid) for member in tar}
    owner = ("", 0)
    assert members == {
        "a": (tarfile.REGTYPE, *owner),
        "link": (tarfile.SYMTYPE, *owner),
        "sub": (tarfile.DIRTYPE, *owner),
        "sub/b": (tarfile.REGTYPE, *owner),
        "sub/empty": (tarfile.DIRTYPE, *owner),
    }


def test_an_archive_of_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert archive([tmp_path / "empty"], tmp_path / "m.tar.gz") is False


def test_a_file_that_is_uploaded_twice_is_two_objects(place: Place, folder: Path) -> None:
    for target in ("one", "two"):
        upload(place.objects, folder, parse_s3_uri(uri(target)))
    inodes = {place.objects.get(uri(f"{name}/a")).path.stat().st_ino for name in ("one", "two")}
    assert (place.keys(), len(inodes)) == (["one/a", "one/sub/b", "two/a", "two/sub/b"], 2)


def test_a_sync_uploads_what_is_new_or_changed_and_nothing_else(place: Place, folder: Path) -> None:
    sync = FolderSync(place.objects, folder, parse_s3_uri(uri("out")), deletes=False)
    sync.sync()
    assert place.keys() == []
    (folder / "new").write_text("3")
    (folder / "a").write_text("changed")
    (folder / "sub" / "b").unlink()
    sync.sync()
    assert (place.keys(), place.get("out/a")) == (["out/a", "out/new"], b"changed")


def test_a_sync_that_follows_deletes_removes_what_is_gone(place: Place, folder: Path) -> None:
    place.put("out/a", "1")
    place.put("out/others", "1")
    sync = FolderSync(place.objects, folder, parse_s3_uri(uri("out")), deletes=True)
    (folder / "a").unlink()
    sync.sync()
    assert place.keys() == ["out/others"]
