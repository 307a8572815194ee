"""When a rule approves instead of a person."""

import pytest

from include.nacre.registry.quality import Quality
from include.nacre.registry.rules import Rule, Ruling, apply_rule

RULE = Rule("mse", margin=0.05, rows=500)
CHAMPION = Quality(574, {"mse": 5.0})


def test_a_candidate_that_is_better_by_the_margin_on_enough_rows_is_approved() -> None:
    assert apply_rule(RULE, Quality(574, {"mse": 4.75}), CHAMPION) == Ruling(
        True, "mse 4.75 against 5 (5.0 % better) on 574 test rows; it wants 5 % on 500 rows"
    )


def test_a_margin_is_met_by_values_that_have_no_exact_share() -> None:
    rule = Rule("mse", margin=0.1, rows=500)
    assert apply_rule(rule, Quality(574, {"mse": 0.9}), Quality(574, {"mse": 1.0})).approves


def test_more_is_better_of_the_weighted_metrics_of_several_classes() -> None:
    rule = Rule("weighted_f1", margin=0.05, rows=1)
    worse, better = Quality(100, {"weighted_f1": 0.5}), Quality(100, {"weighted_f1": 0.9})
    assert apply_rule(rule, worse, better).approves is False
    assert apply_rule(rule, better, worse).approves is True


def test_a_metric_that_nobody_knows_is_left_to_a_person() -> None:
    rule = Rule("lift", margin=0.0, rows=1)
    assert apply_rule(rule, Quality(9, {"lift": 2.0}), Quality(9, {"lift": 1.0})) == Ruling(
        False,
        "The rule leaves it to a person: nobody knows whether more of the metric lift is better,"
        " or less.",
    )


def test_without_a_margin_no_rule_is_on() -> None:
    rule = Rule("mse", margin=None, rows=1)
    ruling = apply_rule(rule, Quality(574, {"mse": 1.0}), CHAMPION)
    assert ruling == Ruling(False, "No rule is on: a person decides.")


def test_a_margin_of_nought_wants_no_more_than_as_good() -> None:
    rule = Rule("mse", margin=0.0, rows=500)
    assert apply_rule(rule, CHAMPION, CHAMPION).approves is True


@pytest.mark.parametrize(
    ("candidate", "champion", "why"),
    [
        (Quality(574, {"mse": 4.76}), CHAMPION, "mse 4.76 against 5 (4.8 % better)"),
        (Quality(574, {"mse": 9.0}), CHAMPION, "mse 9 against 5 (80.0 % worse)"),
        (Quality(499, {"mse": 1.0}), Quality(499, {"mse": 5.0}), "on 499 test rows; it wants 5 %"),
        (Quality(600, {"mse": 1.0}), CHAMPION, "on 600 and 574 test rows, not on the same"),
        (Quality(None, {"mse": 1.0}), Quality(None, {"mse": 5.0}), "on ? and ? test rows"),
        (Quality(574, {"mae": 1.0}), CHAMPION, "the metric mse is not known of both models"),
        (Quality(574, {"mse": 1.0}), None, "were not both measured"),
        (None, CHAMPION, "were not both measured"),
    ],
)
def test_all_else_is_left_to_a_person(
    candidate: Quality | None, champion: Quality | None, why: str
) -> None:
    ruling = apply_rule(RULE, candidate, champion)
    assert ruling.approves is False
    assert ruling.reason.startswith("The rule leaves it to a person: ")
    assert why in ruling.reason
