"""Where the abalone data lies, and what the assets are called that say that some has arrived.

A partition is a day's data, named by its date (`2026-11-01`).
"""

from include.pipelines.site import Site

PREFIX = "abalone"

# Assets are names alone, no s3:// addresses: to check one, Airflow loads the Amazon provider and
# boto3 while it parses the DAG file (0.2 s). The address stands in the event's extra.
RAW_DATA = "abalone_raw"
BATCH_DATA = "abalone_batch"
REGISTERED = "abalone_model_registered"
APPROVED = "abalone_model_approved"
SCORES = "abalone_scores"

MODEL_PACKAGE_GROUP = "abalone"

RAW = f"{PREFIX}/raw"
BATCH = f"{PREFIX}/batch"
QUARANTINE = f"{PREFIX}/quarantine"
SCORED = f"{PREFIX}/scores"
RAW_FILE, BATCH_FILE = "abalone.csv", "batch.csv"
PREDICTIONS_FILE, QUALITY_FILE = "predictions.csv", "quality.json"
"""What scoring leaves in `scores/<date>/<execution id>/`."""


def raw_key(date: str) -> str:
    """The object of a partition's labelled rows."""
    return f"{RAW}/{date}/{RAW_FILE}"


def batch_key(date: str) -> str:
    """The object of a partition's rows to score."""
    return f"{BATCH}/{date}/{BATCH_FILE}"


def address(site: Site, key: str) -> str:
    """The S3 address of a key in the site's bucket."""
    return f"s3://{site.bucket}/{key}"


def quarantine_key(date: str, file: str) -> str:
    """The object of a partition's bad rows; `file` is RAW_FILE or BATCH_FILE."""
    return f"{QUARANTINE}/{date}/{file}"
