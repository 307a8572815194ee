"""
### Abalone: score the batches

Predicts the rings of every batch of shells that has landed since it was last scored, with the
newest **approved** version of the model: prepares the rows with the training's own script and
fitted preprocessor, predicts, joins each prediction to its row, checks the result. Each batch
writes to `s3://<bucket>/abalone/scores/<date>/<id>/`: `predictions.csv`, and `quality.json` with
the drift of the rows against the training rows. The asset `abalone_scores` carries the facts.

**Runs** when **abalone_ingest** has landed a batch, when **model_approval** has approved a
version, and by hand: with `Date` for that day's batch, scored or not; without for all that wait.
One run at a time; its batches do not wait for each other, and a bad one fails alone.

**Skips** everything while no version is approved, and when no batch waits. The log says which.

**When it fails**, the task's log says why: `ScorePrepare` names file, row and column of bad data,
`ScoreJoin` the predictions that cannot be. Land the batch again, and the next run scores it; or
*Clear* the failed task. Drift does not fail a run: `report_drift` logs it, and sends an alert.
More: `docs/scoring.md`.
"""

import os
from datetime import timedelta
from functools import partial
from typing import Any

from airflow.sdk import DAG, Asset, Param, get_current_context, task, task_group

from include.nacre.dag import PipelineTaskGroup
from include.nacre.dag.alerts import Alert, keep_reason
from include.pipelines.abalone import layout
from include.pipelines.abalone.scoring import get_scoring
from include.pipelines.pools import POOLS
from include.pipelines.site import find_site

GROUP = layout.MODEL_PACKAGE_GROUP
SITE = find_site(os.environ, layout.PREFIX)
batch, approved, scores = map(Asset, (layout.BATCH_DATA, layout.APPROVED, layout.SCORES))

PARAMS = {
    "Date": Param(
        None,
        type=["null", "string"],
        format="date",
        description="Score this day's batch, even if it has been scored; empty: all that wait",
    ),
    "DaysBack": Param(
        31,
        type="integer",
        minimum=1,
        maximum=366,
        description="How many days back from the newest batch others are looked for",
    ),
    "DriftThreshold": Param(
        0.25,
        type="number",
        exclusiveMinimum=0,
        description="The population stability index above which a feature has drifted",
    ),
}


@task
def choose_version() -> dict[str, str]:
    """The newest approved version, and what prepares rows for it."""
    from include.nacre.dag import serving

    return serving.choose_version(GROUP, ["Preprocessor", "Baseline"])


@task
def find_batches(
    *, params: Any = None, triggering_asset_events: Any = None
) -> list[dict[str, str]]:
    """The batches that wait, the oldest first. Done again (by a retry, by *Clear*): the same."""
    from airflow.sdk.exceptions import AirflowSkipException

    from include.nacre.dag import serving
    from include.nacre.dag.own_tasks import told
    from include.pipelines.abalone import batches

    arrived = (triggering_asset_events or {}).get(batch, ())
    events = [(event.extra, event.timestamp) for event in arrived]
    look = partial(batches.find, SITE, serving.stored, serving.read, events, params)
    with told(batches.BadBatchError):
        found = serving.kept("batches", look)
    if not found:
        raise AirflowSkipException("No batch waits: each has been scored since it landed.")
    return found


@task
def ensure_model(version: dict[str, str]) -> str:
    """The name of the version's model, which is made if it is missing."""
    from include.nacre.dag import serving

    return serving.ensure_model(GROUP, version["Arn"], SITE.role)


@task(outlets=[scores])
def publish(
    date: str, version: dict[str, str], *, ti: Any = None, outlet_events: Any = None
) -> dict[str, Any]:
    """The facts of a scored batch, for people and with the asset."""
    from include.nacre.dag import serving
    from include.pipelines.abalone import drift

    job = ti.xcom_pull(task_ids="ScoreJoin", map_indexes=ti.map_index)["name"]
    folder = serving.output_address(job, "scores")
    quality: Any = serving.read(f"{folder}/{layout.QUALITY_FILE}")
    facts = drift.facts(date, folder, version["Arn"], quality)
    outlet_events[scores].extra = facts
    return {**facts, "drift": quality["drift"]}


@task
def report_drift(facts: dict[str, Any], *, params: Any = None) -> None:
    """The drift of a batch against the training rows, feature by feature; an alert if there is
    some. Whether the predictions can still be trusted is for a person to judge.
    """
    from include.pipelines.abalone import drift

    print(drift.table(facts["drift"], params["DriftThreshold"]))
    if said := drift.alert(facts, facts["drift"], params["DriftThreshold"]):
        subject, message = said
        alert = Alert("{{ subject }}", "{{ message }}")
        alert.tell(get_current_context(), subject=subject, message=message)


@task
def clean_up(model: str) -> None:
    """Remove the models of versions that are not used any more."""
    from include.nacre.dag import serving

    serving.remove_unused_models(GROUP, kept=model)


# The grid shows a batch's date in place of its index.
BY_DATE = {"map_index_template": "{{ ti.xcom_pull('find_batches')[ti.map_index]['date'] }}"}


@task_group(prefix_group_id=False, default_args=BY_DATE)
def score(date: str, address: str, landed: str, version: Any, model: Any) -> None:
    """One batch. Batches do not wait for each other, and a bad one fails alone."""
    given = {
        "Date": date,
        "BatchData": address,
        "Landed": landed,
        "ModelName": model,
        "Preprocessor": version["Preprocessor"],
        "Baseline": version["Baseline"],
    }
    pools = {kind: POOLS[kind] for kind in ("Processing", "Transform")}
    steps = PipelineTaskGroup(
        "pipeline", get_scoring(), parameters=given, step_args=pools, prefix_group_id=False
    )
    facts = publish(date, version)
    steps >> facts
    report_drift(facts)


with DAG(
    "abalone_scoring",
    schedule=batch | approved,
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    doc_md=__doc__,
    tags=["abalone", "scoring"],
    on_failure_callback=Alert(),
    default_args={
        "owner": "ml-platform",
        "retries": 1,
        "retry_delay": timedelta(minutes=1),
        "on_failure_callback": keep_reason,
    },
):
    version, found = choose_version(), find_batches()
    model = ensure_model(version)
    version >> found >> model
    scored = score.partial(version=version, model=model).expand_kwargs(found)
    # A teardown: it always comes last, and a failure before it fails the run all the same.
    scored >> clean_up(model).as_teardown(setups=model)
