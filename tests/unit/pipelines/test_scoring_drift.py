"""What a batch's quality report says of drift, for people."""

from include.pipelines.abalone.drift import drifted, highest, table

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
