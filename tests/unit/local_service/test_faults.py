"""Calls that go wrong on request, as a real client sees them."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.support.local_sagemaker import LocalSageMaker, local_sagemaker
from tests.unit.local_service.faulty import asked, put
from tests.unit.local_service.test_command import run

NOTHING = {"seed": 0, "rules": [], "acted": []}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSageMaker]:
    """A service of this module's own: faults must not reach other tests."""
    with local_sagemaker(tmp_path_factory.mktemp("faulty") / "state") as running:
        yield running


@pytest.fixture
def sagemaker(faulty: LocalSageMaker) -> Iterator[Any]:
    yield faulty.client("sagemaker")
    asked(faulty, "DELETE", "/faults")


def group(name: str) -> dict[str, str]:
    return {"ModelPackageGroupName": name}


@pytest.mark.parametrize(
    ("deed", "status", "code", "message"),
    [
        ("throttle", 400, "ThrottlingException", "Rate exceeded"),
        (
            "internal",
            500,
            "InternalFailure",
            "The request processing has failed because of an unknown error, exception or failure.",
        ),
        (
            "unavailable",
            503,
            "ServiceUnavailable",
            "The request has failed due to a temporary failure of the server.",
        ),
    ],
)
def test_a_call_fails_with_the_services_error(
    faulty: LocalSageMaker, sagemaker: Any, deed: str, status: int, code: str, message: str
) -> None:
    put(faulty, {"call": "ListModels", "do": deed})
    with pytest.raises(ClientError) as refused:
        sagemaker.list_models()
    answer = refused.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]) == (
        status,
        {"Code": code, "Message": message},
    )


def test_a_dropped_call_was_not_done(faulty: LocalSageMaker, sagemaker: Any) -> None:
    put(faulty, {"call": "CreateModelPackageGroup", "do": "drop", "times": 1})
    with pytest.raises(ConnectionClosedError):
        sagemaker.create_model_package_group(**group("dropped"))
    assert (
        sagemaker.list_model_package_groups(NameContains="dropped")["ModelPackageGroupSummaryList"]
        == []
    )


def test_a_call_whose_answer_is_dropped_was_done(faulty: LocalSageMaker, sagemaker: Any) -> None:
    put(faulty, {"call": "CreateModelPackageGroup", "do": "drop_after"})
    with pytest.raises(ConnectionClosedError):
        sagemaker.create_model_package_group(**group("unanswered"))
    found = sagemaker.describe_model_package_group(**group("unanswered"))
    assert found["ModelPackageGroupName"] == "unanswered"


def test_calls_about_other_names_are_left_alone(faulty: LocalSageMaker, sagemaker: Any) -> None:
    put(faulty, {"call": "*", "do": "throttle", "name": "bad-*"})
    sagemaker.create_model_package_group(**group("good-1"))
    with pytest.raises(ClientError, match="Rate exceeded"):
        sagemaker.create_model_package_group(**group("bad-1"))


def test_logs_misbehave_too(faulty: LocalSageMaker, sagemaker: Any) -> None:
    put(faulty, {"call": "DescribeLogGroups", "do": "throttle"})
    with pytest.raises(ClientError, match="ThrottlingException"):
        faulty.client("logs").describe_log_groups()
    assert sagemaker.list_models()["Models"] == []


def test_delayed_calls_hold_up_no_others(faulty: LocalSageMaker, sagemaker: Any) -> None:
    put(faulty, {"call": "ListModels", "do": "delay", "seconds": 600})
    slow = faulty.client("sagemaker", max_pool_connections=40)
    with ThreadPoolExecutor(40) as many:  # more than the service has threads
        calls = [many.submit(slow.list_models) for _ in range(40)]
        deadline = time.monotonic() + 20
        while asked(faulty, "GET", "/faults")[1]["acted"] != [40] and time.monotonic() < deadline:
            time.sleep(0.01)
        others = sagemaker.list_pipelines()["PipelineSummaries"]
        waited = [call.done() for call in calls]
        asked(faulty, "DELETE", "/faults")  # which lets them go
        answers = [call.result()["Models"] for call in calls]
    assert (others, waited, answers) == ([], [False] * 40, [[]] * 40)


