"""Source archives: what an image in script mode unpacks and runs."""

import io
import struct
import tarfile
import zlib
from collections.abc import Iterator, Mapping

from include.nacre.definition.authoring import Asset

NAME = "sourcedir.tar.gz"
# Deflate (8), no flags, no time, no hint, unknown system (255): RFC 1952, 2.3.
_GZIP_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
_BLOCK = 0xFFFF


def source_archive(files: Mapping[str, bytes]) -> Asset:
    """The files, by name, as an archive whose bytes depend on nothing but them.

    An asset's address holds the digest of its content, and the address stands in the definition.
    What zlib makes of the same bytes differs between its versions, so a laptop and a server would
    render different definitions of one source: hence stored, not compressed. Sources are small.
    """
    return Asset(NAME, _gzip(_tar(files)))


def _tar(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(name)  # nobody's, of 1970, readable by all
            member.size = len(files[name])
            archive.addfile(member, io.BytesIO(files[name]))
    return written.getvalue()


def _gzip(content: bytes) -> bytes:
    end = struct.pack("<II", zlib.crc32(content), len(content))
    return b"".join([_GZIP_HEADER, *_stored(content), end])


def _stored(content: bytes) -> Iterator[bytes]:
    """Deflate's blocks without compression: RFC 1951, 3.2.4."""
    for start in range(0, len(content), _BLOCK):
        block = content[start : start + _BLOCK]
        last = start + _BLOCK >= len(content)
        yield struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block
