"""
### Abalone: approve a model

A version that **abalone_training** has registered is pending in the model registry. This DAG asks a
person in *Browse → Required Actions*, with the evidence: the candidate's metrics beside those of
the version in production, measured on the same test rows; the pictures; the data; the run. The
answer goes to the registry with the person's name and comment.

| answer | status in the registry | then |
| --- | --- | --- |
| Approve | `Approved` | the asset `abalone_model_approved` starts **abalone_scoring** |
| Reject | `Rejected` | the version in production stays |
| Leave pending, or no answer within 7 days | `PendingManualApproval` | log and alert say so |

**Runs** when a version has been registered, and by hand. It asks for the pending version with the
newest data; with `Version` for a certain one, also for one that was rejected. One question at a
time: what is registered meanwhile waits for the next run. A version with older data than the one
in production stays pending.

**A rule** may approve instead of a person: with `ApproveIfBetterBy`, a candidate that beats the
version in production by so many per cent. Off by default.

**When it fails**: a comparison that fails stops nobody, the question then says so. `approve` and
`reject` fail when somebody has decided otherwise meanwhile; their log says what to do.
More: `docs/approval.md`.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, dag, task

from include.nacre.dag import PipelineTaskGroup, approval
from include.nacre.dag.alerts import Alert, keep_reason
from include.pipelines.abalone import layout
from include.pipelines.abalone.comparison import EVALUATE_STEP, PREPARE_STEP, get_comparison
from include.pipelines.pools import POOLS

registered, approved = Asset(layout.REGISTERED), Asset(layout.APPROVED)
ABALONE = approval.Approval(
    group=layout.MODEL_PACKAGE_GROUP,
    metric="mse",
    registered=registered,
    approved=approved,
    then="starts **abalone_scoring**, which scores with it from then on",
)


@task(multiple_outputs=True)
def find_candidate(*, params: Any = None) -> dict[str, Any]:
    """The version to decide on, the one in production, and what it takes to compare them."""
    return ABALONE.find_candidate(params)


# Whoever has a link to a picture may open it: none in the log.
@task(multiple_outputs=True, show_return_value_in_logs=False, inlets=[registered])
def gather_evidence(
    found: dict[str, Any], measured: str, *, params: Any = None, inlet_events: Any = None
) -> dict[str, Any]:
    """What a person sees before deciding, and what the rule says."""
    return ABALONE.gather_evidence(found, measured, params, inlet_events)


@task(outlets=[approved])
def approve_by_rule(found: Any, ruling: dict[str, Any], *, outlet_events: Any = None) -> None:
    """Writes the status with the rule's reason, and emits the asset that scoring waits for."""
    ABALONE.approve_by_rule(found, ruling, outlet_events)


@task(outlets=[approved])
def approve(found: dict[str, Any], answer: dict[str, Any], *, outlet_events: Any = None) -> None:
    """Writes the status with the person's name, and emits the asset that scoring waits for."""
    ABALONE.approve(found, answer, outlet_events)


@dag(
    schedule=[registered],
    catchup=False,
    max_active_runs=1,
    params=ABALONE.form(),
    doc_md=__doc__,
    tags=["abalone", "approval"],
    on_failure_callback=Alert(),
    default_args={
        "owner": "ml-platform",
        "retries": 1,
        "retry_delay": timedelta(minutes=1),
        "on_failure_callback": keep_reason,
    },
)
def model_approval() -> None:
    found = find_candidate()
    comparison = PipelineTaskGroup(
        "comparison",
        get_comparison(),
        parameters={
            "TestRows": found["test_rows"],
            "ChampionPreprocessor": found["preprocessor"],
            "ChampionModel": found["model"],
        },
        step_args={"Processing": POOLS["Processing"]},
    )
    measured = approval.read_comparison(f"comparison.{EVALUATE_STEP}")
    evidence = gather_evidence(found, measured)
    subject, ruling = evidence["subject"], evidence["ruling"]
    ask = approval.question(subject, evidence["body"])

    what_to_do = approval.what_to_do(found, f"comparison.{PREPARE_STEP}")
    what_to_do >> [comparison, approval.nothing_to_ask(found), measured]
    comparison >> measured
    how_to_decide = approval.how_to_decide(ruling)
    how_to_decide >> [approve_by_rule(found, ruling), approval.tell(subject), ask]
    approval.what_was_answered(ask.output) >> [
        approve(found, ask.output),
        approval.reject(found, ask.output),
        approval.leave_pending(found, subject, ask.output),
    ]


model_approval()
