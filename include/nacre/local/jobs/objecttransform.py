"""One input object of a batch transform on its way through the model, as a stream."""

import gzip
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from include.nacre.local.images.wire import Reply
from include.nacre.local.jobs import records
from include.nacre.local.jobs.dataprocessing import DataProcessing, ProcessingError
from include.nacre.local.jobs.invoking import ModelServer
from include.nacre.local.jobs.logs import LogStream, escape
from include.nacre.local.objects import StoredObject

Blame = Literal["ClientError", "AlgorithmError"]
_T = TypeVar("_T")

_STRATEGIES = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}
_LOGGED_BYTES = 8192  # of a reply that says what is wrong


@dataclass(frozen=True)
class Settings:
    """How objects become requests and replies an object; `header` goes with every request."""

    by_line: bool
    strategy: str
    max_payload_mb: int
    concurrency: int
    is_gzip: bool
    adds_line_ends: bool
    header: Mapping[str, str | None]
    processing: DataProcessing | None

    @classmethod
    def of(
        cls,
        request: Mapping[str, Any],
        said: Mapping[str, Any],
        processing: DataProcessing | None,
    ) -> "Settings":
        """The request's settings, where it is silent the server's, and then the service's."""
        given, wanted = request["TransformInput"], request["TransformOutput"]
        strategy = _STRATEGIES.get(request.get("BatchStrategy", ""))
        return cls(
            by_line=given.get("SplitType", "None") == "Line",
            strategy=strategy or str(said.get("BatchStrategy", "MULTI_RECORD")),
            max_payload_mb=int(request.get("MaxPayloadInMB") or said.get("MaxPayloadInMB", 6)),
            concurrency=int(
                request.get("MaxConcurrentTransforms") or said.get("MaxConcurrentTransforms", 1)
            ),
            is_gzip=given.get("CompressionType") == "Gzip",
            adds_line_ends=wanted.get("AssembleWith") == "Line",
            header={"content_type": given.get("ContentType"), "accept": wanted.get("Accept")},
            processing=processing,
        )

    @property
    def packing(self) -> records.Packing:
        """How records become payloads."""
        many = self.strategy == "MULTI_RECORD"
        return records.Packing(self.by_line, many, self.max_payload_mb << 20)


class DataLog:
    """The data-log stream of a host: what was wrong with which object."""

    def __init__(self, stream: LogStream) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write one line at once."""
        self._stream.append(time.time_ns() // 1_000_000, f"[sagemaker logs]: {text}")
        self._stream.flush()

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


class _Refused(Exception):  # noqa: N818 - the model's answer, turned into blame at once
    """The model answered with a status that is no success."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class ObjectTransform:
    """Transforms objects with one server."""

    def __init__(self, server: ModelServer, settings: Settings, log: DataLog) -> None:
        self._server, self._settings, self._log = server, settings, log

    def run(self, source: StoredObject, output: Path) -> Blame | None:
        """Write the object's output; who is to blame if there is none (the data log says why)."""
        name = f"{source.uri.bucket}/{source.uri.key}"
        try:
            with self._open(source.path) as stream, output.open("wb") as written:
                for body in self._bodies(stream):
                    written.write(body)
                    if self._settings.adds_line_ends and body and not body.endswith(b"\n"):
                        written.write(b"\n")
        except _Refused as refused:
            return self._log_refusal(name, refused.reply)
        except (ProcessingError, records.TooLarge, gzip.BadGzipFile, EOFError) as fault:
            self._log.write(f"{name}: ClientError: {fault}")
            return "ClientError"
        return None

    def _open(self, path: Path) -> records.Stream:
        return gzip.open(path) if self._settings.is_gzip else path.open("rb")

    def _bodies(self, stream: records.Stream) -> Iterator[bytes]:
        """The parts of the output, in order."""
        packing, processing = self._settings.packing, self._settings.processing
        if processing is None:
            plain = ((payload, None) for payload in records.payloads(stream, packing))
            yield from (body for _, body in self._answers(plain))
            return
        # With filters and joins every record counts, and is kept until its prediction is there.
        by_line = packing.by_line
        each = (
            records.lines(stream, packing.max_bytes)
            if by_line
            else records.payloads(stream, packing)
        )
        pairs = (records.Pair(record, processing.to_model(record)) for record in each)
        groups = records.packed(pairs, packing.max_bytes, many=packing.many)
        asked = ((b"\n".join(pair.sent for pair in group), group) for group in groups)
        for group, body in self._answers(asked):
            yield processing.from_model([pair.record for pair in group], body)

    def _answers(self, asked: Iterable[tuple[bytes, _T]]) -> Iterator[tuple[_T, bytes]]:
        settings = self._settings
        answers = self._server.answers(asked, settings.header, settings.concurrency)
        with closing(answers):
            for companion, reply in answers:
                if reply.status >= 400:
                    raise _Refused(reply)
                yield companion, reply.body

    def _log_refusal(self, name: str, reply: Reply) -> Blame:
        blame: Blame = "ClientError" if reply.status < 500 else "AlgorithmError"
        self._log.write(f"{name}: {blame}: {reply.status}")
        self._log.write(f"{name}: Message:")
        for line in reply.body[:_LOGGED_BYTES].splitlines():
            self._log.write(f"{name}: {escape(line)}")
        return blame
