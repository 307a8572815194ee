"""Airflow DAGs of one processing job that sleeps, waiting in the triggerer and in the worker; and
the same as a pipeline that SageMaker executes.
"""

from datetime import datetime, timedelta

from include.nacre.dag import PipelineDag
from include.nacre.definition.authoring import Asset, Join, Pipeline, Processing, String, pipeline
from include.pipelines.images import SCIKIT_LEARN
from include.pipelines.requests import script_job
from include.pipelines.site import find_site

SCRIPT = Asset(
    "sleep.py",
    b"""import pathlib, sys, time
print("sleeping", sys.argv[1], "seconds", flush=True)
time.sleep(float(sys.argv[1]))
pathlib.Path("/opt/ml/processing/done/done.txt").write_text("done")
""",
)


def get_pipeline() -> Pipeline:
    site = find_site({}, "sleepers")
    seconds = String("Seconds", "60")
    request = script_job(
        site,
        "Sleep",
        SCRIPT,
        image=SCIKIT_LEARN,
        inputs={},
        outputs=["done"],
        instance_type="ml.m5.large",
        arguments=[Join("", [seconds])],
    )
    return pipeline(
        "Sleepers",
        parameters=[seconds],
        steps=[Processing("Sleep", request)],
        assets={site.code(SCRIPT): SCRIPT},
    )


for dag_id, mode, deferrable in (
    ("sleep_in_triggerer", "steps", True),
    ("sleep_in_worker", "steps", False),
    ("native_in_triggerer", "native", True),
):
    PipelineDag(
        dag_id,
        get_pipeline(),
        mode,
        native_args={"execution_description": "{{ run_id }}"},
        schedule=None,
        start_date=datetime(2026, 1, 1),
        default_args={
            "deferrable": deferrable,
            "retries": 1,
            "retry_delay": timedelta(seconds=1),
        },
    )
