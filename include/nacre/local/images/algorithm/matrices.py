"""The body of a request for predictions as an XGBoost matrix."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

from include.nacre.local.images.content import Unsupported, csv_matrix
from include.nacre.local.images.errors import library_text

CSV_TYPE = "text/csv"
LIBSVM_TYPES = frozenset({"text/libsvm", "text/x-libsvm"})


def to_matrix(body: bytes, content_type: str) -> Any:
    """The rows of a CSV (no label, no header) or libsvm body; ValueError if they are none."""
    import xgboost

    if content_type == CSV_TYPE:
        return xgboost.DMatrix(csv_matrix(body.decode("utf-8").strip()))
    if content_type not in LIBSVM_TYPES:
        raise Unsupported(content_type, 415)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "payload"
        path.write_bytes(body)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "(?s).*Text file input")  # deprecated, and as there
            try:
                return xgboost.DMatrix(f"{path}?format=libsvm")
            except xgboost.core.XGBoostError as fault:
                raise ValueError(library_text(fault)) from fault
