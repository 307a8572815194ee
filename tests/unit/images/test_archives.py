import io
import tarfile
from pathlib import Path

import pytest

from include.nacre.local.images.archives import ArchiveError, unpack


def packed(path: Path, name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        tar.addfile(info, io.BytesIO(b""))
    return path


@pytest.fixture(params=["this Python", "an older one"])
def tmp(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, once with tarfile as it is and once as Debian 12 has it."""
    if request.param == "an older one":
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
        monkeypatch.setattr(tarfile.TarFile, "extraction_filter", None, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind", "target"),
    [
        ("sub/file", tarfile.REGTYPE, ""),
        ("folder", tarfile.DIRTYPE, ""),
        ("sub/link", tarfile.SYMTYPE, "../file"),
    ],
)
def test_what_stays_inside_is_unpacked(tmp: Path, name: str, kind: bytes, target: str) -> None:
    unpack(packed(tmp / "a.tar.gz", name, kind, target), tmp / "out")
    assert (tmp / "out" / name).is_symlink() or (tmp / "out" / name).exists()


@pytest.mark.parametrize(
    ("name", "kind", "target"),
    [
        ("../outside", tarfile.REGTYPE, ""),
        ("link", tarfile.SYMTYPE, "/etc/passwd"),
        ("link", tarfile.SYMTYPE, "../outside"),
        ("link", tarfile.LNKTYPE, "../outside"),
        ("device", tarfile.CHRTYPE, ""),
    ],
)
def test_what_leads_out_is_refused(tmp: Path, name: str, kind: bytes, target: str) -> None:
    with pytest.raises(ArchiveError):
        unpack(packed(tmp / "a.tar.gz", name, kind, target), tmp / "out")
    assert not (tmp / "outside").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00cut off"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(ArchiveError):
        unpack(tmp_path / "a.tar.gz", tmp_path / "out")
