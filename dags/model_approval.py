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
`reject` fail when somebody else has decided meanwhile; their log says what to do.
More: `docs/approval.md`.
"""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from include.nacre.dag import PipelineTaskGroup
from include.nacre.dag.alerts import Alert, keep_reason
from include.nacre.dag.aws import Account, Aws
from include.nacre.dag.question import QuestionOperator
from include.nacre.registry.decision import (
    COMMENT,
    LEAVE,
    STATUS_OF,
    Decision,
    StaleDecisionError,
    answered,
    ruled,
)
from include.nacre.registry.registrations import source_of
from include.nacre.registry.rules import Rule, Ruling
from include.nacre.registry.version import APPROVED, PENDING, REJECTED
from include.pipelines.abalone import layout
from include.pipelines.abalone.comparison import EVALUATE_STEP, get_comparison
from include.pipelines.pools import POOLS

METRIC = "mse"
LATEST = 200  # registrations, among which the candidate's is looked for
WAIT = timedelta(days=7)  # no longer: a link to a picture lasts a week at most
registered, approved = Asset(layout.REGISTERED), Asset(layout.APPROVED)
aws = Aws(Account("aws_default"))  # connects when it is first used

PARAMS = {
    "Version": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        description="Number of the version to decide on; empty: the pending one with the newest"
        " data",
    ),
    "ApproveIfBetterBy": Param(
        None,
        type=["null", "number"],
        minimum=0,
        description=f"Approve without asking a candidate whose {METRIC} is by so many per cent"
        " better than that of the version in production; empty: always ask",
    ),
    "OnTestRows": Param(
        500, type="integer", minimum=1, description="How many test rows that takes at least"
    ),
}
COMMENT_FIELD = Param(
    "",
    type=["null", "string"],
    format="multiline",
    title=COMMENT,
    description="Why? Goes to the model registry with your name.",
)
ANSWERS = {
    "Approve": f"its status becomes `{APPROVED}`, and the asset `{layout.APPROVED}` starts"
    " **abalone_scoring**, which scores with it from then on",
    "Reject": f"its status becomes `{REJECTED}`; the version in production stays",
    f"{LEAVE}, or no answer within {WAIT.days} days": "nothing changes; trigger this DAG to be"
    " asked again",
}


@dag(
    schedule=[registered],
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
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
    measured = read_comparison()
    evidence = gather_evidence(found, measured)
    ask = QuestionOperator(
        task_id="ask",
        subject=evidence["subject"],
        body=evidence["body"],
        options=list(STATUS_OF),
        defaults=LEAVE,
        response_timeout=WAIT,
        params={COMMENT: COMMENT_FIELD},
    )
    what_to_do(found) >> [comparison, nothing_to_ask(found), measured]
    comparison >> measured
    how_to_decide(evidence["ruling"]) >> [
        approve_by_rule(found, evidence["ruling"]),
        tell(evidence["subject"]),
        ask,
    ]
    what_was_answered(ask.output) >> [
        approve(found, ask.output),
        reject(found, ask.output),
        leave_pending(evidence["subject"], ask.output),
    ]


@task(multiple_outputs=True)
def find_candidate(*, params: Any = None) -> dict[str, Any]:
    """The version to decide on, the one in production, and what it takes to compare them."""
    from include.nacre.registry.inquiry import NoSuchVersionError, look

    try:
        found = look(aws.sagemaker, layout.MODEL_PACKAGE_GROUP, params["Version"])
    except NoSuchVersionError as error:
        raise AirflowFailException(str(error)) from None
    print(f"Candidate: {found.candidate or 'none'}", *found.notes, sep="\n")
    return asdict(found)


@task.branch
def what_to_do(found: dict[str, Any]) -> str:
    """Compare the two, if they can be compared; without a candidate nothing."""
    if not found["candidate"]:
        return "nothing_to_ask"
    return "read_comparison" if found["obstacle"] else "comparison.ChampionPrepare"


@task
def nothing_to_ask(found: dict[str, Any]) -> str:
    """Says why no version is a candidate."""
    return "; ".join(found["notes"])


@task(trigger_rule="all_done")
def read_comparison(*, ti: Any = None) -> str:
    """The job that measured the champion, if one did: without it a person can still decide."""
    result = ti.xcom_pull(task_ids=f"comparison.{EVALUATE_STEP}") or {}
    return result["name"] if result.get("status") == "Completed" else ""


# Whoever has a link to a picture may open it: none in the log.
@task(multiple_outputs=True, show_return_value_in_logs=False, inlets=[registered])
def gather_evidence(
    found: dict[str, Any], measured: str, *, params: Any = None, inlet_events: Any = None
) -> dict[str, Any]:
    """What a person sees before deciding, and what the rule says."""
    from include.nacre.registry.evidence import body, subject
    from include.nacre.registry.inquiry import Found, gather

    margin = params["ApproveIfBetterBy"]
    evidence = gather(
        aws.clients,
        Found(**found),
        measured,
        Rule(METRIC, None if margin is None else margin / 100, params["OnTestRows"]),
        consequences=[f"**{answer}**: {then}." for answer, then in ANSWERS.items()],
        run=run_link(found["candidate"], inlet_events[registered].ascending(False).limit(LATEST)),
        seconds=int(WAIT.total_seconds()),
    )
    print(subject(evidence), evidence.ruling.reason, sep="\n")
    ruling = asdict(evidence.ruling)
    return {"subject": subject(evidence), "body": body(evidence), "ruling": ruling}


def run_link(version: str, events: Any) -> str:
    """Markdown that leads to the run that registered a version, if one of the events says so."""
    from airflow.sdk.configuration import conf

    from include.nacre.dag.messages import About

    source = source_of(version, events)
    if source is None:
        return ""
    run = About(source.dag_id, source.run_id, conf.get("api", "base_url", fallback=""))
    return f"[{run}]({run.link})"


@task.branch
def how_to_decide(ruling: dict[str, Any]) -> list[str]:
    """By the rule, or by a person."""
    return ["approve_by_rule"] if ruling["approves"] else ["ask", "tell"]


@task
def tell(subject: str) -> None:
    """Tells people that they are asked; it may fail without harm to the question."""
    say(subject, "Answer in Airflow: Browse, Required Actions, or the task 'ask' of this run.")


@task.branch
def what_was_answered(answer: dict[str, Any] | None) -> str:
    """The task that does what a person, or nobody, has answered."""
    tasks = {APPROVED: "approve", REJECTED: "reject", PENDING: "leave_pending"}
    return tasks[answered(answer).status]


@task(outlets=[approved])
def approve_by_rule(
    found: dict[str, Any], ruling: dict[str, Any], *, outlet_events: Any = None
) -> None:
    """Writes the status with the rule's reason, and emits the asset that scoring waits for."""
    outlet_events[approved].extra = settle(found, ruled(Ruling(**ruling)))


