"""
### Iris: train a model

Tells three species of iris apart by the size of their petals and sepals: splits the rows, trains a
random forest by a script, scores the test rows by a batch transform, measures how many of them
are right, and registers the model with that accuracy. A straight line; `land_data` in front of
it puts scikit-learn's 150 rows into S3 where the default prefix is still empty.

**Runs** on the first of every month, by hand (the form has the pipeline's parameters), and as a
backfill. Each run writes below its own `s3://<bucket>/iris/runs/<id>/`.

**When it fails**, the task's log ends with SageMaker's reason and the tail of the job's own log.
`IrisProcess` names file, row and column of bad data. A retry never starts a job twice; *Clear*
starts it anew.

The pipeline: `include/pipelines/iris/pipeline.py`. More: `docs/iris.md`.
"""

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import task

from include.nacre.dag import PipelineDag
from include.pipelines.iris.pipeline import PREFIX, RAW_KEY, get_pipeline
from include.pipelines.pools import POOLS
from include.pipelines.site import find_site

SITE = find_site(os.environ, PREFIX)


@task
def land_data(*, params: Any = None) -> str:
    """The bundled rows, unless there are some already. Other prefixes are their owners' affair."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    from airflow.sdk.exceptions import AirflowFailException

    from include.pipelines.iris import source

    address, s3 = str(params["InputData"]), S3Hook()
    if address != SITE.prefix_of(RAW_KEY):
        return f"{address} is not the default prefix: nothing landed"
    if not s3.check_for_bucket(SITE.bucket):
        raise AirflowFailException(
            f"The bucket {SITE.bucket!r} does not exist, or the connection aws_default may not see"
            f" it. Create it (aws s3 mb s3://{SITE.bucket}), or set SAGEMAKER_BUCKET to one of"
            " yours."
        )
    if s3.list_keys(SITE.bucket, prefix=f"{PREFIX}/raw/", max_items=1):
        return f"{address} holds data already: nothing landed"
    s3.load_bytes(source.raw_csv(), RAW_KEY, SITE.bucket, replace=True)
    return f"landed s3://{SITE.bucket}/{RAW_KEY}"


with PipelineDag(
    "iris_training",
    get_pipeline(),
    step_args=POOLS,
    schedule="@monthly",
    # No start_date: with one, unpausing the DAG would at once run the last month.
    catchup=False,
    max_active_runs=4,
    doc_md=__doc__,
    tags=["iris", "training"],
    default_args={"owner": "ml-platform", "retries": 1, "retry_delay": timedelta(minutes=1)},
) as dag:
    land_data() >> dag.get_task("IrisProcess")
