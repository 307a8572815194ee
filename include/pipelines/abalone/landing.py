"""New data, fetched from where it comes from, checked, and landed in the bucket.

The S3 client is passed in. What is not there (yet) is a NotThereError: trying again may help. All
other errors (`FAULTS`) are for a person.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import requests
from botocore.exceptions import BotoCoreError

from include.pipelines.abalone import preprocess, source
from include.pipelines.abalone.layout import (
    BATCH_FILE,
    RAW_FILE,
    address,
    batch_key,
    quarantine_key,
    raw_key,
)
from include.pipelines.abalone.origin import (
    WEB,
    Origin,
    OriginError,
    digest_in,
    read_origin,
    shown,
)
from include.pipelines.abalone.partitions import NoDataError, date_of, days_before
from include.pipelines.abalone.validate import BadFileError, check
from include.pipelines.site import Site

MAX_BYTES = 256 * 2**20  # a file is held in memory
TIMEOUT = (10, 60)  # seconds to connect, and between two packets
GONE = ("404", "NoSuchBucket", "403", "AccessDenied")
log = logging.getLogger(__name__)


class NotThereError(Exception):
    """The source's data cannot be had now."""


class BucketError(Exception):
    """The bucket to land in cannot be used."""


FAULTS = (BadFileError, BucketError, NoDataError, OriginError)


@dataclass(frozen=True)
class Kind:
    """A kind of data: what its rows hold, and where a date's file of it lies."""

    field: str
    """What the form's fields begin with: `<field>Source`, `<field>Checksum`."""
    columns: tuple[str, ...]
    min_rows: int
    key: Callable[[str], str]
    file: str
    bundled: Callable[[date], bytes]
    has_history: bool
    """Whether the form's HistoryDays are about it."""


# A day of shells is a hundred and more; twenty leave rows to split.
RAW = Kind("", preprocess.COLUMNS, 20, raw_key, RAW_FILE, source.raw_of, has_history=True)
BATCH = Kind(
    "Batch", preprocess.FEATURES, 1, batch_key, BATCH_FILE, source.batch_of, has_history=False
)


def land(
    s3: Any, site: Site, kind: Kind, form: Mapping[str, Any], run: Any
) -> dict[str, Any] | None:
    """Land a kind of data of a run's date, as the trigger form asks for it: the facts of it. None
    where the form names no source.

    `run` has Airflow's `logical_date` and `run_after`.
    """
    day = date_of(form["Date"], run.logical_date, run.run_after)
    history = days_before(day, form["HistoryDays"] if kind.has_history else 0)
    given, checksum = (form[f"{kind.field}{name}"] or "" for name in ("Source", "Checksum"))
    origin = read_origin(given, checksum, what=kind.field, days=1 + len(history))
    if origin.is_none:
        return None
    place = Landing(s3, site, kind, origin)
    place.require_bucket()
    for each in (*place.missing(history), day):
        facts = place.land(each)
        log.info("Landed: %s", facts)
    return facts


@dataclass(frozen=True)
class Landing:
    """A bucket that data of one kind lands in, and where it comes from."""

    s3: Any
    """A boto3 client."""
    site: Site
    kind: Kind
    origin: Origin

    def land(self, day: str) -> dict[str, Any]:
        """Fetch a date's file, check it, put it in place of an older one; the facts of it."""
        content = self._fetch_day(day)
        try:
            checked = check(content, self.kind.columns, self.kind.min_rows)
        except BadFileError as error:
            raise BadFileError([f"{self._source(day)} was not landed:", *error.faults]) from None
        # The bad rows first: whoever sees the new file finds what was left out of it.
        self._set_aside(day, checked.quarantine)
        key = self.kind.key(day)
        self.s3.put_object(Bucket=self.site.bucket, Key=key, Body=checked.content)
        return {
            "partition": day,
            "address": address(self.site, key),
            "rows": checked.rows,
            "quarantined": checked.quarantined,
            "sha256": hashlib.sha256(checked.content).hexdigest(),
        }

    def missing(self, days: list[str]) -> list[str]:
        """Those of the dates whose file is not there."""
        return [day for day in days if not self._is_there(self.kind.key(day))]

    def require_bucket(self) -> None:
        bucket = self.site.bucket
        try:
            self.s3.head_bucket(Bucket=bucket)
        except self.s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise
            raise BucketError(
                f"The bucket {bucket!r} does not exist, or the connection aws_default may not see"
                f" it. Create it (aws s3 mb s3://{bucket}), or set SAGEMAKER_BUCKET to one of"
                " yours."
            ) from None

    def _is_there(self, key: str) -> bool:
        found = self.s3.list_objects_v2(Bucket=self.site.bucket, Prefix=key, MaxKeys=1)
        return any(item["Key"] == key for item in found.get("Contents", []))

    def _set_aside(self, day: str, quarantine: bytes) -> None:
        place = {"Bucket": self.site.bucket, "Key": quarantine_key(day, self.kind.file)}
        if quarantine:
            self.s3.put_object(**place, Body=quarantine)
        else:
            self.s3.delete_object(**place)

    def _source(self, day: str) -> str:
        origin = self.origin
        return f"{origin.source} {day}" if origin.is_bundled else shown(origin.address(day))

    def _fetch_day(self, day: str) -> bytes:
        if self.origin.is_bundled:
            return self.kind.bundled(date.fromisoformat(day))
        where = self.origin.address(day)
        content = fetch(self.s3, where)
        if (promised := self._promised(day, where)) and promised != _digest(content):
            raise NotThereError(
                f"{shown(where)}: its SHA-256 is {_digest(content)}, but {promised} was promised."
                " Either the file is not the right one, or it is still being written."
            )
        return content

    def _promised(self, day: str, where: str) -> str:
        if not (there := self.origin.checksum_address(day)):
            return self.origin.checksum.lower()
        text = fetch(self.s3, there).decode(errors="replace")
        return digest_in(text, shown(where).rpartition("/")[2], shown(there))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fetch(s3: Any, where: str, limit: int = MAX_BYTES) -> bytes:
    """The bytes at an address of S3 or the web, `limit` at most."""
    parts = _from_web(where) if where.startswith(WEB) else _from_s3(s3, where)
    content = bytearray()
    for part in parts:
        content += part
        if len(content) > limit:
            raise BadFileError([f"{shown(where)}: it is larger than {limit:,} bytes"])
    return bytes(content)


def _from_web(where: str) -> Iterator[bytes]:
    try:
        with requests.get(where, stream=True, timeout=TIMEOUT) as answer:
            if not answer.ok:
                said = f"{answer.status_code} {answer.reason}"
                raise NotThereError(f"{shown(where)}: the server answers {said}")
            yield from answer.iter_content(2**16)
    # requests lets a ValueError of urllib3's through: of a host's name that is none.
    except (requests.RequestException, ValueError) as error:
        # Not its text: that holds the whole address, with what may be secret in it.
        raise NotThereError(f"{shown(where)} cannot be fetched ({type(error).__name__})") from None


def _from_s3(s3: Any, where: str) -> Iterator[bytes]:
    bucket, _, key = where.removeprefix("s3://").partition("/")
    try:
        yield from s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(2**16)
    except s3.exceptions.ClientError as error:
        said = error.response["Error"]
        raise NotThereError(f"{where}: {said['Code']}: {said.get('Message', '')}") from None
    except BotoCoreError as error:  # no answer, or half of one
        raise NotThereError(f"{where} cannot be fetched ({error})") from None
