"""Blocking calls beside an event loop, none of which can hold up its process."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any


async def in_thread(call: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a blocking call returns, made in a thread of its own; raises what it raises.

    Not `asyncio.to_thread`: its few threads are also those of the name server's answers, so some
    calls without an answer would stop everything; and a process cannot end before they do.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def settle(value: Any, error: BaseException | None) -> None:
        if answer.done():  # nobody waits for it any more
            return
        if error is None:
            answer.set_result(value)
        else:
            answer.set_exception(error)

    def run() -> None:
        value, error = None, None
        try:
            value = context.run(call, *arguments)
        except BaseException as raised:  # noqa: BLE001  (it is raised where the answer is awaited)
            error = raised
        try:
            loop.call_soon_threadsafe(settle, value, error)
        except RuntimeError:  # the loop is closed: its process, or its test, is over
            return

    threading.Thread(target=run, name=f"nacre {call.__name__}", daemon=True).start()
    return await answer
