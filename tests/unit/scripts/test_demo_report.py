"""The demo's last page: what it says, and when it calls itself a failure."""

from dataclasses import replace

import pytest

from scripts.demo_report import Demo, Model, Predictions, Quality, Task, faults, text

GOOD = Demo(
    dag_id="abalone_training",
    run_id="manual__1",
    run_state="success",
    tasks=(
        Task("AbaloneTrain", "success", 2.5, "abalone-train-1", "Completed"),
        Task("AbaloneMSEFail", "skipped"),
    ),
    quality=Quality(mse=4.7, standard_deviation=2.2, threshold=6.0),
    model=Model(
        "arn:aws:sagemaker:us-east-1:1:model-package/abalone/1", 1, "PendingManualApproval"
    ),
    predictions=Predictions("s3://b/runs/1/", ".nacre/b/runs/1/", count=12, expected=12),
)


def test_a_demo_that_went_well_has_no_faults() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"run_state": "failed"}, ["the run of abalone_training ended as failed"]),
        ({"tasks": (Task("A", "failed"),)}, ["task A ended as failed"]),
        (
            {"tasks": (Task("A", "success", job="a-1", job_status="InProgress"),)},
            ["SageMaker says InProgress of a-1"],
        ),
        ({"quality": None}, ["the evaluation left no report"]),
        (
            {"quality": Quality(6.1, 2.0, 6.0)},
            ["the model is not good enough, so it was not registered"],
        ),
        ({"model": None}, ["no model version was registered"]),
        ({"predictions": None}, ["no batch was scored"]),
        ({"predictions": Predictions("", "", 11, 12)}, ["11 predictions for 12 rows"]),
    ],
)
def test_what_went_wrong_is_said(changes: dict[str, object], expected: list[str]) -> None:
    assert faults(replace(GOOD, **changes)) == expected  # type: ignore[arg-type]


def test_the_page_shows_all_that_a_newcomer_wants_to_know() -> None:
    assert text(GOOD) == (
        "abalone_training: success in 2.5 s   (run manual__1)\n"
        "\n"
        "    task            SageMaker job    seconds\n"
        "  ✓ AbaloneTrain    abalone-train-1      2.5\n"
        "  - AbaloneMSEFail  not taken               \n"
        "\n"
        "Quality      MSE 4.70, standard deviation 2.20; threshold 6\n"
        "Branch       MSE ≤ threshold: register, score\n"
        "Model        arn:aws:sagemaker:us-east-1:1:model-package/abalone/1\n"
        "             version 1, PendingManualApproval\n"
        "Predictions  12 (one for each of 12 rows)\n"
        "             s3://b/runs/1/\n"
        "             .nacre/b/runs/1/\n"
        "\n"
        "Next\n"
        "  make up      Airflow's UI: http://localhost:8080/dags/abalone_training\n"
        "               trigger it with another threshold, or clear a task\n"
        "  make demo    again: the next version, beside this one\n"
        "  make local   point boto3, the AWS CLI or the SageMaker SDK at what lies here\n"
        "  docs/getting-started.md"
    )


def test_a_failed_demo_still_has_its_page() -> None:
    failed = replace(GOOD, run_state="failed", quality=None, model=None, predictions=None)
    assert "abalone_training: failed" in text(failed)