def test_what_is_in_force_is_told_and_can_be_given_back(
    faulty: LocalSageMaker, sagemaker: Any
) -> None:
    put(faulty, {"call": "List*", "do": "throttle", "times": 1}, seed=7)
    with pytest.raises(ClientError):
        sagemaker.list_models()
    told = asked(faulty, "GET", "/faults")
    again = asked(faulty, "PUT", "/faults", json.dumps(told[1]).encode())
    gone = asked(faulty, "DELETE", "/faults")
    rules = {"seed": 7, "rules": [{"call": "List*", "do": "throttle", "times": 1}]}
    assert (told, again, gone, asked(faulty, "GET", "/faults")) == (
        (200, {**rules, "acted": [1]}),
        (200, {**rules, "acted": [0]}),
        (200, NOTHING),
        (200, NOTHING),
    )


def test_a_scenario_with_faults_is_refused_and_changes_nothing(
    faulty: LocalSageMaker, sagemaker: Any
) -> None:
    put(faulty, {"call": "ListModels", "do": "throttle"})
    body = b'{"rules": [{"call": "Nothing", "do": "drop"}, {"call": "*", "do": "x"}]}'
    status, answer = asked(faulty, "PUT", "/faults", body)
    with pytest.raises(ClientError, match="Rate exceeded"):
        sagemaker.list_models()
    assert (status, [text.partition(":")[0] for text in answer["faults"]]) == (
        400,
        ["rules[0].call", "rules[1].do"],
    )


@pytest.mark.parametrize(
    ("method", "path", "fault"),
    [
        ("POST", "/faults", "/faults takes GET, PUT and DELETE, not POST"),
        ("DELETE", "/calls", "/calls takes GET, not DELETE"),
    ],
)
def test_another_method_is_refused(
    faulty: LocalSageMaker, method: str, path: str, fault: str
) -> None:
    assert asked(faulty, method, path) == (405, {"faults": [fault]})


def counts(service: LocalSageMaker, name: str, operation: str) -> dict[str, int]:
    none = {"answered": 0, "failed": 0}
    found: dict[str, int] = asked(service, "GET", "/calls")[1].get(name, {}).get(operation, none)
    return found


def test_calls_are_counted_by_operation(faulty: LocalSageMaker, sagemaker: Any) -> None:
    before = counts(faulty, "sagemaker", "ListTrainingJobs")
    put(
        faulty,
        {"call": "ListTrainingJobs", "do": "throttle", "times": 2},
        {"call": "ListTrainingJobs", "do": "drop_after", "times": 1},
    )
    for _ in range(3):
        with pytest.raises((ClientError, ConnectionClosedError)):
            sagemaker.list_training_jobs()
    for _ in range(4):
        sagemaker.list_training_jobs()
    with pytest.raises(ClientError):
        faulty.client("logs").describe_log_streams(logGroupName="none")
    after = counts(faulty, "sagemaker", "ListTrainingJobs")
    assert (
        {word: after[word] - before[word] for word in after},
        counts(faulty, "logs", "DescribeLogStreams"),
    ) == ({"answered": 4, "failed": 3}, {"answered": 0, "failed": 1})


def test_the_command_line_gives_a_scenario_and_rules(tmp_path: Any) -> None:
    file = tmp_path / "scenario.json"
    file.write_text('{"seed": 3, "rules": [{"call": "List*", "do": "drop"}]}')
    options = ["--faults", str(file), "--fault", '{"call": "*", "do": "throttle", "share": 0}']
    with local_sagemaker(tmp_path / "state", options) as service:
        assert asked(service, "GET", "/faults")[1] == {
            "seed": 3,
            "rules": [
                {"call": "List*", "do": "drop"},
                {"call": "*", "do": "throttle", "share": 0},
            ],
            "acted": [0, 0],
        }


def test_all_faults_of_a_command_line_are_told_at_once(tmp_path: Any) -> None:
    file = tmp_path / "scenario.json"
    file.write_text('{"rules": [{"call": "*", "do": "x"}]}')
    free = ("--state", str(tmp_path / "s"), "--port", "0", "--s3-port", "0")
    status, said = run(*free, "--faults", str(file), "--fault", "{", "--fault", '{"call": "*"}')
    assert (status, [line.partition(": ")[0] for line in said.splitlines()]) == (
        1,
        ["These faults cannot be had:", str(file), "--fault 1", "--fault 2"],
    )
