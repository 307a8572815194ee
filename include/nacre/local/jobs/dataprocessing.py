"""DataProcessing of a batch transform: filter a record, join it with its prediction, filter again.

A record is a CSV line (an array of texts), a JSON line, or a JSON document; a prediction too.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.nacre.local.jobs import jsonpath

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
_OUTPUT, _INPUT = "SageMakerOutput", "SageMakerInput"
_PREDICTION = "output from the algorithm"  # as the service calls it in its messages


class ProcessingError(Exception):
    """A record or a prediction that the settings cannot be applied to."""


@dataclass(frozen=True)
class DataProcessing:
    """The settings of one job; `content_type` is that of records and predictions alike."""

    content_type: str
    input_filter: jsonpath.Path
    output_filter: jsonpath.Path
    joins: bool

    def to_model(self, record: bytes) -> bytes:
        """What of a record the model gets to see."""
        if not self.input_filter:
            return record
        return self._encode(self._select(self.input_filter, self._decode(record, "input")))

    def from_model(self, records: Sequence[bytes], body: bytes) -> bytes:
        """The output for some records and the model's reply to them: lines, or the document."""
        predictions = self._predictions(body)
        if self.joins and len(predictions) != len(records):
            raise ProcessingError(
                f"The algorithm answered {len(records)} records with {len(predictions)}:"
                " they cannot be joined"
            )
        end = b"" if self.content_type == JSON else b"\n"
        # One at a time: as Python's objects the records of a payload are many times its size.
        return b"".join(
            self._encode(self._select(self.output_filter, value)) + end
            for value in self._values(records, predictions)
        )

    def _values(self, records: Sequence[bytes], predictions: Sequence[bytes]) -> Iterator[Any]:
        if self.joins:
            for record, prediction in zip(records, predictions, strict=True):
                yield self._joined(record, prediction)
        else:
            for prediction in predictions:
                yield self._decode(prediction, _PREDICTION)

    def _predictions(self, body: bytes) -> list[bytes]:
        if self.content_type == JSON:
            return [body]
        return [line.rstrip(b"\r") for line in body.split(b"\n") if line.strip()]

    def _joined(self, record: bytes, prediction: bytes) -> Any:
        given = self._decode(record, "input")
        made = self._decode(prediction, _PREDICTION)
        if self.content_type == CSV:
            return given + made
        if isinstance(given, dict):
            return {**given, _OUTPUT: made}
        return {_INPUT: given, _OUTPUT: made}

    def _select(self, path: jsonpath.Path, value: Any) -> Any:
        try:
            return jsonpath.select(path, value)
        except jsonpath.PathError as fault:
            raise ProcessingError(f"A filter does not fit a record: {fault}") from fault

    def _decode(self, line: bytes, what: str) -> Any:
        decode, _ = _CODECS[self.content_type]
        try:
            return decode(line.decode("utf-8"))
        except (ValueError, csv.Error) as fault:
            kind = "CSV" if self.content_type == CSV else "JSON"
            raise ProcessingError(f"Failed to parse {what} as {kind}: {fault}") from fault

    def _encode(self, value: Any) -> bytes:
        _, encode = _CODECS[self.content_type]
        return encode(value).encode("utf-8")


def from_request(request: Mapping[str, Any]) -> DataProcessing | None:
    """The settings of a CreateTransformJob body; None if every record passes as it is.

    Raises ProcessingError with every fault of the settings.
    """
    settings = request.get("DataProcessing") or {}
    joins = settings.get("JoinSource", "None") == "Input"
    faults: list[str] = []
    paths = {
        name: _path(settings.get(name), name, faults) for name in ("InputFilter", "OutputFilter")
    }
    if not joins and not any(paths.values()) and not faults:
        return None
    content_type = str(request["TransformInput"].get("ContentType") or "")
    faults += _faults_of_types(content_type, request)
    if faults:
        raise ProcessingError("DataProcessing cannot be used: " + "; ".join(faults))
    return DataProcessing(content_type, paths["InputFilter"], paths["OutputFilter"], joins)


def _path(text: str | None, name: str, faults: list[str]) -> jsonpath.Path:
    try:
        return jsonpath.parse(text or "$")
    except jsonpath.PathError as fault:
        faults.append(f"{name}: {fault}")
        return ()


def _faults_of_types(content_type: str, request: Mapping[str, Any]) -> list[str]:
    accept = request["TransformOutput"].get("Accept") or ""
    split = request["TransformInput"].get("SplitType", "None")
    assemble = request["TransformOutput"].get("AssembleWith", "None")
    faults = []
    if content_type not in _CODECS:
        faults.append(f"ContentType must be one of {', '.join(_CODECS)}, not {content_type!r}")
    if accept != content_type:
        faults.append(f"Accept ({accept!r}) must be ContentType ({content_type!r})")
    if split != assemble:
        faults.append(f"SplitType ({split}) must be AssembleWith ({assemble})")
    if content_type in {CSV, JSON_LINES} and split != "Line":
        faults.append(f"SplitType must be Line for {content_type}, not {split}")
    if content_type == JSON and split != "None":
        faults.append(f"SplitType must be None for {JSON}, a document; for lines use {JSON_LINES}")
    return faults


def _read_csv(line: str) -> list[str]:
    return next(csv.reader([line], strict=True))


def _write_csv(value: Any) -> str:
    written = io.StringIO()
    row = value if isinstance(value, list) else [value]
    csv.writer(written, lineterminator="").writerow(row)
    return written.getvalue()


def _write_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_CODECS: Mapping[str, tuple[Callable[[str], Any], Callable[[Any], str]]] = {
    CSV: (_read_csv, _write_csv),
    JSON: (json.loads, _write_json),
    JSON_LINES: (json.loads, _write_json),
}
