"""What alerts say."""

import pytest

from include.nacre.dag.messages import About, failed, late, one_line, own

ABOUT = About("nightly", "scheduled__2026-11-01T00:00:00+00:00", "https://air.example.com/flow/")
PAGE = "https://air.example.com/flow/dags/nightly/runs/scheduled__2026-11-01T00%3A00%3A00%2B00%3A00"
RUN = "DAG nightly, run scheduled__2026-11-01T00:00:00+00:00"


def test_a_failed_run_with_the_reasons_of_its_tasks() -> None:
    message = failed(ABOUT, {"Train": "AlgorithmError:\n  exit code 1", "land": ""}, "task_failure")
    assert (message.subject, message.text.split("\n")) == (
        "nightly has failed",
        [
            f"{RUN} has failed.",
            "Train: AlgorithmError: exit code 1",
            "land: see its log",
            PAGE,
        ],
    )


def test_a_failed_run_without_a_failed_task_says_what_airflow_says() -> None:
    lines = failed(ABOUT, {}, "timed_out").text.split("\n")
    assert lines == [f"{RUN} has failed.", "Airflow says: timed_out.", PAGE]


def test_a_long_story_is_cut_short() -> None:
    lines = failed(ABOUT, {f"t{number}": "x" * 5000 for number in range(7)}).text.split("\n")
    assert [len(line) for line in lines[1:6]] == [604] * 5
    assert lines[6:] == ["and 2 more", PAGE]


def test_a_late_run_says_what_is_not_done() -> None:
    message = late(ABOUT, "2026-11-01 02:00:00+00:00", ["Train", "Eval"])
    assert (message.subject, message.text.split("\n")) == (
        "nightly is late",
        [
            f"{RUN} has not ended by its deadline, 2026-11-01 02:00:00+00:00.",
            "Not done yet: Train, Eval.",
            PAGE,
        ],
    )


def test_words_of_ones_own_have_the_link_too() -> None:
    assert own(ABOUT, "", "0.3").text == f"0.3\n{PAGE}"
    assert own(ABOUT, "", "0.3").subject == "nightly"


@pytest.mark.parametrize(
    ("subject", "line"),
    [("a\n b", "a b"), ("größer", "gr??er"), ("a\x07b\x7f", "a?b?"), ("x" * 120, "x" * 100)],
)
def test_a_subject_is_one_line_that_every_channel_takes(subject: str, line: str) -> None:
    assert one_line(subject) == line
