"""What a person sees before deciding on a version: Markdown. Values in, values out."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from include.nacre.registry.candidate import data_of
from include.nacre.registry.quality import Quality, gain_in_words, in_words
from include.nacre.registry.rules import Ruling
from include.nacre.registry.version import PREPROCESSOR, SPLIT_SEED, TEST_ROWS, Version


@dataclass(frozen=True)
class Comparison:
    """What measuring the champion on the candidate's test rows takes."""

    test_rows: str = ""
    preprocessor: str = ""
    model: str = ""
    obstacle: str = ""
    """Why it cannot be done; "" if it can."""


def comparison_of(candidate: Version, champion: Version | None) -> Comparison:
    """Return the addresses that a comparison needs, or what stands against it."""
    if champion is None:
        return Comparison(obstacle="No version is in production yet.")
    found = Comparison(
        candidate.metadata.get(TEST_ROWS, ""),
        champion.metadata.get(PREPROCESSOR, ""),
        champion.model_data,
    )
    missing = [
        what
        for address, what in (
            (found.test_rows, f"{candidate.name} has no metadata {TEST_ROWS}"),
            (found.preprocessor, f"{champion.name} has no metadata {PREPROCESSOR}"),
            (found.model, f"{champion.name} names no model file"),
        )
        if not address
    ]
    if not missing:
        return found
    return Comparison(obstacle=f"They cannot be compared: {', '.join(missing)}.")


@dataclass(frozen=True)
class Side:
    """One of the two versions, and how good it is on the candidate's test rows."""

    version: Version
    quality: Quality | None
    picture: str = ""
    """A link to its picture, "" if it has none."""


@dataclass(frozen=True)
class Evidence:
    """All that speaks for and against a candidate."""

    candidate: Side
    champion: Side | None
    metric: str
    """The metric that decides; it stands first."""
    ruling: Ruling
    """What the rule says."""
    consequences: Sequence[str]
    """What each answer will do: Markdown, a line each."""
    run: str = ""
    """Markdown that leads to the run that registered it."""
    remarks: Sequence[str] = ()
    """What a person should know besides: obstacles, versions that wait, too."""


def subject(evidence: Evidence) -> str:
    """Return the question in one line: `Approve abalone/7? mse 4.71; in production: 5.02`."""
    question = f"Approve {evidence.candidate.version.name}?"
    ours = _value(evidence.candidate, evidence.metric)
    if ours is None:
        return question
    question = f"{question} {evidence.metric} {in_words(ours)}"
    theirs = _value(evidence.champion, evidence.metric)
    if evidence.champion is None or theirs is None:
        return question
    change = gain_in_words(evidence.metric, ours, theirs)
    name = evidence.champion.version.name
    return f"{question}, {name} in production {in_words(theirs)}: {change}"


def body(evidence: Evidence) -> str:
    """Return the evidence as Markdown."""
    remarks = [*evidence.remarks, *_doubts(evidence)]
    parts = [
        _metrics(evidence),
        _pictures(evidence),
        _list(f"**{_plain(remark)}**" for remark in remarks),
        "### The data",
        _data(evidence),
        "### The version",
        _list(_about(evidence)),
        "### What your answer does",
        _list(evidence.consequences),
        evidence.ruling.reason,
    ]
    return "\n\n".join(part for part in parts if part)


def _sides(evidence: Evidence) -> list[Side]:
    return [evidence.candidate, *([evidence.champion] if evidence.champion else [])]


def _heads(evidence: Evidence) -> list[str]:
    heads = [f"{evidence.candidate.version.name} (candidate)"]
    if evidence.champion:
        heads.append(f"{evidence.champion.version.name} (in production)")
    return heads


def _metrics(evidence: Evidence) -> str:
    ours = evidence.candidate.quality
    if ours is None:
        return ""
    compared = evidence.champion is not None and evidence.champion.quality is not None
    heads = _heads(evidence) if compared else _heads(evidence)[:1]
    names = sorted(ours.metrics, key=lambda name: name != evidence.metric)
    last = ["candidate is"] if compared else []
    counts = [_count(side) for side in _sides(evidence)[: len(heads)]]
    rows = [["test rows", *counts, *[""] * len(last)]]
    rows += [_metric_row(evidence, name) for name in names]
    table = _table(["", *heads, *last], rows)
    return f"### How good it is\n\n{table}"


def _metric_row(evidence: Evidence, name: str) -> list[str]:
    ours, theirs = _value(evidence.candidate, name), _value(evidence.champion, name)
    cells = [_plain(name)] if ours is None else [_plain(name), in_words(ours)]
    if ours is not None and theirs is not None:
        cells += [in_words(theirs), gain_in_words(name, ours, theirs)]
    return [f"**{cell}**" for cell in cells] if name == evidence.metric else cells


def _pictures(evidence: Evidence) -> str:
    """Return the pictures side by side; each leads to itself in full size."""
    shown = [
        (head, f"[![{side.version.name}]({side.picture})]({side.picture})")
        for head, side in zip(_heads(evidence), _sides(evidence), strict=True)
        if side.picture
    ]
    if not shown:
        return ""
    table = _table([head for head, _ in shown], [[cell for _, cell in shown]])
    return f"{table}\n\nA click shows a picture in full size."


def _doubts(evidence: Evidence) -> Iterator[str]:
    """Yield what makes the comparison less than fair."""
    if evidence.champion is None or evidence.champion.quality is None:
        return
    ours, theirs = evidence.candidate, evidence.champion
    seeds = [side.version.metadata.get(SPLIT_SEED) for side in (ours, theirs)]
    if seeds[0] != seeds[1]:
        yield (
            f"The two were split by different seeds ({seeds[0]}, {seeds[1]}): "
            f"{theirs.version.name} may have been trained on some of these test rows, and look "
            "better than it is."
        )
    if ours.quality and theirs.quality and ours.quality.rows != theirs.quality.rows:
        yield "The two were not measured on the same rows."


def _data(evidence: Evidence) -> str:
    """Return what the metadata says in few letters, of both versions; addresses come later."""
    sides = _sides(evidence)
    keys = sorted(
        {key for side in sides for key, value in side.version.metadata.items() if _short(value)}
    )
    rows = [
        [_plain(text) for text in (key, *(side.version.metadata.get(key, "") for side in sides))]
        for key in keys
    ]
    registered = [f"{side.version.created:%Y-%m-%d %H:%M} UTC" for side in sides]
    return _table(["", *_heads(evidence)], [["registered", *registered], *rows])


def _about(evidence: Evidence) -> Iterator[str]:
    version = evidence.candidate.version
    yield f"`{version.arn}`, {version.status}, {data_of(version)}"
    if version.approval:
        yield f"decided before: {_plain(version.approval)}"
    if evidence.run:
        yield f"registered by {evidence.run}"
    yield f"model: `{version.model_data}`"
    for key, value in sorted(version.metadata.items()):
        if not _short(value):
            yield f"{key}: `{value}`"


def _short(value: str) -> bool:
    return "://" not in value


def _value(side: Side | None, metric: str) -> float | None:
    return side.quality.metrics.get(metric) if side and side.quality else None


def _count(side: Side) -> str:
    rows = side.quality.rows if side.quality else None
    return "?" if rows is None else str(rows)


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Return somebody else's words so that Markdown shows them as they are, in one line."""
    return re.sub(r"([\\`*_\[\]<>|~&])", r"\\\1", " ".join(text.split()))
