"""Unpacking of tar archives that others made."""

import os
import tarfile
from pathlib import Path, PurePosixPath


class ArchiveError(Exception):
    """A file that is no tar archive, or one that would write outside of its folder."""


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tar archive, compressed or not, below the folder and nowhere else."""
    try:
        with tarfile.open(archive) as tar:
            if hasattr(tarfile, "data_filter"):
                tar.extractall(folder, filter="data")
            else:  # Python 3.11.0 to 3.11.3, which Debian 12 has
                tar.extractall(folder, members=[_harmless(member) for member in tar])  # noqa: S202
    except (tarfile.TarError, OSError, EOFError) as fault:
        raise ArchiveError(str(fault)) from fault


def _harmless(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The member, if it is a file, a folder or a link that stays where it is unpacked."""
    kinds = (member.isreg(), member.isdir(), member.issym(), member.islnk())
    beside = PurePosixPath(member.name).parent if member.issym() else PurePosixPath()
    target = os.path.normpath(beside / member.linkname)
    if not any(kinds) or _leads_out(member.name) or _leads_out(target):
        raise tarfile.ExtractError(f"{member.name!r} would be written outside of the destination")
    return member


def _leads_out(path: str) -> bool:
    return PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts
