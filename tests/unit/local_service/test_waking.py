"""EventBridge's events in a real queue, heard by what wakes the watcher."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from include.nacre.dag.events import SqsQueue
from include.nacre.dag.hearing import listen
from include.nacre.dag.threads import in_thread
from tests.support.local_sagemaker import LocalSageMaker
from tests.unit.local_service.scripts import Scripts
from tests.unit.local_service.test_events import JOBS, Queue


@dataclass
class Ear:
    """Waits for one job, until it was heard of."""

    name: str
    heard: list[tuple[str, str]] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, kind: str, name: str) -> bool:
        self.heard.append((kind, name))
        self.over.set()
        return name == self.name

    def hear_nothing(self) -> None:
        raise AssertionError("the queue does not answer")


async def heard(sqs: Any, queue: str, name: str) -> list[tuple[str, str]]:
    ear = Ear(name)
    listening = asyncio.create_task(listen(lambda: SqsQueue(sqs, queue), in_thread, ear))
    await asyncio.wait_for(ear.over.wait(), 60)
    listening.cancel()
    return ear.heard


def test_the_end_of_a_job_is_heard_by_the_queues_name_and_by_its_url(
    service: LocalSageMaker, scripts: Scripts
) -> None:
    found = []
    for number, by_url in enumerate((False, True)):
        mine = {"ProcessingJobName": [scripts.name(f"job{number}")]}
        pattern = {"source": ["aws.sagemaker"], "detail-type": [JOBS], "detail": mine}
        queue = Queue(service, f"wake-{number}", pattern)
        name = scripts.start(f"job{number}", "print(1)")
        called = queue.url if by_url else f"wake-{number}"
        found += asyncio.run(heard(service.client("sqs"), called, name))
    assert found == [("Processing", scripts.name(f"job{number}")) for number in (0, 1)]
