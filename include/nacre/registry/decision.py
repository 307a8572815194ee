"""What was decided, by whom, and whether it may still be written: values in, values out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.nacre.registry.candidate import decided
from include.nacre.registry.rules import Ruling
from include.nacre.registry.version import APPROVED, PENDING, REJECTED, Version

APPROVE, REJECT, LEAVE = "Approve", "Reject", "Leave pending"
STATUS_OF = {APPROVE: APPROVED, REJECT: REJECTED, LEAVE: PENDING}
"""What a person may answer, and the approval status that follows."""
COMMENT = "Comment"
"""The field of the answer that holds the person's reason."""
LONGEST = 1024
"""Of an ApprovalDescription, in characters. Its pattern `.*` forbids line breaks, too."""


class StaleDecisionError(Exception):
    """What was decided on is not any more as it was shown; the text is for the person."""


@dataclass(frozen=True)
class Decision:
    """The approval status that a version shall have, who says so, and why."""

    status: str
    by: str
    comment: str = ""

    @property
    def description(self) -> str:
        """The ApprovalDescription: `Approved by Ada: as good, and a week newer`."""
        why = f": {self.comment}" if self.comment.strip() else ""
        text = " ".join(f"{self.status} by {self.by}{why}".split())
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def answered(answer: Mapping[str, Any] | None) -> Decision:
    """Return the decision in a response of Airflow's Human-in-the-loop operators: `chosen_options`,
    `params_input`, `responded_by_user` (None: nobody answered in time). No answer at all, as when
    the question is marked as done by hand, leaves the version pending.
    """
    if not answer:
        return Decision(PENDING, "nobody", "the question was closed without an answer")
    (option,) = answer["chosen_options"]
    user = answer["responded_by_user"]
    if user is None:
        return Decision(STATUS_OF[option], "nobody", "no answer in time")
    comment = (answer["params_input"] or {}).get(COMMENT) or ""
    return Decision(STATUS_OF[option], user["name"] or user["id"], str(comment))


def ruled(ruling: Ruling) -> Decision:
    """Return the decision of a rule that approves."""
    return Decision(APPROVED, "rule", ruling.reason)


@dataclass(frozen=True)
class Seen:
    """What the evidence was about: the candidate's status then, and what was in production."""

    status: str
    champion: str
    """The champion's ARN, "" if there was none."""


def must_write(decision: Decision, version: Version, champion: Version | None, seen: Seen) -> bool:
    """Say whether a decision is still to be written: not if the registry holds it already, as
    after a try that was lost behind the call, or when somebody else has decided the same.

    :param version: the version as it is now
    :param champion: what is in production now
    :raises StaleDecisionError: somebody else has decided on the version, or another champion has
        come, since the evidence was gathered
    """
    if version.status == decision.status != seen.status:
        return False
    if version.status != seen.status:
        raise StaleDecisionError(
            f"It was {seen.status} when the evidence was gathered, but now {decided(version)}. "
            f"Nothing was changed. To decide all the same, {_again(version)}."
        )
    now = champion.arn if champion else ""
    if decision.status == APPROVED and now != seen.champion:
        raise StaleDecisionError(
            f"{champion.name if champion else 'No version'} is in production now, other than when "
            f"the evidence was gathered: {version.name} was not approved. To compare the two, "
            f"{_again(version)}."
        )
    return True


def _again(version: Version) -> str:
    return f"trigger this DAG with Version {version.number}"
