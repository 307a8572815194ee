"""Where new data comes from: the trigger form's words, checked and filled in for a date. Pure.

`{date}` in an address stands for the date (2026-11-01).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

BUNDLED = "bundled"
NONE = ""
WEB, S3 = ("http", "https"), "s3"
PLACE = "{date}"
SHA256 = re.compile(r"[0-9a-fA-F]{64}")
# A line of a sha256sum file: the digest, a space, a space or (binary) an asterisk, the name.
LINE = re.compile(r"(?P<digest>[0-9a-fA-F]{64})(?: [ *](?P<name>.+))?")
# What boto3 takes for a bucket: so no login before it (s3://key:secret@bucket) either.
BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")


class OriginError(Exception):
    """The source that was asked for cannot be used; the text is for a person."""


@dataclass(frozen=True)
class Origin:
    """A source of data for any date: nothing, the bundled data set, or an address."""

    source: str
    checksum: str = ""
    """Nothing, a SHA-256 in hexadecimal, or the address of a sha256sum file."""

    @property
    def is_none(self) -> bool:
        return self.source == NONE

    @property
    def is_bundled(self) -> bool:
        return self.source == BUNDLED

    def address(self, day: str) -> str:
        return self.source.replace(PLACE, day)

    def checksum_address(self, day: str) -> str:
        """The address of the checksum's file, or nothing."""
        return "" if SHA256.fullmatch(self.checksum) else self.checksum.replace(PLACE, day)


def read_origin(source: str, checksum: str, *, what: str = "", days: int = 1) -> Origin:
    """The origin that the form's fields `<what>Source` and `<what>Checksum` name, for so many days.

    Raises OriginError with every fault.
    """
    origin = Origin(*map(_in_lower_case, (source.strip(), checksum.strip())))
    if faults := list(_faults(origin, f"{what}Source", f"{what}Checksum", days)):
        raise OriginError("\n".join(faults))
    return origin


def _in_lower_case(address: str) -> str:
    """An address with its scheme (S3://, HTTPS://) as it is compared."""
    scheme, mark, rest = address.partition("://")
    return f"{scheme.lower()}{mark}{rest}" if mark else address


def _faults(origin: Origin, source: str, checksum: str, days: int) -> Iterator[str]:
    scheme = _scheme(origin.source)
    if origin.is_bundled or origin.is_none:
        if origin.checksum:
            yield f"{checksum}: leave it empty where {source} is {origin.source or 'empty'!r}"
        return
    if not scheme:
        yield (
            f"{source}: {shown(origin.source)!r} is no source; write {BUNDLED!r},"
            f" or an address s3://..., https://... or http://... ({PLACE} stands for the date)"
        )
    if scheme in WEB and not origin.checksum:
        yield (
            f"{checksum}: needed for data from the web: a SHA-256 in hexadecimal, or the address"
            " of a sha256sum file"
        )
    fixed = SHA256.fullmatch(origin.checksum)
    if origin.checksum and not fixed and not _scheme(origin.checksum):
        yield (
            f"{checksum}: {shown(origin.checksum)!r} is neither 64 hexadecimal digits nor an"
            " address s3://..., https://... or http://..."
        )
    if days > 1 and PLACE not in origin.source:
        yield f"{source}: with HistoryDays it must name the date ({PLACE}): each has its own file"
    if days > 1 and fixed:
        yield f"{checksum}: with HistoryDays it must be an address: each date has its own digest"


def _scheme(address: str) -> str:
    """s3, http or https, if it is the address of something there."""
    try:
        parts = urlsplit(address.replace(PLACE, "2026-11-01"))
        host = parts.hostname and parts.port != 0  # a port that is none is a ValueError
    except ValueError:
        return ""
    there = BUCKET.fullmatch(parts.netloc) if parts.scheme == S3 else parts.scheme in WEB and host
    return parts.scheme if there and parts.path.strip("/") else ""


def shown(address: str) -> str:
    """An address without what may be secret: a login, and a query (which may be a signature)."""
    try:
        parts = urlsplit(address)
    except ValueError:  # where its login ends cannot be told
        return f"{address.partition('://')[0]}://..."
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def digest_in(text: str, name: str, where: str) -> str:
    """The SHA-256 of a file of that name in a sha256sum file, or in a file with just a digest.

    `where` is what an error calls that file.
    """
    lines = [match for line in text.splitlines() if (match := LINE.fullmatch(line.strip()))]
    for line in lines:
        if line["name"] is None or line["name"].rpartition("/")[2] == name:
            return line["digest"].lower()
    there = ", ".join(sorted(line["name"] for line in lines)) or "no line of a sha256sum file"
    raise OriginError(f"{where} holds no SHA-256 of {name}, but: {there}")
