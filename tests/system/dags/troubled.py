"""Airflow DAGs that people are told of: one that fails, and one that misses its deadline."""

from datetime import datetime, timedelta

from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference, task

from include.nacre.dag import PipelineDag
from include.nacre.dag.alerts import Alert, keep_reason
from include.nacre.definition.authoring import Asset, Fail, Pipeline, Processing, pipeline
from include.pipelines.images import SCIKIT_LEARN
from include.pipelines.requests import script_job
from include.pipelines.site import find_site

# A container's first process is deaf to SIGTERM unless it listens.
SLOW = Asset(
    "slow.py",
    b"import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(1))\ntime.sleep(120)\n",
)


def get_slow() -> Pipeline:
    site = find_site({}, "troubled")
    request = script_job(
        site, "Slow", SLOW, image=SCIKIT_LEARN, inputs={}, outputs=[], instance_type="ml.m5.large"
    )
    return pipeline("Slow", steps=[Processing("Slow", request)], assets={site.code(SLOW): SLOW})


with PipelineDag(
    "fails",
    pipeline("Fails", steps=[Fail("TooWeak", "the error 7.1 is over the threshold 6.0")]),
    schedule=None,
    start_date=datetime(2026, 1, 1),
    on_failure_callback=Alert(),
    default_args={"on_failure_callback": keep_reason},
):

    @task
    def land() -> None:
        raise ValueError("row 3 has no sex")

    land()

PipelineDag(
    "late",
    get_slow(),
    schedule=None,
    start_date=datetime(2026, 1, 1),
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(seconds=2),
        callback=AsyncCallback(Alert),
    ),
)
