"""
### Abalone: land the data

Puts the raw data (4,177 shells, from the package scikit-lego: no download) and a batch of shells to
score into S3, after the checks that the training itself makes. Then it says so with the asset
`abalone_raw`, which starts **abalone_training**. The asset's event carries the facts: address,
rows, checksum.

| what | where |
| --- | --- |
| labelled rows | `s3://<bucket>/abalone/raw/abalone.csv` |
| rows to score | `s3://<bucket>/abalone/batch/batch.csv` |

Run it by hand; running it again lands the same files. A data DAG of your own can take its place:
the training knows only the asset.
"""

import hashlib
import os
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from airflow.sdk import Asset, dag, task

from include.pipelines.abalone.layout import BATCH, BATCH_FILE, PREFIX, RAW, RAW_DATA, RAW_FILE
from include.pipelines.site import find_site

BUCKET = find_site(os.environ, PREFIX).bucket
raw_data = Asset(RAW_DATA)


@dag(
    schedule=None,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["abalone", "data"],
    default_args={"owner": "ml-platform", "retries": 2, "retry_delay": timedelta(seconds=30)},
)
def abalone_ingest() -> None:
    @task
    def land_batch() -> dict[str, Any]:
        """The rows to score; first, since the training reads both."""
        from include.pipelines.abalone import preprocess, source

        return land(source.batch_csv(), f"{BATCH}/{BATCH_FILE}", preprocess.FEATURES)

    @task(outlets=[raw_data])
    def land_raw(*, outlet_events: Any = None) -> dict[str, Any]:
        """The labelled rows, and the asset with its facts."""
        from include.pipelines.abalone import preprocess, source

        facts = land(source.raw_csv(), f"{RAW}/{RAW_FILE}", preprocess.COLUMNS)
        outlet_events[raw_data].extra = facts
        return facts

    land_batch() >> land_raw()


def land(content: bytes, key: str, columns: tuple[str, ...]) -> dict[str, Any]:
    """Check a file and write it. Neither bad data nor a missing bucket mends itself: no retry."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    from airflow.sdk.exceptions import AirflowFailException

    s3 = S3Hook()
    if not s3.check_for_bucket(BUCKET):
        raise AirflowFailException(
            f"The bucket {BUCKET!r} does not exist, or the connection aws_default may not see it."
            f" Create it (aws s3 mb s3://{BUCKET}), or set SAGEMAKER_BUCKET to one of yours."
        )
    rows = rows_of(content, Path(key).name, columns)
    s3.load_bytes(content, key, BUCKET, replace=True)
    digest = hashlib.sha256(content).hexdigest()
    return {"address": f"s3://{BUCKET}/{key}", "rows": rows, "sha256": digest}


def rows_of(content: bytes, name: str, columns: tuple[str, ...]) -> int:
    """How many rows the preparation will find; it must find no fault."""
    from airflow.sdk.exceptions import AirflowFailException

    from include.pipelines.abalone import preprocess

    with TemporaryDirectory() as folder:
        Path(folder, name).write_bytes(content)
        try:
            (table,) = preprocess.read_tables(Path(folder), columns).values()
        except preprocess.BadInputError as error:
            raise AirflowFailException(f"The data was not landed:\n{error}") from None
    return len(table)


abalone_ingest()
