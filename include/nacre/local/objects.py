"""S3 addresses over the folder that the S3 server serves.

A bucket is a folder, an object a plain file, so that a job's data moves by copies inside the
kernel and never through this process's memory. Keys that no file can have (an empty segment,
`.`, `..`, a NUL) are refused; every other key is taken as it is.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NO_SEGMENTS = frozenset({"", ".", ".."})
_NAME_BYTES = 255  # of a file


class ObjectError(Exception):
    """An address or an object that cannot be used; the text says which, why and what to do."""


@dataclass(frozen=True)
class S3Uri:
    """`s3://bucket/key`; the key may be empty (a whole bucket) or a prefix."""

    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def join(self, *parts: str) -> "S3Uri":
        """The address below this one, as SageMaker builds it: `s3://b/p/` and `s3://b/p` alike."""
        keys = [self.key.rstrip("/"), *(part.strip("/") for part in parts)]
        return S3Uri(self.bucket, "/".join(key for key in keys if key))


@dataclass(frozen=True)
class StoredObject:
    """One object as it lies on disk; `size` in bytes."""

    uri: S3Uri
    path: Path
    size: int


def parse_s3_uri(text: str) -> S3Uri:
    """`s3://bucket[/key]` as its parts, or an ObjectError that says what is wrong with it."""
    scheme, separator, rest = text.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not separator or not bucket or bucket in {".", ".."} or "\0" in text:
        raise ObjectError(f"{text!r} is no S3 address: write s3://bucket/key")
    return S3Uri(bucket, key)


def relative_key(prefix: S3Uri, key: str) -> str:
    """Where an object lands below the directory that its prefix is copied to.

    A prefix is a string prefix: `.../train` matches `.../train/a.csv` (lands as `a.csv`),
    and `.../train2/x` as well (lands as `train2/x`, beside and not instead of the others);
    the prefix that is one object's whole key lands under that object's own name.
    """
    folder = prefix.key if prefix.key.endswith("/") or not prefix.key else prefix.key + "/"
    if not key.startswith(folder):
        folder = prefix.key[: prefix.key.rfind("/") + 1]
    return key[len(folder) :]


def copy_file(source: Path, target: Path) -> None:
    """Copy a file's bytes inside the kernel, making the folders above the target."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


