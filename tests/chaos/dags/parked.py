"""Airflow DAGs of one job that ends when a file appears: one for each way to run a step, and each
point of its life.
"""

from datetime import datetime, timedelta

from include.nacre.dag import PipelineDag
from include.nacre.definition.authoring import Asset, Join, Pipeline, Processing, String, pipeline
from include.pipelines.images import SCIKIT_LEARN
from include.pipelines.requests import script_job
from include.pipelines.site import find_site
from tests.chaos.cells import NATIVE, RETRIES, STEP, STEP_IN_WORKER, TASK, WAYS, dag_id

SCRIPT = Asset(
    "until.py",
    b"""import pathlib, sys, time
until, last = pathlib.Path(sys.argv[1]), time.monotonic() + 600
while not until.exists():
    if time.monotonic() > last:
        sys.exit(f"{until} has not appeared")
    time.sleep(0.1)
pathlib.Path("/opt/ml/processing/done/done.txt").write_text("done")
""",
)


def get_pipeline(name: str) -> Pipeline:
    site = find_site({}, name)
    until = String("Until", "")
    request = script_job(
        site,
        TASK,
        SCRIPT,
        image=SCIKIT_LEARN,
        inputs={},
        outputs=["done"],
        instance_type="ml.m5.large",
        arguments=[Join("", [until])],
    )
    return pipeline(
        name,
        parameters=[until],
        steps=[Processing(TASK, request)],
        assets={site.code(SCRIPT): SCRIPT},
    )


for way, points in WAYS.items():
    for point in points:
        PipelineDag(
            dag_id(way, point),
            get_pipeline(dag_id(way, point)),
            "steps" if way in (STEP, STEP_IN_WORKER) else "native",
            native_args={"execution_description": "{{ run_id }}"},
            schedule=None,
            start_date=datetime(2026, 1, 1),
            default_args={
                "deferrable": way in (STEP, NATIVE),
                "retries": RETRIES,
                "retry_delay": timedelta(seconds=1),
            },
        )
