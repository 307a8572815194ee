"""Events that wake the watcher, and the budget that it keeps."""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from include.nacre.dag.budget import BURST, DEFAULT_CALLS_PER_SECOND, Budget, calls_per_second
from include.nacre.dag.events import OFTEN_ENOUGH, Message, Told, poll_seconds, read
from include.nacre.dag.hearing import listen, settles
from tests.unit.dag import virtual
from tests.unit.dag.memory import refused
from tests.unit.dag.test_watcher import Clocked, at_once, calls, end, job, wait, watching

EXECUTION = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p/execution/abcdefghijkl"


def event(about: str, source: str = "aws.sagemaker", **detail: Any) -> str:
    return json.dumps({"source": source, "detail-type": f"SageMaker {about}", "detail": detail})


def training(name: str, status: str) -> str:
    about = "Training Job State Change"
    return event(about, TrainingJobName=name, TrainingJobStatus=status)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (training("a", "Completed"), Told("Training", "a", ended=True)),
        (training("a", "Stopped"), Told("Training", "a", ended=True)),
        (training("a", "InProgress"), Told("Training", "a", ended=False)),
        (
            event(
                "Processing Job State Change", ProcessingJobName="b", ProcessingJobStatus="Failed"
            ),
            Told("Processing", "b", ended=True),
        ),
        (
            event("Transform Job State Change", TransformJobName="c", TransformJobStatus="Failed"),
            Told("Transform", "c", ended=True),
        ),
        (
            event(
                "Model Building Pipeline Execution Status Change",
                pipelineExecutionArn=EXECUTION,
                currentPipelineExecutionStatus="Succeeded",
            ),
            Told("Pipeline", EXECUTION, ended=True),
        ),
    ],
)
def test_an_event_tells_of_what_and_whether_it_has_ended(body: str, told: Told) -> None:
    assert read(body) == told


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "[]",
        "null",
        '"text"',
        "{}",
        event("Training Job State Change", "my.app", TrainingJobName="a", TrainingJobStatus="x"),
    ],
)
def test_what_is_no_event_of_sagemakers_tells_nothing(body: str) -> None:
    assert read(body) is None


@pytest.mark.parametrize(
    "body",
    [
        event("Endpoint State Change", EndpointName="e"),
        event("Training Job State Change"),
        event("Training Job State Change", TrainingJobName=["a"], TrainingJobStatus="Completed"),
        json.dumps({"source": "aws.sagemaker", "detail-type": 7, "detail": None}),
    ],
)
def test_an_event_of_what_nobody_waits_for_does_not_stay_in_the_queue(body: str) -> None:
    assert settles(Message(body, "receipt", 1), Ear([]))


@dataclass
class Ear:
    """Somebody who waits for some jobs."""

    waits_for: Sequence[str]
    heard: list[str] = field(default_factory=list)
    deaf: int = 0

    def hear(self, _kind: str, name: str) -> bool:
        self.heard.append(name)
        return name in self.waits_for

    def hear_nothing(self) -> None:
        self.deaf += 1


@pytest.mark.parametrize(
    ("body", "received", "deleted"),
    [
        (training("mine", "Completed"), 1, True),
        (training("another's", "Completed"), 1, False),
        (training("another's", "Completed"), OFTEN_ENOUGH, True),
        (training("another's", "InProgress"), 1, True),
        ("no event of SageMaker's", OFTEN_ENOUGH, False),
    ],
)
def test_a_message_stays_for_whom_it_may_be(body: str, received: int, deleted: bool) -> None:
    assert settles(Message(body, "receipt", received), Ear(["mine"])) == deleted


@dataclass
class Queue:
    """A queue in memory: each answer is a list of messages' bodies, or an error."""

    answers: list[Any]
    deleted: list[str] = field(default_factory=list)

    def receive(self) -> list[Message]:
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        return [Message(body, f"receipt {number}", 1) for number, body in enumerate(answer)]

    def delete(self, messages: Sequence[Message]) -> None:
        self.deleted += [message.body for message in messages]


def listened(connect: Callable[[], Queue], ear: Ear, seconds: float = 600) -> None:
    async def main() -> None:
        listening = asyncio.create_task(listen(connect, at_once, ear))
        await asyncio.sleep(seconds)
        listening.cancel()

    virtual.run(main())


def test_a_queue_that_is_missing_is_warned_of_once_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries = []

    def missing() -> Queue:
        tries.append(1)
        raise refused("GetQueueUrl", "QueueDoesNotExist")

    listened(missing, ear := Ear([]))
    warned = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert (len(warned), len(tries) > 5, ear.deaf == len(tries)) == (1, True, True)
    assert warned[0].startswith(
        "[nacre] events_queue: GetQueueUrl failed with QueueDoesNotExist: no."
    )


