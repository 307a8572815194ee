"""Approval without a person: when a candidate is better than the champion, beyond doubt."""

from dataclasses import dataclass

from include.nacre.registry.quality import Quality, gain, gain_in_words, has_direction, in_words


@dataclass(frozen=True)
class Rule:
    """Approve a candidate whose `metric` is better than the champion's by `margin`, a share of
    the champion's value, on at least `rows` test rows. Without a margin the rule is off.
    """

    metric: str
    margin: float | None
    rows: int


@dataclass(frozen=True)
class Ruling:
    """Whether the rule approves, and why, or why not."""

    approves: bool
    reason: str


def apply_rule(rule: Rule, candidate: Quality | None, champion: Quality | None) -> Ruling:
    """Return what the rule says of a candidate, from its quality and that of the model in
    production on the same rows. One that could not be measured (None) is for a person to judge.
    """
    if rule.margin is None:
        return Ruling(False, "No rule is on: a person decides.")
    if candidate is None or champion is None:
        return _ask("the candidate and the version in production were not both measured")
    name = rule.metric
    if not has_direction(name):
        return _ask(f"nobody knows whether more of the metric {name} is better, or less")
    if name not in candidate.metrics or name not in champion.metrics:
        return _ask(f"the metric {name} is not known of both models")
    if candidate.rows is None or candidate.rows != champion.rows:
        return _ask(
            f"the models were measured on {_count(candidate)} and {_count(champion)} test rows,"
            " not on the same"
        )
    ours, theirs = candidate.metrics[name], champion.metrics[name]
    facts = (
        f"{name} {in_words(ours)} against {in_words(theirs)} ({gain_in_words(name, ours, theirs)})"
        f" on {candidate.rows} test rows; it wants {rule.margin * 100:.4g} % on {rule.rows} rows"
    )
    if candidate.rows >= rule.rows and round(gain(name, ours, theirs), 9) >= rule.margin:
        return Ruling(True, facts)
    return _ask(facts)


def _ask(why: str) -> Ruling:
    return Ruling(False, f"The rule leaves it to a person: {why}.")


def _count(quality: Quality) -> str:
    return "?" if quality.rows is None else str(quality.rows)
