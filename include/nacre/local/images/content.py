"""Bodies of requests and replies as arrays: what the toolkits decode and encode themselves."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

CSV, JSON, NPY = "text/csv", "application/json", "application/x-npy"


class Unsupported(Exception):  # noqa: N818 - a fact about a type, answered with its status
    """A content type that cannot be read (415) or written (406)."""

    def __init__(self, content_type: str, status: int) -> None:
        word = "Content type" if status == 415 else "Accept type"
        super().__init__(f"{word} {content_type} is not supported")
        self.status = status


def csv_matrix(text: str) -> Any:
    """A CSV body without header as floats, an empty cell as NaN; ValueError for anything else.

    The delimiter is sniffed in the start of the first line, as XGBoost's container does.
    """
    import numpy as np

    lines = text.strip().split("\n")
    try:
        sniffed = csv.Sniffer().sniff(lines[0][:512]).delimiter
    except csv.Error as fault:
        raise ValueError(
            f"Could not determine delimiter on line {lines[0][:50]}: {fault}"
        ) from fault
    delimiter = "," if sniffed.isalnum() else sniffed
    try:
        if all(lines):
            return np.loadtxt(lines, delimiter=delimiter, ndmin=2, comments=None)
    except ValueError:  # an empty cell, or what the slower way names better
        pass
    return np.array([[cell or "nan" for cell in line.split(delimiter)] for line in lines], float)


def decode_array(body: str | bytes, content_type: str) -> Any:
    """scikit-learn's default input: exactly these types, float32 for text; CSV is squeezed."""
    import numpy as np

    if content_type == CSV:
        return np.genfromtxt(io.StringIO(_text(body)), dtype=np.float32, delimiter=",")
    if content_type == JSON:
        return np.array(json.loads(body), dtype=np.float32)
    if content_type == NPY:
        return np.load(io.BytesIO(_bytes(body)), allow_pickle=False)
    raise Unsupported(content_type, 415)


def encode_array(prediction: Any, accept: str) -> bytes:
    """The default output: a prediction as JSON, CSV (a row a line) or a NumPy file."""
    encode = _ENCODERS.get(accept)
    if encode is None:
        raise Unsupported(accept, 406)
    return encode(prediction)


def _to_json(prediction: Any) -> bytes:
    return json.dumps(prediction, default=lambda value: value.tolist()).encode()


def _to_csv(prediction: Any) -> bytes:
    import numpy as np

    written = io.StringIO()
    np.savetxt(written, np.asarray(prediction), delimiter=",", fmt="%s")
    return written.getvalue().encode()


def _to_npy(prediction: Any) -> bytes:
    import numpy as np

    written = io.BytesIO()
    np.save(written, prediction)
    return written.getvalue()


_ENCODERS: Mapping[str, Callable[[Any], bytes]] = {CSV: _to_csv, JSON: _to_json, NPY: _to_npy}


def _text(body: str | bytes) -> str:
    return body if isinstance(body, str) else body.decode("utf-8")


def _bytes(body: str | bytes) -> bytes:
    return body if isinstance(body, bytes) else body.encode("utf-8")
