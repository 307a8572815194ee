"""Job logs through CloudWatch Logs' read calls."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.nacre.local.cloudwatch.operations import log_operations
from include.nacre.local.cloudwatch.patterns import matcher
from include.nacre.local.cloudwatch.streams import LogGroups, Stream
from include.nacre.local.place import Place
from include.nacre.local.protocol.core import JsonService
from tests.unit.local.memory import LOGS, called, error_of

GROUP = "/aws/sagemaker/TrainingJobs"


class Logs:
    """The log calls over a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.service = JsonService(LOGS, log_operations(LogGroups(root), Place()))

    def write(self, stream: str, *lines: tuple[int, str], group: str = "TrainingJobs") -> None:
        path = self.root / group / f"{stream}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{time} {text}\n" for time, text in lines)

    def call(self, name: str, **request: Any) -> dict[str, Any]:
        return called(self.service, LOGS, name, request)

    def get(self, **request: Any) -> tuple[list[str], str, str]:
        answer = self.call(
            "GetLogEvents", logGroupName=GROUP, logStreamName="fit/algo-1-1", **request
        )
        messages = [event["message"] for event in answer["events"]]
        return messages, answer["nextForwardToken"], answer["nextBackwardToken"]


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    found = Logs(tmp_path)
    found.write("fit/algo-1-1", *((time, f"line {time}") for time in range(1, 6)))
    return found


def test_a_group_has_the_services_name(logs: Logs) -> None:
    logs.write("clean/algo-1-1", (1, "x"), group="ProcessingJobs")
    groups = logs.call("DescribeLogGroups", logGroupNamePrefix="/aws/sagemaker/")["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["/aws/sagemaker/ProcessingJobs", GROUP]


def test_a_stream_tells_its_first_and_last_event(logs: Logs) -> None:
    answer = logs.call("DescribeLogStreams", logGroupName=GROUP, logStreamNamePrefix="fit/")
    assert answer["logStreams"] == [
        {
            "logStreamName": "fit/algo-1-1",
            "arn": f"arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}:log-stream:fit/algo-1-1",
            "storedBytes": 0,
            "creationTime": 1,
            "firstEventTimestamp": 1,
            "lastEventTimestamp": 5,
            "lastIngestionTime": 5,
        }
    ]


def stream_names(logs: Logs, **request: Any) -> list[str]:
    answer = logs.call("DescribeLogStreams", logGroupName=GROUP, **request)
    return [stream["logStreamName"] for stream in answer["logStreams"]]


@pytest.fixture
def many(logs: Logs) -> Logs:
    logs.write("fit/algo-2-1", (9, "x"))
    logs.write("fit-2/algo-1-1", (7, "x"))
    logs.write("deep/host/data-log", (3, "x"))
    return logs


def test_a_streams_name_is_its_path_below_the_group(many: Logs) -> None:
    assert stream_names(many) == [
        "deep/host/data-log",
        "fit-2/algo-1-1",
        "fit/algo-1-1",
        "fit/algo-2-1",
    ]


def test_streams_are_found_by_a_prefix_of_their_name(many: Logs) -> None:
    assert stream_names(many, logStreamNamePrefix="fit/") == ["fit/algo-1-1", "fit/algo-2-1"]


@pytest.mark.parametrize("prefix", ["/", "/var/log/", "../", "fit/../../"])
def test_a_prefix_leads_nowhere_else(many: Logs, prefix: str) -> None:
    (many.root / "ProcessingJobs").mkdir()
    (many.root / "ProcessingJobs/other.log").write_text("1 x\n")
    assert stream_names(many, logStreamNamePrefix=prefix) == []


def test_streams_are_ordered_by_their_last_event(many: Logs) -> None:
    asked = {"orderBy": "LastEventTime", "descending": True, "limit": 2}
    assert stream_names(many, **asked) == ["fit/algo-2-1", "fit-2/algo-1-1"]


def test_streams_come_in_pages(many: Logs) -> None:
    first = many.call("DescribeLogStreams", logGroupName=GROUP, limit=3)
    rest = stream_names(many, limit=3, nextToken=first["nextToken"])
    assert (len(first["logStreams"]), rest) == (3, ["fit/algo-2-1"])


def test_events_have_a_time_and_a_text(logs: Logs) -> None:
    answer = logs.call("GetLogEvents", logGroupName=GROUP, logStreamName="fit/algo-1-1", limit=1)
    assert answer["events"] == [{"timestamp": 5, "message": "line 5", "ingestionTime": 5}]


def test_the_newest_events_come_first_unless_one_starts_from_the_head(logs: Logs) -> None:
    newest, oldest = logs.get(limit=2)[0], logs.get(limit=2, startFromHead=True)[0]
    assert (newest, oldest) == (["line 4", "line 5"], ["line 1", "line 2"])


def test_the_forward_token_goes_on_and_repeats_itself_at_the_end(logs: Logs) -> None:
    first, token, _ = logs.get(limit=3, startFromHead=True)
    rest, end, _ = logs.get(nextToken=token, startFromHead=True)
    nothing, again, _ = logs.get(nextToken=end, startFromHead=True)
    assert (first + rest, nothing, again) == ([f"line {n}" for n in range(1, 6)], [], end)


def test_the_forward_token_of_the_end_finds_what_is_written_later(logs: Logs) -> None:
    _, end, _ = logs.get(startFromHead=True)
    logs.write("fit/algo-1-1", (6, "line 6"))
    assert logs.get(nextToken=end, startFromHead=True)[0] == ["line 6"]


def test_the_backward_token_goes_back_to_the_beginning(logs: Logs) -> None:
    newest, _, token = logs.get(limit=2)
    before, _, start = logs.get(limit=10, nextToken=token)
    nothing, _, again = logs.get(nextToken=start)
    assert (before + newest, nothing, again) == ([f"line {n}" for n in range(1, 6)], [], start)


def test_events_are_found_by_their_time_the_end_not_included(logs: Logs) -> None:
    assert logs.get(startTime=2, endTime=4)[0] == ["line 2", "line 3"]


def test_a_line_that_is_still_being_written_is_no_event_yet(logs: Logs) -> None:
    with (logs.root / "TrainingJobs/fit/algo-1-1.log").open("a") as file:
        file.write("6 half a li")
    assert logs.get(limit=1)[0] == ["line 5"]


@pytest.mark.parametrize("token", ["x", "f/", "f/99999", "b/-1", "g/0"])
def test_a_token_that_nobody_gave_out_is_refused(logs: Logs, token: str) -> None:
    assert error_of(logs.get, nextToken=token) == (
        "InvalidParameterException",
        "The specified nextToken is invalid.",
    )


@pytest.mark.parametrize(
    ("group", "stream", "message"),
    [
        (GROUP, "none", "The specified log stream does not exist."),
        (GROUP, "../../secret", "The specified log stream does not exist."),
        (GROUP, "/etc/passwd", "The specified log stream does not exist."),
        (f"{GROUP}/..", "x", "The specified log group does not exist."),
        ("/aws/lambda/x", "x", "The specified log group does not exist."),
    ],
)
def test_what_does_not_exist_is_not_found(
    logs: Logs, group: str, stream: str, message: str
) -> None:
    asked = {"logGroupName": group, "logStreamName": stream}
    assert error_of(logs.call, "GetLogEvents", **asked) == ("ResourceNotFoundException", message)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(blacklist_characters="\n", codec="utf-8"), max_size=30)))