class Objects:
    """The objects below `root`; every write appears whole or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # Beside the root: on the same filesystem, so that a rename is atomic, and never listed.
        self._unfinished = root.with_name(root.name + ".unfinished")

    def list(self, prefix: str | S3Uri) -> Iterator[StoredObject]:
        """Every object whose key starts with the prefix, in S3's order (by the key's bytes)."""
        uri = _uri(prefix)
        *folders, start = uri.key.split("/")
        if not _NO_SEGMENTS.isdisjoint(folders):  # a prefix that no key can have
            return
        below = S3Uri(uri.bucket, uri.key.removesuffix(start))
        yield from _walk(self._bucket(uri.bucket).joinpath(*folders), below, start)

    def exists(self, uri: str | S3Uri) -> bool:
        """Whether the address is one object's (not a prefix's)."""
        try:
            return _is_object(self._path(_uri(uri)))
        except ObjectError:  # no object can have such a key
            return False

    def bucket_exists(self, bucket: str) -> bool:
        """Whether there is such a bucket."""
        return self._bucket(bucket).is_dir()

    def get(self, uri: str | S3Uri) -> StoredObject:
        """The object at the address, or an ObjectError."""
        found = _uri(uri)
        path = self._path(found)
        if not _is_object(path):
            raise ObjectError(f"there is no object at {found}")
        return StoredObject(found, path, path.stat().st_size)

    def copy_in(self, prefix: str | S3Uri, folder: Path) -> int:
        """Copy every object of a prefix below a folder; how many there were."""
        uri = _uri(prefix)
        stored = list(self.list(uri))
        for found in stored:
            copy_file(found.path, folder / relative_key(uri, found.uri.key))
        return len(stored)

    def put_file(self, uri: str | S3Uri, source: Path, *, give: bool = False) -> None:
        """Make the file's content the object at the address, at once and atomically.

        `give` says that nobody will write to the source again: its bytes are then not copied
        where a second name for the file does.
        """
        target = self._target(_uri(uri))
        with tempfile.TemporaryDirectory(dir=self._scratch()) as scratch:
            written = Path(scratch) / "object"
            # A file with a second name already must not be shared once more.
            if not (give and source.lstat().st_nlink == 1 and _linked(source, written)):
                shutil.copyfile(source, written)
            written.chmod(0o644)
            _into_place(written, target, _uri(uri))

    def put_bytes(self, uri: str | S3Uri, content: bytes) -> None:
        """Make a small content the object at the address."""
        target = self._target(_uri(uri))
        with tempfile.TemporaryDirectory(dir=self._scratch()) as scratch:
            written = Path(scratch) / "object"
            written.write_bytes(content)
            _into_place(written, target, _uri(uri))

    def delete(self, uri: str | S3Uri) -> None:
        """Remove one object, and the folders that only it kept; none there is no error."""
        path = self._path(_uri(uri))
        if not _is_object(path):
            return
        path.unlink()
        for folder in path.parents:
            if folder.parent == self.root or any(folder.iterdir()):
                return
            folder.rmdir()

    def _scratch(self) -> Path:
        self._unfinished.mkdir(parents=True, exist_ok=True)
        return self._unfinished

    def _target(self, uri: S3Uri) -> Path:
        if not self.bucket_exists(uri.bucket):
            raise ObjectError(f"the bucket of {uri} does not exist: create it first")
        path = self._path(uri)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as fault:
            raise ObjectError(
                f"{uri} cannot be written: {fault.filename} is an object already, and here an"
                " object cannot be a folder too"
            ) from fault
        return path

    def _path(self, uri: S3Uri) -> Path:
        fault = _fault_of_key(uri.key)
        if fault:
            raise ObjectError(f"{uri} cannot be a file: {fault}")
        return self._bucket(uri.bucket).joinpath(uri.key)

    def _bucket(self, name: str) -> Path:
        if name in _NO_SEGMENTS or "/" in name:
            raise ObjectError(f"{name!r} is no bucket's name")
        return self.root / name


def _uri(address: str | S3Uri) -> S3Uri:
    return address if isinstance(address, S3Uri) else parse_s3_uri(address)


def _fault_of_key(key: str) -> str | None:
    segments = key.split("/")
    if not _NO_SEGMENTS.isdisjoint(segments) or "\0" in key:
        return "its key has an empty or a dot segment"
    try:
        longest = max(len(os.fsencode(segment)) for segment in segments)
    except UnicodeEncodeError:
        return "its key is no text"
    if longest > _NAME_BYTES:
        return f"no part of its key may be longer than {_NAME_BYTES} bytes"
    return None


def _is_object(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _walk(folder: Path, below: S3Uri, start: str) -> Iterator[StoredObject]:
    try:
        entries = [entry for entry in os.scandir(folder) if entry.name.startswith(start)]
    except (FileNotFoundError, NotADirectoryError):
        return
    # A folder sorts as its keys do: with the slash that they go on with.
    names = {entry.name + "/" * entry.is_dir(follow_symlinks=False): entry for entry in entries}
    for name in sorted(names, key=os.fsencode):
        entry, uri = names[name], S3Uri(below.bucket, below.key + name)
        if name.endswith("/"):
            yield from _walk(Path(entry.path), uri, "")
        elif entry.is_file(follow_symlinks=False):
            yield StoredObject(uri, Path(entry.path), entry.stat().st_size)


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another filesystem, or one without links: copy instead
        return False
    return True


def _into_place(written: Path, target: Path, uri: S3Uri) -> None:
    try:
        written.replace(target)
    except IsADirectoryError as fault:
        raise ObjectError(
            f"{uri} cannot be written: there are objects below {uri}/, and here an object cannot"
            " be a folder too"
        ) from fault
