"""Source archives for script mode."""

import hashlib
import io
import random
import tarfile

import pytest

from include.pipelines.sources import NAME, source_archive

FILES = {"train.py": b"print('trains')\n", "inference.py": b"print('serves')\n"}


def content_of(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
        found = {member.name: members.extractfile(member) for member in members}
        return {name: file.read() for name, file in found.items() if file}


def test_an_archive_holds_the_files_at_its_root() -> None:
    asset = source_archive(FILES)
    assert (asset.name, content_of(asset.content)) == (NAME, FILES)


def test_the_order_of_the_files_is_no_difference() -> None:
    again = dict(reversed(FILES.items()))
    assert source_archive(again).content == source_archive(FILES).content


def test_one_source_is_one_address_on_every_machine() -> None:
    digest = hashlib.sha256(source_archive(FILES).content).hexdigest()
    assert digest == "4f0c002b38524d273342a37322e7c2e038bb4c49ff8ac6e2cd5bb914f6952d8f"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 200_000])
def test_a_file_of_any_size_comes_out_as_it_went_in(size: int) -> None:
    files = {"data.bin": random.Random(size).randbytes(size)}
    assert content_of(source_archive(files).content) == files
