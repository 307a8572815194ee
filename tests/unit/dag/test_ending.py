"""What is said of a job that has ended."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from include.nacre.dag.aws import Aws
from include.nacre.dag.ending import Report, failure, summary
from include.nacre.dag.kinds import MODEL, PROCESSING, TRAINING, Kind
from tests.unit.dag.memory import refused

GROUP = "/aws/sagemaker/TrainingJobs"


@dataclass
class Logs:
    """The log streams of jobs, or trouble with them."""

    streams: dict[str, list[str]] = field(default_factory=dict)
    trouble: Exception | None = None

    def log_streams(self, _kind: Kind, name: str) -> list[str]:
        if self.trouble:
            raise self.trouble
        return [stream for stream in self.streams if stream.startswith(f"{name}/")]

    def log_tail(self, _kind: Kind, stream: str, lines: int) -> list[str]:
        return self.streams[stream][-lines:]


def shown(logs: Logs, kind: Kind = TRAINING) -> list[str]:
    said: list[str] = []
    Report(cast("Aws", logs), kind, "j", said.append).show_log()
    return said


def test_the_end_of_a_jobs_log_is_shown() -> None:
    lines = [f"line {i}" for i in range(100)]
    assert shown(Logs({"j/algo-1": lines, "other/algo-1": ["no"]})) == [
        f"The end of {GROUP}/j/algo-1:",
        *(f"  | line {i}" for i in range(60, 100)),
    ]


def test_of_many_hosts_some_are_shown() -> None:
    said = shown(Logs({f"j/algo-{i}": [f"host {i}"] for i in range(1, 11)}))
    assert said[-3:] == [
        f"The end of {GROUP}/j/algo-3:",
        "  | host 3",
        "7 more hosts wrote logs: see the job's log in the console.",
    ]


def test_a_job_without_a_log_says_so() -> None:
    missing = refused("DescribeLogStreams", "ResourceNotFoundException")
    assert (shown(Logs()), shown(Logs(trouble=missing))) == (["The job wrote no log."],) * 2


def test_a_log_that_may_not_be_read_hides_no_failure() -> None:
    denied = refused("DescribeLogStreams", "AccessDeniedException")
    assert shown(Logs(trouble=denied)) == [
        "The job's log is out of reach. DescribeLogStreams failed with AccessDeniedException: no."
    ]


def test_a_model_has_no_log_to_show() -> None:
    assert shown(Logs(), MODEL) == []


def test_a_failure_is_said_with_the_services_reason() -> None:
    answer = {"ProcessingJobStatus": "Failed", "FailureReason": "AlgorithmError: exit code: 1"}
    assert failure(PROCESSING, "j", answer) == (
        "processing job j failed: AlgorithmError: exit code: 1"
    )


def test_a_stop_is_said_as_one() -> None:
    answer = {"TrainingJobStatus": "Stopped"}
    assert failure(TRAINING, "j", answer) == (
        "training job j was stopped: the service gives no reason"
    )


def test_a_success_is_one_line() -> None:
    answer: dict[str, Any] = {
        key: datetime(2026, 11, 20, 12, minute, tzinfo=UTC)
        for key, minute in (("CreationTime", 0), ("TrainingStartTime", 2), ("TrainingEndTime", 5))
    }
    assert summary(TRAINING, "j", answer) == (
        "training job j completed: it ran 180 s, and took 120 s to start"
    )
