"""Asking a person whether a version of a model may go into production: the tasks of such a DAG.

Those that have to do with a model or its assets are the author's, and call an `Approval`; the
others are here. `dags/model_approval.py` wires them; another model's DAG needs the same lines, with
an `Approval` and a comparison of its own.

What was found out goes from task to task as plain JSON. AWS is called over Airflow's connection
`aws_default`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, Param, get_current_context, task
from airflow.sdk.configuration import conf

from include.nacre.dag.alerts import Alert
from include.nacre.dag.messages import About
from include.nacre.dag.own_tasks import account, told
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
from include.nacre.registry.quality import has_direction
from include.nacre.registry.registrations import source_of
from include.nacre.registry.rules import Rule, Ruling
from include.nacre.registry.version import APPROVED, PENDING, REJECTED

Json = dict[str, Any]

WAIT = timedelta(days=7)
"""How long a question waits. No longer: a link to a picture lasts a week at most."""
LATEST = 200
"""Among so many events of the registration's asset the candidate's is looked for."""


@dataclass(frozen=True)
class Approval:
    """What is approved in one DAG. ValueError for a metric that nobody knows the better side of."""

    group: str
    """The model package group."""
    metric: str
    """The metric that decides, by its name in the model quality statistics."""
    registered: Asset
    """Its events say which run registered a version; it is an inlet of the task that asks."""
    approved: Asset
    """The outlet of the tasks that approve."""
    then: str
    """What the event of that asset leads to: Markdown, `starts **abalone_scoring**`."""

    def __post_init__(self) -> None:
        if not has_direction(self.metric):
            raise ValueError(
                f"Nobody knows whether more of the metric {self.metric!r} is better, or less:"
                " add it in include/nacre/registry/quality.py."
            )

    def form(self, better_by: float | None = None, on_rows: int = 500) -> dict[str, Param]:
        """Return the fields of the trigger form: which version, and the rule, whose defaults hold
        for the runs that a registration starts. By default it is off.
        """
        return {
            "Version": Param(
                None,
                type=["null", "integer"],
                minimum=1,
                description="Number of the version to decide on; empty: the pending one with the"
                " newest data",
            ),
            "ApproveIfBetterBy": Param(
                better_by,
                type=["null", "number"],
                minimum=0,
                description=f"Approve without asking a candidate whose {self.metric} is by so many"
                " per cent better than that of the version in production; empty: always ask",
            ),
            "OnTestRows": Param(
                on_rows,
                type="integer",
                minimum=1,
                description="How many test rows that takes at least",
            ),
        }

    def find_candidate(self, params: Mapping[str, Any]) -> Json:
        """Return the version to decide on, the one in production, and what it takes to compare
        them (see `inquiry.Found`).
        """
        from include.nacre.registry.inquiry import NoSuchVersionError, look

        with account() as aws, told(NoSuchVersionError):
            found = look(aws.sagemaker, self.group, params["Version"])
        print(f"Candidate: {found.candidate or 'none'}", *found.notes, sep="\n")
        return asdict(found)

    def gather_evidence(
        self, found: Json, measured: str, params: Mapping[str, Any], inlet_events: Any
    ) -> Json:
        """Return what a person sees before deciding, as `subject` and `body`, and what the rule
        says, as `ruling`.

        `measured` is the job that measured the champion on the candidate's test rows, "" without.
        The body has links to pictures, which whoever has one may open: not for the log.
        """
        from include.nacre.registry.evidence import body, subject
        from include.nacre.registry.inquiry import Found, gather

        margin = params["ApproveIfBetterBy"]
        events = inlet_events[self.registered].ascending(False).limit(LATEST)
        with account() as aws:
            evidence = gather(
                aws.clients,
                Found(**found),
                measured,
                Rule(self.metric, None if margin is None else margin / 100, params["OnTestRows"]),
                consequences=[f"**{answer}**: {does}." for answer, does in self._answers().items()],
                run=_run_link(found["candidate"], events),
                seconds=int(WAIT.total_seconds()),
            )
        print(subject(evidence), evidence.ruling.reason, sep="\n")
        ruling = asdict(evidence.ruling)
        return {"subject": subject(evidence), "body": body(evidence), "ruling": ruling}

    def _answers(self) -> dict[str, str]:
        return {
            "Approve": f"its status becomes `{APPROVED}`, and the asset `{self.approved.name}`"
            f" {self.then}",
            "Reject": f"its status becomes `{REJECTED}`; the version in production stays",
            f"{LEAVE}, or no answer within {WAIT.days} days": "nothing changes; trigger this DAG to"
            " be asked again",
        }

    def approve(self, found: Json, answer: Mapping[str, Any], outlet_events: Any) -> None:
        """Write the status with the person's name, and emit the asset."""
        outlet_events[self.approved].extra = settle(found, answered(answer))

    def approve_by_rule(self, found: Json, ruling: Mapping[str, Any], outlet_events: Any) -> None:
        """Write the status with the rule's reason, and emit the asset."""
        outlet_events[self.approved].extra = settle(found, ruled(Ruling(**ruling)))


