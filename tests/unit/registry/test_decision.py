"""What an answer means, what goes to the registry, and when it may not be written any more."""

from datetime import UTC, datetime
from typing import Any

import pytest

from include.nacre.registry.decision import (
    LONGEST,
    Decision,
    Seen,
    StaleDecisionError,
    answered,
    must_write,
    ruled,
)
from include.nacre.registry.rules import Ruling
from include.nacre.registry.version import APPROVED, PENDING, REJECTED
from tests.unit.registry.made import version

ADA = {"id": "ada", "name": "Ada Lovelace"}
CHAMPION, CANDIDATE = version(1, status=APPROVED), version(2)
SEEN = Seen(PENDING, CHAMPION.arn)
APPROVAL = Decision(APPROVED, "Ada")


def answer(option: str, user: Any, **params: Any) -> dict[str, Any]:
    """As HITLOperator leaves it in XCom."""
    return {
        "chosen_options": [option],
        "params_input": params,
        "responded_at": datetime(2026, 11, 21, tzinfo=UTC),
        "responded_by_user": user,
    }


@pytest.mark.parametrize(
    ("option", "status"),
    [("Approve", APPROVED), ("Reject", REJECTED), ("Leave pending", PENDING)],
)
def test_an_answer_is_a_status_with_the_persons_name_and_comment(option: str, status: str) -> None:
    assert answered(answer(option, ADA, Comment="as good")) == Decision(
        status, "Ada Lovelace", "as good"
    )


@pytest.mark.parametrize("params", [{}, {"Comment": None}, {"Comment": ""}])
def test_a_comment_may_be_missing(params: dict[str, Any]) -> None:
    decision = answered(answer("Approve", {"id": "ada", "name": ""}, **params))
    assert (decision, decision.description) == (
        Decision(APPROVED, "ada", ""),
        "Approved by ada",
    )


def test_the_default_that_nobody_chose_is_a_timeout() -> None:
    assert answered(answer("Leave pending", None, Comment="")) == Decision(
        PENDING, "nobody", "no answer in time"
    )


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_question_that_was_marked_as_done_leaves_the_version_pending(nothing: Any) -> None:
    decision = Decision(PENDING, "nobody", "the question was closed without an answer")
    assert answered(nothing) == decision


def test_a_rules_reason_is_its_comment() -> None:
    decision = ruled(Ruling(True, "mse 4 against 5"))
    assert decision.description == "Approved by rule: mse 4 against 5"


def test_a_description_is_one_line_and_no_longer_than_the_registry_takes() -> None:
    decision = Decision(REJECTED, "Ada", "too\n  weak " + "x" * 2000)
    assert decision.description.startswith("Rejected by Ada: too weak xxx")
    assert (len(decision.description), decision.description[-1]) == (LONGEST, "…")


def test_a_decision_on_what_was_shown_is_written() -> None:
    assert must_write(APPROVAL, CANDIDATE, CHAMPION, SEEN) is True
    assert must_write(Decision(REJECTED, "Ada"), CANDIDATE, CHAMPION, SEEN) is True
    assert must_write(APPROVAL, CANDIDATE, None, Seen(PENDING, "")) is True


def test_what_the_registry_holds_already_is_not_written_again() -> None:
    approved = version(2, status=APPROVED)
    assert must_write(APPROVAL, approved, approved, SEEN) is False


def test_a_rejected_version_that_is_rejected_anew_gets_the_new_reason() -> None:
    rejected = version(2, status=REJECTED, approval="Rejected by Bob: no")
    seen = Seen(REJECTED, CHAMPION.arn)
    assert must_write(Decision(REJECTED, "Ada", "still"), rejected, CHAMPION, seen) is True


def test_what_somebody_else_has_decided_is_not_overwritten() -> None:
    rejected = version(2, status=REJECTED, approval="Rejected by Bob: no")
    with pytest.raises(StaleDecisionError) as error:
        must_write(APPROVAL, rejected, CHAMPION, SEEN)
    assert str(error.value) == (
        "It was PendingManualApproval when the evidence was gathered, but now abalone/2 is Rejected"
        " already (Rejected by Bob: no). Nothing was changed. To decide all the same, trigger this"
        " DAG with Version 2."
    )


@pytest.mark.parametrize(
    ("champion", "name"), [(version(3, status=APPROVED), "abalone/3"), (None, "No version")]
)
def test_nothing_is_approved_on_a_comparison_with_what_is_not_in_production(
    champion: Any, name: str
) -> None:
    with pytest.raises(StaleDecisionError) as error:
        must_write(APPROVAL, CANDIDATE, champion, SEEN)
    assert str(error.value) == (
        f"{name} is in production now, other than when the evidence was gathered: abalone/2 was not"
        " approved. To compare the two, trigger this DAG with Version 2."
    )


def test_a_rejection_needs_no_comparison() -> None:
    newer = version(3, status=APPROVED)
    assert must_write(Decision(REJECTED, "Ada"), CANDIDATE, newer, SEEN) is True
