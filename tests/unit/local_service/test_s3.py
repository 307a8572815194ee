"""S3 as its clients see it, beside the folder that it is."""

import io
import itertools
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.local_sagemaker import BUCKET, LocalSageMaker

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def s3(service: LocalSageMaker) -> Any:
    return service.client("s3")


@pytest.fixture(scope="module")
def folder(service: LocalSageMaker) -> Path:
    return service.state / "buckets" / BUCKET


def test_the_default_bucket_exists_from_the_start(s3: Any) -> None:
    assert BUCKET in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_an_object_is_a_plain_file(s3: Any, folder: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="plain/a.txt", Body=b"text")
    assert (folder / "plain/a.txt").read_bytes() == b"text"


def test_a_file_that_is_put_into_the_folder_is_an_object_at_once(s3: Any, folder: Path) -> None:
    found = []
    for number in range(5):
        path = folder / f"direct/{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(str(number))
        listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="direct/")["KeyCount"]
        read = s3.get_object(Bucket=BUCKET, Key=f"direct/{number}.txt")["Body"].read()
        found.append((listed, read))
    assert found == [(number + 1, str(number).encode()) for number in range(5)]


def test_a_file_that_changes_in_the_folder_has_another_etag(s3: Any, folder: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="change.txt", Body=b"one")
    before = s3.head_object(Bucket=BUCKET, Key="change.txt")["ETag"]
    (folder / "change.txt").write_bytes(b"another")
    after = s3.head_object(Bucket=BUCKET, Key="change.txt")
    assert (after["ContentLength"], before != after["ETag"]) == (7, True)


def test_an_etag_is_the_contents_md5(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="etag.txt", Body=b"hello")
    etag = s3.head_object(Bucket=BUCKET, Key="etag.txt")["ETag"]
    assert etag == '"5d41402abc4b2a76b9719d911017c592"'


def test_a_large_file_travels_in_parts(s3: Any, folder: Path) -> None:
    content = b"".join(bytes([number]) * MEGABYTE for number in range(40))
    s3.upload_fileobj(io.BytesIO(content), BUCKET, "large.bin")
    back = io.BytesIO()
    s3.download_fileobj(BUCKET, "large.bin", back)
    assert back.getvalue() == content == (folder / "large.bin").read_bytes()


def test_a_range_is_read(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="range.txt", Body=b"0123456789")
    answer = s3.get_object(Bucket=BUCKET, Key="range.txt", Range="bytes=2-4")
    assert answer["Body"].read() == b"234"


def test_more_than_a_thousand_keys_come_in_pages(s3: Any, folder: Path) -> None:
    (folder / "many").mkdir()
    for number in range(1100):
        (folder / f"many/{number:04}").write_text("")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="many/")
    keys = [[item["Key"] for item in page["Contents"]] for page in pages]
    assert [len(page) for page in keys] == [1000, 100]
    assert list(itertools.chain(*keys)) == [f"many/{number:04}" for number in range(1100)]


def test_a_prefix_is_the_beginning_of_a_key(s3: Any) -> None:
    for key in ("pre/train/a", "pre/train2/a", "pre/test/a"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix="pre/train")["Contents"]
    assert [item["Key"] for item in found] == ["pre/train/a", "pre/train2/a"]


def test_folders_are_listed_by_their_delimiter(s3: Any) -> None:
    for key in ("tree/a/1", "tree/b/1", "tree/c"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix="tree/", Delimiter="/")
    assert (
        [item["Prefix"] for item in found["CommonPrefixes"]],
        [item["Key"] for item in found["Contents"]],
    ) == (["tree/a/", "tree/b/"], ["tree/c"])


def test_an_object_is_copied_and_deleted(s3: Any, folder: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="from/a", Body=b"x")
    s3.copy_object(Bucket=BUCKET, Key="to/a", CopySource=f"{BUCKET}/from/a")
    s3.delete_object(Bucket=BUCKET, Key="from/a")
    assert ((folder / "to/a").read_bytes(), (folder / "from").exists()) == (b"x", False)


def test_a_bucket_is_made_and_removed(s3: Any, service: LocalSageMaker) -> None:
    s3.create_bucket(Bucket="another-bucket")
    made = (service.state / "buckets/another-bucket").is_dir()
    s3.delete_bucket(Bucket="another-bucket")
    assert (made, (service.state / "buckets/another-bucket").exists()) == (True, False)


@pytest.mark.parametrize(
    ("bucket", "code"), [(BUCKET, "NoSuchKey"), ("no-such-bucket", "NoSuchBucket")]
)
def test_what_does_not_exist_is_an_error_of_s3(s3: Any, bucket: str, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=bucket, Key="none")
    assert refused.value.response["Error"]["Code"] == code