@task(outlets=[approved])
def approve(found: dict[str, Any], answer: dict[str, Any], *, outlet_events: Any = None) -> None:
    """Writes the status with the person's name, and emits the asset that scoring waits for."""
    outlet_events[approved].extra = settle(found, answered(answer))


@task
def reject(found: dict[str, Any], answer: dict[str, Any]) -> None:
    """Writes the status with the person's name."""
    settle(found, answered(answer))


@task
def leave_pending(subject: str, answer: dict[str, Any] | None) -> None:
    """Changes nothing, and says so."""
    decision = answered(answer)
    text = f"It stays pending, by {decision.by}: {decision.comment or 'no comment'}."
    print(subject, text, sep="\n")
    say(f"Not decided: {subject}", text)


def say(subject: str, text: str) -> None:
    """Send an alert. What a person has written must not be read as a template."""
    Alert("{{ subject }}", "{{ text }}").tell(get_current_context(), subject=subject, text=text)


def settle(found: dict[str, Any], decision: Decision) -> dict[str, Any]:
    """Write a decision into the registry; returns what the asset's event says of it."""
    from include.nacre.registry import inquiry

    try:
        version = inquiry.settle(aws.sagemaker, inquiry.Found(**found), decision)
    except StaleDecisionError as error:
        raise AirflowFailException(str(error)) from None
    print(f"{version.name}: {decision.description}")
    return {
        "version": version.arn,
        "number": version.number,
        "data_until": version.data_until,
        "by": decision.by,
        "comment": decision.comment,
    }


model_approval()
