"""An Airflow DAG of a pipeline of two steps in a mapped group, for backfills: what they write is to
be seen in S3.
"""

from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, task_group

from include.nacre.dag import PipelineTaskGroup
from include.nacre.definition.authoring import Asset, Integer, Pipeline, Processing, pipeline
from include.pipelines.images import SCIKIT_LEARN
from include.pipelines.requests import script_job
from include.pipelines.site import find_site

SCRIPT = Asset("write.py", b"open('/opt/ml/processing/out/out.txt', 'w').write('written')")
NUMBER = Integer("Number")


def get_pipeline() -> Pipeline:
    site = find_site({}, "reprocessed")
    steps = []
    for name in ("First", "Last"):
        request = script_job(
            site,
            name,
            SCRIPT,
            image=SCIKIT_LEARN,
            inputs={},
            outputs=["out"],
            instance_type="ml.m5.large",
            arguments=[str(name)],
        )
        after = [step.name for step in steps]
        steps.append(Processing(name, request, depends_on=after))
    return pipeline(
        "Reprocessed", parameters=[NUMBER], steps=steps, assets={site.code(SCRIPT): SCRIPT}
    )


@task_group
def each(number: Any) -> None:
    PipelineTaskGroup("pipeline", get_pipeline(), parameters={"Number": number})


DAILY = CronTriggerTimetable("0 0 * * *", timezone="UTC", run_immediately=False)

with DAG("reprocessed", schedule=DAILY, catchup=False):
    each.expand(number=[1, 2])