def question(subject: Any, body: Any) -> QuestionOperator:
    """Return the task that asks, with buttons and a field for the reason. Nobody's answer leaves
    the version pending. It holds no worker while it waits.
    """
    return QuestionOperator(
        task_id="ask",
        subject=subject,
        body=body,
        options=list(STATUS_OF),
        defaults=LEAVE,
        response_timeout=WAIT,
        params={
            COMMENT: Param(
                "",
                type=["null", "string"],
                format="multiline",
                title=COMMENT,
                description="Why? Goes to the model registry with your name.",
            )
        },
    )


@task.branch
def what_to_do(found: Json, comparison: str) -> str:
    """Compare the two, if they can be compared; without a candidate nothing."""
    if not found["candidate"]:
        return "nothing_to_ask"
    return "read_comparison" if found["obstacle"] else comparison


@task
def nothing_to_ask(found: Json) -> str:
    """Says why no version is a candidate."""
    return "; ".join(found["notes"])


@task(trigger_rule="all_done")
def read_comparison(evaluation: str, *, ti: Any = None) -> str:
    """The job that measured the champion, if one did: without it a person can still decide."""
    result = ti.xcom_pull(task_ids=evaluation) or {}
    return str(result["name"]) if result.get("status") == "Completed" else ""


@task.branch
def how_to_decide(ruling: Json) -> list[str]:
    """By the rule, or by a person."""
    return ["approve_by_rule"] if ruling["approves"] else ["ask", "tell"]


@task
def tell(subject: str) -> None:
    """Tells people that they are asked."""
    say(subject, "Answer in Airflow: Browse, Required Actions, or the task 'ask' of this run.")


@task.branch
def what_was_answered(answer: Json | None) -> str:
    """The task that does what a person, or nobody, has answered."""
    tasks = {APPROVED: "approve", REJECTED: "reject", PENDING: "leave_pending"}
    return tasks[answered(answer).status]


@task
def reject(found: Json, answer: Json) -> None:
    """Writes the status with the person's name."""
    settle(found, answered(answer))


@task
def leave_pending(found: Json, subject: str, answer: Json | None) -> None:
    """Changes nothing, and says so."""
    decision = answered(answer)
    stays = "pending" if found["status"] == PENDING else found["status"]
    text = f"It stays {stays}, by {decision.by}: {decision.comment or 'no comment'}."
    print(subject, text, sep="\n")
    say(f"Not decided: {subject}", text)


def settle(found: Json, decision: Decision) -> Json:
    """Write a decision into the registry; return what the asset's event says of it."""
    from include.nacre.registry import inquiry

    with account() as aws, told(StaleDecisionError):
        version = inquiry.settle(aws.sagemaker, inquiry.Found(**found), decision)
    print(f"{version.name} is {version.status}: {version.approval or 'no words about it'}")
    return {
        "version": version.arn,
        "number": version.number,
        "data_until": version.data_until,
        "by": decision.by,
        "comment": decision.comment,
    }


def say(subject: str, text: str) -> None:
    """Send an alert. What a person has written must not be read as a template."""
    Alert("{{ subject }}", "{{ text }}").tell(get_current_context(), subject=subject, text=text)


def _run_link(version: str, events: Any) -> str:
    """Markdown that leads to the run that registered a version, if one of the events says so."""
    source = source_of(version, events)
    if source is None:
        return ""
    run = About(source.dag_id, source.run_id, conf.get("api", "base_url", fallback=""))
    return f"[{run}]({run.link})"
