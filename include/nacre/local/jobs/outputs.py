"""What a job leaves behind, on its way to S3: files one by one, or an archive."""

import os
import tarfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from include.nacre.local.objects import Objects, S3Uri

# Nobody waits for a network here: little compression is the quickest way to disk.
_COMPRESSION = 1
_SYNC_SECONDS = 1.0

Entries = Iterator[tuple[str, os.DirEntry[str]]]


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """(path below the folder, file) of every regular file; symlinks are not followed."""
    for relative, entry in _entries(folder):
        if entry.is_file(follow_symlinks=False):
            yield relative, Path(entry.path)


def upload(objects: Objects, folder: Path, uri: S3Uri) -> None:
    """Put every file below the address; nobody may write to them any more."""
    for relative, path in files(folder):
        objects.put_file(uri.join(relative), path, give=True)


def archive(folders: Sequence[Path], target: Path) -> bool:
    """Pack the folders' contents into one tar.gz, at its root; whether there was anything.

    Where two hosts wrote the same name the first one's file is taken.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    packed: set[str] = set()
    with tarfile.open(target, "w:gz", compresslevel=_COMPRESSION) as tar:
        for folder in folders:
            for relative, entry in _entries(folder):
                is_known = entry.is_symlink() or entry.is_file() or entry.is_dir()
                if is_known and relative not in packed:  # no pipes, sockets or devices
                    tar.add(entry.path, relative, recursive=False, filter=_anonymous)
                    packed.add(relative)
    return bool(packed)


class FolderSync:
    """Keeps a prefix in S3 like a folder that a job is writing to.

    What is in the folder at first is taken to be in S3 already.
    """

    def __init__(self, objects: Objects, folder: Path, uri: S3Uri, *, deletes: bool) -> None:
        self._objects, self._folder, self._uri = objects, folder, uri
        self._deletes = deletes
        self._known = self._seen()

    def sync(self) -> None:
        """Upload what is new or changed; remove what is gone, if deletes are to be followed."""
        seen = self._seen()
        for relative, state in seen.items():
            if self._known.get(relative) != state:
                self._put(relative)
        if self._deletes:
            for relative in self._known.keys() - seen.keys():
                self._objects.delete(self._uri.join(relative))
        self._known = seen

    def _put(self, relative: str) -> None:
        try:
            self._objects.put_file(self._uri.join(relative), self._folder / relative)
        except FileNotFoundError:  # the job has removed it meanwhile; the next round sees that
            return

    def _seen(self) -> dict[str, tuple[int, int]]:
        states = {}
        for relative, path in files(self._folder):
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            states[relative] = (status.st_mtime_ns, status.st_size)
        return states


class Background:
    """Syncs folders every second, in a thread of its own, as long as its context lasts."""

    def __init__(self, syncs: Sequence[FolderSync]) -> None:
        self._syncs = syncs
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)

    def __enter__(self) -> None:
        if self._syncs:
            self._thread.start()

    def __exit__(self, fault: type[BaseException] | None, *_more: object) -> None:
        self._over.set()
        if self._syncs:
            self._thread.join()
        if fault is None:  # once more, in this thread, so that a fault shows
            for sync in self._syncs:
                sync.sync()

    def _run(self) -> None:
        while not self._over.wait(_SYNC_SECONDS):
            for sync in self._syncs:
                sync.sync()


def _entries(folder: Path) -> Entries:
    """Everything below a folder (not below a link), folders before what is in them."""
    if folder.is_symlink() or not folder.is_dir():
        return
    yield from _below(folder, "")


def _below(folder: str | Path, prefix: str) -> Entries:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:  # removed while the job runs
        return
    for entry in entries:
        relative = f"{prefix}{entry.name}"
        yield relative, entry
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path, f"{relative}/")


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without this machine's user and group, as the service's own."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