def test_an_answer_that_fails_once_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    queue = Queue([refused("ReceiveMessage", "ServiceUnavailable", 503), [training("a", "Failed")]])
    listened(lambda: queue, ear := Ear(["a"]))
    assert (ear.heard, len(queue.deleted), caplog.messages) == (["a"], 1, [])


def test_an_event_wakes_the_watcher_long_before_it_would_look() -> None:
    async def main() -> Any:
        service, queue = Clocked(), Queue([])
        waiting = [
            asyncio.create_task(wait(watching(service, queue=queue), service, job(service, name)))
            for name in ["a"]
        ]
        await asyncio.sleep(900)
        looks = calls(service)["DescribeTrainingJob"]
        end(service, "a")
        queue.answers.append([training("a", "Completed")])
        ended = await asyncio.gather(*waiting)
        return ended[0][1] < 901, calls(service)["DescribeTrainingJob"] - looks, queue.deleted

    assert virtual.run(main()) == (True, 1, [training("a", "Completed")])


def test_where_events_tell_of_ends_the_next_jobs_are_asked_about_twice_a_minute() -> None:
    async def main() -> Any:
        service, queue = Clocked(), Queue([])
        watcher = watching(service, queue=queue)
        first, second = (
            asyncio.create_task(wait(watcher, service, job(service, name))) for name in "ab"
        )
        await asyncio.sleep(60)
        end(service, "a")
        queue.answers.append([training("a", "Completed")])
        await first
        await asyncio.sleep(30)
        before = calls(service)["DescribeTrainingJob"]
        await asyncio.sleep(300)
        second.cancel()
        return calls(service)["DescribeTrainingJob"] - before

    assert virtual.run(main()) == 300 / 30


def test_an_end_that_no_event_told_of_makes_the_watcher_look_by_itself_again() -> None:
    async def main() -> Any:
        service, queue = Clocked(), Queue([])
        watcher = watching(service, queue=queue)
        told, untold, young = (
            asyncio.create_task(wait(watcher, service, job(service, name))) for name in "abc"
        )
        await asyncio.sleep(10)
        end(service, "a")
        queue.answers.append([training("a", "Completed")])
        await told
        end(service, "b")
        await untold
        before = sum(calls(service).values())
        await asyncio.sleep(60)
        young.cancel()
        return sum(calls(service).values()) - before > 60 / 30

    assert virtual.run(main()) is True


def test_an_error_of_ours_in_listening_ends_no_wait(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> str:
        service = Clocked()
        queue = Queue([KeyError("Attributes")])
        waiting = asyncio.create_task(
            wait(watching(service, queue=queue), service, job(service, "a"))
        )
        await asyncio.sleep(10)
        end(service, "a")
        return (await waiting)[0][-1]

    assert (virtual.run(main()), len(caplog.records)) == ("a: Completed", 1)


@pytest.mark.parametrize(("read_timeout", "seconds"), [(60, 20), (None, 20), (10, 5), (1, 1)])
def test_a_call_waits_for_messages_no_longer_than_its_connection(
    read_timeout: float | None, seconds: int
) -> None:
    assert poll_seconds(read_timeout) == seconds


def taken(budget: Budget, now: float) -> int:
    """How many calls may be made at once."""
    number = 0
    while budget.wait(now) == 0:
        budget.take(now)
        budget.sent()
        budget.done()
        number += 1
    return number


def test_after_a_silence_a_few_calls_may_be_made_at_once() -> None:
    budget = Budget(2.0)
    found = [taken(budget, now) for now in (0.0, 0.5, 0.6, 1.5, 3600.0)]
    assert found == [BURST, 1, 0, 2, BURST]


def test_what_the_client_sends_again_is_paid_for_later() -> None:
    budget = Budget(1.0, burst=1)
    budget.take(0.0)
    for _ in range(4):
        budget.sent()
    budget.done()
    assert budget.wait(0.0) == 4.0


def test_a_call_that_sent_nothing_pays_for_no_other() -> None:
    budget = Budget(1.0, burst=1)
    budget.take(0.0)
    budget.done()
    budget.sent()
    assert budget.wait(0.0) == 2.0


@pytest.mark.parametrize(("given", "used"), [("", 1.0), ("5", 5.0), ("0.25", 0.25)])
def test_the_budget_is_the_users(monkeypatch: pytest.MonkeyPatch, given: str, used: float) -> None:
    monkeypatch.setenv("AIRFLOW__NACRE__CALLS_PER_SECOND", given)
    assert calls_per_second() == used


@pytest.mark.parametrize("given", ["many", "0", "-1", "nan", "inf"])
def test_a_budget_that_is_none_is_warned_of_and_the_usual_one_taken(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, given: str
) -> None:
    monkeypatch.setenv("AIRFLOW__NACRE__CALLS_PER_SECOND", given)
    assert (calls_per_second(), len(caplog.records)) == (DEFAULT_CALLS_PER_SECOND, 1)
