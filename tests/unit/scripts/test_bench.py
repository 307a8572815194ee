"""What `make bench` makes of its figures."""

from dataclasses import replace

import pytest

from include.nacre.definition.expressions import evaluate
from include.pipelines.abalone.pipeline import get_pipeline
from scripts.benchmarks.by_boto3 import Execution, JobFailedError, run_steps
from scripts.benchmarks.results import Result, line, merged

BESIDE = Result(what="w", unit="s", ours=6.0, theirs=5.0, ratio=1.2, goal=1.2, runs=5)
ALONE = Result(what="w", unit="MB", ours=151.0, goal=150.0)
QUICK = Result(what="w", unit="/s", ours=501.0, goal=500.0, better="larger")


def test_a_goal_bounds_the_ratio_where_there_is_one() -> None:
    assert (BESIDE.met, ALONE.met) == (True, False)


def test_where_more_is_better_a_goal_bounds_from_below() -> None:
    slow = replace(QUICK, ours=499.0)
    ratio = replace(QUICK, theirs=1.0, ratio=499.0)
    assert (QUICK.met, slow.met, ratio.met) == (True, False, False)


def test_our_figure_may_be_bounded_beside_the_ratio() -> None:
    assert [replace(BESIDE, at_most=most).met for most in (6.0, 5.9)] == [True, False]


def test_a_result_is_written_without_what_it_has_not() -> None:
    assert ALONE.to_json() == {
        "what": "w",
        "unit": "MB",
        "ours": 151.0,
        "goal": 150.0,
        "runs": 1,
        "better": "smaller",
        "met": False,
    }


def test_results_of_other_benchmarks_are_kept() -> None:
    old = {"local_jobs": {"ours": 1.0}, "other": {"ours": 2.0}}
    assert merged(old, {"local_jobs": BESIDE}) == {
        "local_jobs": BESIDE.to_json(),
        "other": {"ours": 2.0},
    }


def test_a_person_reads_figures_goal_and_verdict_in_one_line() -> None:
    written = [line("local_jobs", BESIDE), line("idle_memory", ALONE)]
    written.append(line("describe_per_s", QUICK))
    assert [" ".join(text.split()) for text in written] == [
        "local_jobs 6 s 5 s 1.20 <= 1.2 ok w",
        "idle_memory 151 MB <= 150 MISSED w",
        "describe_per_s 501 /s >= 500 ok w",
    ]


class Service:
    """Answers as SageMaker does: the request, its name and a status, one after another."""

    def __init__(self, statuses: list[str]) -> None:
        self.statuses = statuses
        self.request: dict[str, object] = {}

    def create_processing_job(self, **request: object) -> None:
        self.request = request

    def describe_processing_job(self, ProcessingJobName: str) -> dict[str, object]:  # noqa: N803
        assert self.request["ProcessingJobName"] == ProcessingJobName
        status = self.statuses.pop(0)
        return {**self.request, "ProcessingJobStatus": status, "FailureReason": "why"}


def test_a_step_runs_to_its_end_and_is_known_to_later_ones() -> None:
    execution = Execution(get_pipeline(bucket="b"), "run")
    run_steps(Service(["InProgress", "Completed"]), execution, ["AbaloneProcess"])
    train = next(step for step in execution.pipeline.steps if step.name == "AbaloneTrain")
    channels = evaluate(train.arguments, execution)["InputDataConfig"]
    addresses = [item["DataSource"]["S3DataSource"]["S3Uri"] for item in channels]
    home = "s3://b/abalone/runs/run/AbaloneProcess"
    assert addresses == [f"{home}/train", f"{home}/validation"]


def test_a_step_that_fails_says_why() -> None:
    execution = Execution(get_pipeline(bucket="b"), "run")
    with pytest.raises(JobFailedError, match=r"run-AbaloneProcess.*Failed, why"):
        run_steps(Service(["Failed"]), execution, ["AbaloneProcess"])
