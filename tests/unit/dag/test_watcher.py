"""The watcher, against SageMaker in memory and in virtual time."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest

from include.nacre.dag.budget import BURST, Budget
from include.nacre.dag.events import Queue
from include.nacre.dag.kinds import TRAINING, Kind
from include.nacre.dag.watcher import Watcher, WatchError
from tests.unit.dag import virtual
from tests.unit.dag.memory import MemoryService, refused


async def at_once(call: Callable[..., Any], *arguments: Any) -> Any:
    """What `asyncio.to_thread` does, without threads."""
    return call(*arguments)


class Clocked(MemoryService):
    """A service whose clock goes with the event loop, and which may be in trouble."""

    trouble: Exception | None = None
    sent: Callable[[], None]

    def describe(self, kind: Kind, name: str) -> dict[str, Any] | None:
        self._pass()
        return super().describe(kind, name)

    def list_page(self, kind: Kind, request: Mapping[str, Any]) -> dict[str, Any]:
        self._pass()
        return super().list_page(kind, request)

    def _pass(self) -> None:
        self.sent()
        self.now = at(asyncio.get_running_loop().time())
        if self.trouble:
            raise self.trouble


def watching(service: Any, per_second: float = 1.0, queue: Queue | None = None) -> Watcher:
    """A watcher of a service that says of each call that it was sent."""

    def connect(sent: Callable[[], None]) -> Any:
        service.sent = sent
        return service

    listening = None if queue is None else lambda: queue
    return Watcher(connect, Budget(per_second), at_once, listening)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(
        MemoryService().now.timestamp() + seconds, MemoryService().now.tzinfo
    )


def job(service: MemoryService, name: str) -> str:
    service.now = at(asyncio.get_running_loop().time())
    service.call("CreateTrainingJob", TrainingJobName=name)
    return name


def end(service: MemoryService, name: str, status: str = "Completed") -> None:
    service.now = at(asyncio.get_running_loop().time())
    service.end(TRAINING, name, status)


async def wait(watcher: Watcher, service: MemoryService, name: str) -> tuple[list[str], float]:
    """Wait for a job; what was told, and when the end was known."""
    created = service.jobs[name]["CreationTime"].timestamp()
    news = [item async for item in watcher.news_of("Training", name, created)]
    return [item.text for item in news], asyncio.get_running_loop().time()


def calls(service: MemoryService) -> dict[str, int]:
    return {name: count for name, count in Counter(service.calls).items() if "Create" not in name}


def test_one_job_is_described_until_it_ends() -> None:
    async def main() -> Any:
        service = Clocked()
        watcher = watching(service)
        waiting = asyncio.create_task(wait(watcher, service, job(service, "a")))
        await asyncio.sleep(10.5)
        end(service, "a")
        return await waiting, calls(service)

    (news, ended_at), made = virtual.run(main())
    assert news == ["a: InProgress", "a: Completed"]
    assert (ended_at, made) == (pytest.approx(11), {"DescribeTrainingJob": 12})


def test_a_thousand_jobs_are_served_by_lists() -> None:
    async def main() -> Any:
        service = Clocked()
        watcher = watching(service)
        names = [job(service, f"j{i}") for i in range(1000)]
        waiting = [asyncio.create_task(wait(watcher, service, name)) for name in names]
        await asyncio.sleep(60)
        for name in names:
            end(service, name)
        ended = await asyncio.gather(*waiting)
        return max(time for _, time in ended), calls(service)

    last, made = virtual.run(main())
    assert made.keys() == {"ListTrainingJobs"}
    pages = 10  # of a hundred jobs each
    assert (last <= 60 + 2 * pages + 1, made["ListTrainingJobs"] <= BURST + last) == (True, True)


def test_a_job_that_ended_before_the_watcher_came_is_noticed() -> None:
    async def main() -> Any:
        service = Clocked()
        watcher = watching(service)
        names = [job(service, f"old{i}") for i in range(5)]
        await asyncio.sleep(7200)
        for name in names:
            end(service, name, "Failed")
        await asyncio.sleep(7200)
        fresh = [job(service, f"new{i}") for i in range(5)]
        waiting = [asyncio.create_task(wait(watcher, service, name)) for name in names + fresh]
        await asyncio.sleep(5)
        done = [task.done() for task in waiting]
        for task in waiting:
            task.cancel()
        return done

    assert virtual.run(main()) == [True] * 5 + [False] * 5


def test_the_last_news_of_a_pipeline_is_its_end() -> None:
    class Played(Clocked):
        def describe(self, kind: Kind, name: str) -> dict[str, Any]:  # noqa: ARG002
            over = asyncio.get_running_loop().time() > 3
            steps = [{"StepName": "A", "StepStatus": "Succeeded" if over else "Executing"}]
            status = "Failed" if over else "Executing"
            return {"PipelineExecutionStatus": status, "Steps": steps, **self._answered()}

    async def main() -> list[tuple[str, str]]:
        watcher = watching(Played())
        return [(item.text, item.status) async for item in watcher.news_of("Pipeline", "arn", 0)]

    assert virtual.run(main()) == [
        ("A: Executing", ""),
        ("execution arn: Executing", ""),
        ("A: Succeeded", ""),
        ("execution arn: Failed", "Failed"),
    ]


def test_throttling_for_an_hour_fails_nobody() -> None:
    async def main() -> Any:
        service = Clocked()
        watcher = watching(service)
        names = [job(service, f"j{i}") for i in range(3)]
        waiting = [asyncio.create_task(wait(watcher, service, name)) for name in names]
        await asyncio.sleep(5)
        service.trouble = refused("ListTrainingJobs", "ThrottlingException")
        await asyncio.sleep(3600)
        service.trouble = None
        for name in names:
            end(service, name)
        return (await asyncio.gather(*waiting))[0]

    news, ended_at = virtual.run(main())
    assert news == [
        "j0: InProgress",
        "ListTrainingJobs failed with ThrottlingException: no. The wait goes on.",
        "The service answers again.",
        "j0: Completed",
    ]
    assert ended_at <= 3605 + 60 + 2


def test_an_identity_that_may_describe_but_not_list_is_enough() -> None:
    class Unlistable(Clocked):
        def list_page(self, *_: Any) -> Any:
            raise refused("ListTrainingJobs", "AccessDeniedException")

    async def main() -> Any:
        service = Unlistable()
        watcher = watching(service)
        names = [job(service, f"j{i}") for i in range(4)]
        waiting = [asyncio.create_task(wait(watcher, service, name)) for name in names]
        await asyncio.sleep(10)
        for name in names:
            end(service, name)
        return [news[-1] for news, _ in await asyncio.gather(*waiting)]

    assert virtual.run(main()) == [f"j{i}: Completed" for i in range(4)]


def test_missing_rights_end_the_wait_with_a_reason() -> None:
    async def main() -> Any:
        service = Clocked()
        name = job(service, "a")
        service.trouble = refused("DescribeTrainingJob", "AccessDeniedException")
        await wait(watching(service), service, name)

    with pytest.raises(WatchError, match="DescribeTrainingJob failed with AccessDeniedException"):
        virtual.run(main())


def test_rights_that_are_missing_for_a_minute_fail_nobody() -> None:
    async def main() -> Any:
        service = Clocked()
        watcher = watching(service)
        waiting = asyncio.create_task(wait(watcher, service, job(service, "a")))
        service.trouble = refused("DescribeTrainingJob", "UnrecognizedClientException")
        await asyncio.sleep(60)
        service.trouble = None
        end(service, "a")
        return (await waiting)[0][-1]

    assert virtual.run(main()) == "a: Completed"


def test_expired_credentials_are_fetched_anew() -> None:
    async def main() -> Any:
        service, connected = Clocked(), list[Clocked]()

        def connect(sent: Callable[[], None]) -> Clocked:
            service.sent = sent
            connected.append(service)
            return service

        watcher = Watcher(connect, Budget(1.0), at_once)
        waiting = asyncio.create_task(wait(watcher, service, job(service, "a")))
        await asyncio.sleep(5)
        service.trouble = refused("DescribeTrainingJob", "ExpiredTokenException")
        await asyncio.sleep(10)
        service.trouble = None
        end(service, "a")
        return (await waiting)[0][-1], len(connected) > 1

    assert virtual.run(main()) == ("a: Completed", True)


def test_a_job_that_somebody_deleted_is_an_end() -> None:
    async def main() -> Any:
        service = Clocked()
        watcher = watching(service)
        waiting = asyncio.create_task(wait(watcher, service, job(service, "a")))
        await asyncio.sleep(5)
        del service.jobs["a"]
        return (await waiting)[0]

    assert virtual.run(main()) == ["a: InProgress", "a does not exist any more"]


def test_who_joins_after_a_jobs_end_was_told_is_told_as_well() -> None:
    async def main() -> Any:
        service = Clocked()
        watcher = watching(service)
        name = job(service, "a")
        created = service.jobs[name]["CreationTime"].timestamp()
        slow_reader = watcher.news_of("Training", name, created)
        first = [await anext(slow_reader)]
        end(service, name)
        await asyncio.sleep(5)
        second = (await wait(watcher, service, name))[0]
        return [item.text for item in [*first, await anext(slow_reader)]], second

    told = ["a: InProgress", "a: Completed"]
    assert virtual.run(main()) == (told, ["a: Completed"])


def test_nobody_is_asked_about_when_nobody_waits() -> None:
    async def main() -> Any:
        service = Clocked()
        watcher = watching(service)
        waiting = asyncio.create_task(wait(watcher, service, job(service, "a")))
        await asyncio.sleep(5)
        waiting.cancel()
        await asyncio.sleep(1)
        before = calls(service)
        await asyncio.sleep(3600)
        return before == calls(service)

    assert virtual.run(main()) is True


def test_a_programming_error_in_the_watcher_is_no_endless_wait() -> None:
    class Broken(Clocked):
        def describe(self, *_: Any) -> Any:
            raise KeyError("Status")

    async def main() -> Any:
        service = Broken()
        return await wait(watching(service), service, job(service, "a"))

    with pytest.raises(WatchError, match="KeyError"):
        virtual.run(main())
