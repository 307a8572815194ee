"""An inquiry into a candidate: look, gather the evidence, settle. The clients are passed in.

Its three parts run in tasks of their own, maybe days apart, so what they know of each other is
plain: `Found`, whose fields are JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from include.nacre.registry import client
from include.nacre.registry.candidate import Finding, chosen, find_candidate
from include.nacre.registry.decision import Decision, Seen, must_write
from include.nacre.registry.evidence import Evidence, Side, comparison_of
from include.nacre.registry.quality import QualityError
from include.nacre.registry.rules import Rule, apply_rule
from include.nacre.registry.version import PENDING, PICTURE, Version

LOOKED_AT = 100
"""How many of the pending versions are looked at, the newest ones: each costs a call."""
OUTPUT, STATISTICS_FILE, PICTURE_FILE = "evaluation", "evaluation.json", "evaluation.png"
"""What the job leaves that measures the champion: its output, and the files there."""


class NoSuchVersionError(Exception):
    """The version that a person names does not exist; the text is for that person."""


@dataclass(frozen=True)
class Found:
    """What an inquiry is about, as JSON."""

    candidate: str
    """The ARN of the candidate, "" if there is nothing to ask."""
    champion: str
    """The ARN of the version in production, "" if there is none."""
    status: str
    """The candidate's approval status."""
    test_rows: str
    """With `preprocessor` and `model`: what the champion is measured with."""
    preprocessor: str
    model: str
    obstacle: str
    """Why the two cannot be compared; "" if they can."""
    notes: Sequence[str]
    """Which versions are not asked for, and why."""

    @property
    def seen(self) -> Seen:
        """What a decision must still find when it is written."""
        return Seen(self.status, self.champion)


def found(finding: Finding) -> Found:
    """Return a finding as JSON."""
    candidate, champion = finding.candidate, finding.champion
    arn = champion.arn if champion else ""
    if candidate is None:
        return Found("", arn, "", "", "", "", "", finding.notes)
    takes = comparison_of(candidate, champion)
    return Found(
        candidate=candidate.arn,
        champion=arn,
        status=candidate.status,
        test_rows=takes.test_rows,
        preprocessor=takes.preprocessor,
        model=takes.model,
        obstacle=takes.obstacle,
        notes=finding.notes,
    )


def look(sagemaker: Any, group: str, number: int | None = None) -> Found:
    """Return the candidate of a group and its champion.

    :param number: of the version that a person wants to decide on; else it is what is pending
    :raises NoSuchVersionError: there is no version of that number
    """
    champion = client.latest_approved(sagemaker, group)
    if number is not None:
        version = client.numbered(sagemaker, group, number)
        if version is None:
            raise NoSuchVersionError(f"The model package group {group!r} has no version {number}.")
        return found(chosen(version, champion))
    waiting = client.versions(sagemaker, group, status=PENDING, limit=LOOKED_AT)
    return found(find_candidate(waiting, champion))


def gather(
    clients: Any,
    about: Found,
    comparison: str,
    rule: Rule,
    *,
    consequences: Sequence[str],
    run: str,
    seconds: int,
) -> Evidence:
    """Return the evidence for and against the candidate.

    :param clients: has `sagemaker` and `s3`
    :param comparison: the name of the job that measured the champion on the candidate's test
        rows, "" if there is none
    :param run: Markdown that leads to the run that registered the candidate
    :param seconds: how long the links to the pictures are good
    """
    version = client.describe(clients.sagemaker, about.candidate)
    candidate, remarks = _side(
        clients.s3, version, version.statistics, version.metadata.get(PICTURE, ""), seconds
    )
    champion, more = _champion(clients, about, comparison, seconds)
    measured = champion.quality if champion else None
    return Evidence(
        candidate=candidate,
        champion=champion,
        metric=rule.metric,
        ruling=apply_rule(rule, candidate.quality, measured),
        consequences=consequences,
        run=run,
        remarks=[*remarks, *more, *about.notes],
    )


def _champion(
    clients: Any, about: Found, comparison: str, seconds: int
) -> tuple[Side | None, list[str]]:
    """Return the champion's side, and what there is to say about it."""
    remarks = [about.obstacle] if about.obstacle else []
    if not about.champion:
        return None, remarks
    version = client.describe(clients.sagemaker, about.champion)
    if comparison:
        folder = client.output_of(clients.sagemaker, comparison, OUTPUT)
        statistics, picture = f"{folder}/{STATISTICS_FILE}", f"{folder}/{PICTURE_FILE}"
        return _side(clients.s3, version, statistics, picture, seconds)
    failed = f"{version.name} could not be measured on these rows: see the tasks of the comparison."
    return Side(version, None), remarks or [failed]


def settle(sagemaker: Any, about: Found, decision: Decision) -> Version:
    """Write a decision into the registry, once, and return the version as it is then, which may
    be by the same decision of somebody else. StaleDecisionError if it may not be written any more
    (see `must_write`).
    """
    version = client.describe(sagemaker, about.candidate)
    champion = client.latest_approved(sagemaker, version.group)
    if not must_write(decision, version, champion, about.seen):
        return version
    client.update(sagemaker, version.arn, decision.status, decision.description)
    return client.describe(sagemaker, version.arn)


def _side(
    s3: Any, version: Version, statistics: str, picture: str, seconds: int
) -> tuple[Side, list[str]]:
    """Return one side, and what a person should know who misses something on it."""
    link, quality, remarks = "", None, []
    try:
        quality = client.measured(s3, statistics)
    except QualityError as error:
        remarks.append(f"Nobody knows how good {version.name} is: {error}.")
    try:
        link = client.link_to(s3, picture, seconds) if picture else ""
    except ValueError as error:
        remarks.append(f"{version.name} has no picture: {error}.")
    return Side(version, quality, link), remarks
