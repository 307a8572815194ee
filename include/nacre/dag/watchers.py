"""The watchers of a triggerer: one for each connection and region."""

import asyncio
from functools import partial
from weakref import WeakKeyDictionary

from include.nacre.dag.aws import Account, Aws
from include.nacre.dag.budget import Budget, calls_per_second
from include.nacre.dag.events import SqsQueue, events_queue
from include.nacre.dag.watcher import Watcher

# The triggerer runs all triggers in one event loop. A loop that is gone (each dag.test() of a
# deferred task makes its own) takes its watchers with it.
_watchers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Account, Watcher]] = (
    WeakKeyDictionary()
)


def watcher_of(account: Account) -> Watcher:
    """Return the watcher of an account in the running event loop."""
    watchers = _watchers.setdefault(asyncio.get_running_loop(), {})
    if account not in watchers:
        queue = events_queue()
        watchers[account] = Watcher(
            partial(Aws, account),
            Budget(calls_per_second()),
            queue=(lambda: SqsQueue(Aws(account).sqs, queue)) if queue else None,
        )
    return watchers[account]