def test_any_text_comes_back_forwards_and_backwards(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "stream.log"
    path.write_bytes("".join(f"7 {line}\n" for line in lines).encode())
    stream = Stream("s", path)
    forwards = [event.message for event in stream.events()]
    backwards = [event.message for event in stream.events_before(stream.size())]
    assert (forwards, backwards[::-1]) == (lines, lines)


def test_a_long_log_is_read_backwards_across_its_blocks(tmp_path: Path) -> None:
    path = tmp_path / "stream.log"
    lines = [f"{number} {'x' * (number % 4000)}" for number in range(500)]
    path.write_text("".join(f"{line}\n" for line in lines))
    stream = Stream("s", path)
    found = [f"{event.timestamp} {event.message}" for event in stream.events_before(stream.size())]
    assert found[::-1] == lines


def filtered(logs: Logs, **request: Any) -> list[str]:
    answer = logs.call("FilterLogEvents", logGroupName=GROUP, **request)
    return [event["message"] for event in answer["events"]]


def test_filtering_merges_streams_by_time(logs: Logs) -> None:
    logs.write("fit/algo-2-1", (2, "other 2"), (4, "other 4"))
    assert filtered(logs, logStreamNamePrefix="fit/", startTime=2, endTime=5) == [
        "line 2",
        "other 2",
        "line 3",
        "line 4",
        "other 4",
    ]


def test_filtering_comes_in_pages(logs: Logs) -> None:
    first = logs.call("FilterLogEvents", logGroupName=GROUP, limit=4)
    rest = filtered(logs, limit=4, nextToken=first["nextToken"])
    assert (len(first["events"]), rest) == (4, ["line 5"])


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", True),
        ("ERROR", True),
        ("ERROR depth", True),
        ("ERROR width", False),
        ('"bad depth"', True),
        ('"depth bad"', False),
        ("?width ?depth", True),
        ("?width ?height", False),
        ("ERROR -depth", False),
        ("-width", True),
        ("%E.{3}R bad%", True),
        ("error", False),
    ],
)
def test_a_pattern_matches_what_it_says(pattern: str, expected: bool) -> None:
    assert matcher(pattern)("ERROR bad depth") is expected


@pytest.mark.parametrize("pattern", ["{ $.a = 1 }", "[a, b]", '"open', "%(%"])
def test_a_pattern_that_is_not_known_is_refused_by_name(logs: Logs, pattern: str) -> None:
    code, message = error_of(filtered, logs, filterPattern=pattern)
    assert (code, repr(pattern.strip("%")) in message) == ("InvalidParameterException", True)
