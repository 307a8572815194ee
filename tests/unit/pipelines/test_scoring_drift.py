"""What a batch's quality report says of drift, for people."""

from include.pipelines.abalone.drift import alert, drifted, facts, highest, table

DRIFT = {
    "sex": {"psi": 0.02, "noise": 0.1, "missing": 0.0, "unseen": 0.0},
    "length": {"psi": 0.4, "noise": 0.1, "missing": 0.05, "unseen": 0.0},
    "height": {"psi": 0.9, "noise": 1.2, "missing": 0.0, "unseen": 0.0},
    "whole_weight": {"psi": 0.5, "noise": 0.1, "missing": 0.0, "unseen": 0.125},
}


def test_the_highest_index_is_that_of_the_feature_farthest_away() -> None:
    assert highest(DRIFT) == ("height", 0.9)


def test_a_feature_has_drifted_if_neither_the_threshold_nor_chance_explains_it() -> None:
    assert drifted(DRIFT, 0.25) == ["whole_weight", "length"]


def test_a_higher_threshold_lets_more_pass() -> None:
    assert (drifted(DRIFT, 0.45), drifted(DRIFT, 0.5)) == (["whole_weight"], [])


def test_the_table_has_a_line_for_each_feature_with_the_limit_that_holds_for_it() -> None:
    assert table(DRIFT, 0.25).splitlines() == [
        "feature              PSI   limit  missing  unseen",
        "sex                0.020   0.250     0.0%    0.0%",
        "length             0.400   0.250     5.0%    0.0%  drifted",
        "height             0.900   1.200     0.0%    0.0%",
        "whole_weight       0.500   0.250     0.0%   12.5%  drifted",
    ]


QUALITY = {"rows": 14, "predictions": {}, "drift": DRIFT}
FACTS = facts("2026-11-01", "s3://b/scores/2026-11-01/x", "arn:version/3", QUALITY)


def test_the_facts_of_a_batch_name_its_scores_and_what_has_drifted_most() -> None:
    assert FACTS == {
        "partition": "2026-11-01",
        "address": "s3://b/scores/2026-11-01/x/predictions.csv",
        "rows": 14,
        "version": "arn:version/3",
        "psi": {"max": 0.9, "feature": "height"},
    }


def test_an_alert_names_the_batch_what_has_drifted_and_shows_the_table() -> None:
    about = "14 rows, scored with arn:version/3: s3://b/scores/2026-11-01/x/predictions.csv"
    assert alert(FACTS, DRIFT, 0.25) == (
        "Abalone batch 2026-11-01 has drifted: whole_weight, length",
        f"{about}\n\n{table(DRIFT, 0.25)}",
    )
    assert alert(FACTS, DRIFT, 0.5) is None
