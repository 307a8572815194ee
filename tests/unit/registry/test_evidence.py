"""What a person sees before deciding: the question, and the Markdown below it."""

from dataclasses import replace

import pytest

from include.nacre.registry.evidence import (
    Comparison,
    Evidence,
    Side,
    body,
    comparison_of,
    subject,
)
from include.nacre.registry.quality import Quality
from include.nacre.registry.rules import Ruling
from include.nacre.registry.version import APPROVED
from tests.unit.registry.made import version

CANDIDATE = Side(
    version(
        7,
        "2026-11-07",
        SplitSeed="0",
        Rows="4177",
        TestRows="s3://b/test.csv",
        Preprocessor="s3://b/7.joblib",
    ),
    Quality(627, {"mae": 1.5, "mse": 4.5}),
    "https://pictures/7.png",
)
CHAMPION = Side(
    version(5, "2026-11-05", APPROVED, SplitSeed="0", Preprocessor="s3://b/5.joblib"),
    Quality(627, {"mse": 5.0, "mae": 1.4}),
    "https://pictures/5.png",
)
EVIDENCE = Evidence(
    candidate=CANDIDATE,
    champion=CHAMPION,
    metric="mse",
    ruling=Ruling(False, "No rule is on: a person decides."),
    consequences=["**Approve**: it is used.", "**Reject**: it is not."],
    run="[the run](https://airflow/run)",
)

BODY = """\
### How good it is

|  | abalone/7 (candidate) | abalone/5 (in production) | candidate is |
| --- | --- | --- | --- |
| test rows | 627 | 627 |  |
| **mse** | **4.5** | **5** | **10.0 % better** |
| mae | 1.5 | 1.4 | 7.1 % worse |

| abalone/7 (candidate) | abalone/5 (in production) |
| --- | --- |
| [![abalone/7](https://pictures/7.png)](https://pictures/7.png) | \
[![abalone/5](https://pictures/5.png)](https://pictures/5.png) |

A click shows a picture in full size.

### The data

|  | abalone/7 (candidate) | abalone/5 (in production) |
| --- | --- | --- |
| registered | 2026-11-07 06:30 UTC | 2026-11-05 06:30 UTC |
| DataUntil | 2026-11-07 | 2026-11-05 |
| Rows | 4177 |  |
| SplitSeed | 0 | 0 |

### The version

- `arn:aws:sagemaker:us-east-1:123456789012:model-package/abalone/7`, PendingManualApproval, \
data until 2026-11-07
- registered by [the run](https://airflow/run)
- model: `s3://b/7/model.tar.gz`
- Preprocessor: `s3://b/7.joblib`
- TestRows: `s3://b/test.csv`

### What your answer does

- **Approve**: it is used.
- **Reject**: it is not.

No rule is on: a person decides."""


def test_the_question_says_both_values_and_which_is_better() -> None:
    expected = "Approve abalone/7? mse 4.5, abalone/5 in production 5: 10.0 % better"
    assert subject(EVIDENCE) == expected


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (replace(EVIDENCE, champion=None), "Approve abalone/7? mse 4.5"),
        (
            replace(EVIDENCE, champion=replace(CHAMPION, quality=None)),
            "Approve abalone/7? mse 4.5",
        ),
        (replace(EVIDENCE, candidate=replace(CANDIDATE, quality=None)), "Approve abalone/7?"),
    ],
)
def test_the_question_says_what_is_known(evidence: Evidence, expected: str) -> None:
    assert subject(evidence) == expected


def test_the_evidence_stands_side_by_side() -> None:
    assert body(EVIDENCE) == BODY


def test_without_a_champion_the_candidate_stands_alone() -> None:
    alone = replace(EVIDENCE, champion=None, remarks=["No version is in production yet."])
    shown = body(alone)
    assert "|  | abalone/7 (candidate) |\n| --- | --- |\n| test rows | 627 |\n" in shown
    assert "- **No version is in production yet.**" in shown
    assert "abalone/5" not in shown


def test_a_candidate_that_nobody_could_measure_has_no_table_of_metrics() -> None:
    unknown = replace(EVIDENCE, candidate=Side(CANDIDATE.version, None), remarks=["Nobody knows."])
    shown = body(unknown)
    assert ("How good" in shown, "- **Nobody knows.**" in shown) == (False, True)


def test_another_split_and_other_rows_make_the_comparison_doubtful() -> None:
    seeded = version(5, "2026-11-05", APPROVED, SplitSeed="3")
    shown = body(replace(EVIDENCE, champion=Side(seeded, Quality(600, {"mse": 5.0}))))
    assert (
        "- **The two were split by different seeds (0, 3): abalone/5 may have been trained on some"
        " of these test rows, and look better than it is.**"
    ) in shown
    assert "- **The two were not measured on the same rows.**" in shown


def test_a_decision_of_before_is_shown() -> None:
    rejected = replace(CANDIDATE.version, approval="Rejected by Ada: why?")
    shown = body(replace(EVIDENCE, candidate=replace(CANDIDATE, version=rejected)))
    assert "- decided before: Rejected by Ada: why?" in shown


def test_what_a_person_wrote_is_shown_as_it_is() -> None:
    comment = "Rejected by Ada: see ![it](https://elsewhere/x.png) <b>*now*</b>\n# Approve"
    rejected = replace(CANDIDATE.version, approval=comment)
    shown = body(replace(EVIDENCE, candidate=replace(CANDIDATE, version=rejected)))
    assert (
        "- decided before: Rejected by Ada: see !\\[it\\](https://elsewhere/x.png)"
        " \\<b\\>\\*now\\*\\</b\\> # Approve\n"
    ) in shown


def test_a_bar_in_the_name_of_a_metric_does_not_end_a_cell() -> None:
    odd = replace(CANDIDATE, quality=Quality(9, {"a|b\nc": 1.0}))
    assert "| a\\|b c | 1 |" in body(replace(EVIDENCE, candidate=odd, champion=None))


def test_a_bar_in_a_value_does_not_end_a_cell() -> None:
    odd = replace(CANDIDATE, version=version(7, Colour="red|blue"))
    assert "| Colour | red\\|blue |" in body(replace(EVIDENCE, candidate=odd, champion=None))


def test_a_comparison_takes_the_candidates_rows_and_the_champions_model() -> None:
    assert comparison_of(CANDIDATE.version, CHAMPION.version) == Comparison(
        "s3://b/test.csv", "s3://b/5.joblib", "s3://b/5/model.tar.gz"
    )


def test_what_a_comparison_lacks_is_said_all_at_once() -> None:
    bare = replace(version(5, status=APPROVED), model_data="")
    assert comparison_of(version(7), bare).obstacle == (
        "They cannot be compared: abalone/7 has no metadata TestRows,"
        " abalone/5 has no metadata Preprocessor, abalone/5 names no model file."
    )


def test_without_a_champion_there_is_nothing_to_compare_with() -> None:
    assert comparison_of(version(7), None).obstacle == "No version is in production yet."
