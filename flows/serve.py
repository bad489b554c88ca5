"""Serves the flows on one machine: schedules from feeds.yaml, requests of editors, graceful shutdown."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from prefect.runner import Runner

from flows.redrafts import Redrafts, redrafting
from flows.request_watch import RequestWatch
from flows.run_loop import RunLoop
from flows.run_processes import run_processes, send_signal
from flows.scheduled_deployments import ScheduledDeployments
from pipeline.config import Settings, Subscriptions, has_writer, load_settings
from pipeline.domain.models import FeedConfig
from pipeline.services.pending_requests import NOTHING_PENDING, PendingRequests, pending_requests
from pipeline.services.shutdown import REPEAT_S, SIGNALS, SignalCounter, stop_message
from pipeline.storage import Database

_KEEP_S = 1.0
"""Seconds between two checks whether Prefect's server has ended. Chosen, not measured."""
_STOP_POLL_S = 0.5
"""Seconds between two checks whether runs are still active."""
_END_MARGIN_S = 10.0
"""Seconds that a run may take to end after it stopped waiting for answers. Chosen, not measured."""
log = logging.getLogger("copydesk.serve")


class ServedFeeds(Protocol):
    """The feeds that are served now."""

    subscriptions: Subscriptions

    def __call__(self) -> Sequence[FeedConfig]:
        """Look whether feeds.yaml has changed, and return its feeds."""


async def serve_flows(feeds: ServedFeeds, keep_server: Callable[[], None]) -> None:
    """Serve the schedules of the feeds and the requests of editors. Raises ConfigError, DatabaseError.

    `feeds` is called before each look for due runs, and returns the feeds to be served from then on.
    `keep_server` is called each second: it starts Prefect's server anew where that has ended, and raises
    ConfigError where that is of no use; the runs under way then end as after Ctrl-C.
    """
    settings = load_settings()
    async with contextlib.AsyncExitStack() as stack:
        db = stack.enter_context(Database.open(settings.database_url))
        # Another machine writes the drafts otherwise, and no request is pending here.
        warm = any(has_writer(settings, feed) for feed in feeds())
        redrafts = (
            await stack.enter_async_context(redrafting(db, warm=warm)) if settings.writes_drafts else None
        )
        stack.enter_context(_graceful_stop(settings.stop_grace_s, redrafts))
        await stack.enter_async_context(_background(_watch(settings, db, feeds)))
        keeping = await stack.enter_async_context(_background(_keep(keep_server)))
        stop_runs = partial(_stop_runs, redrafts, settings.stop_grace_s + _END_MARGIN_S)
        due = _run_due(settings, feeds, stop_runs)
        runs = await stack.enter_async_context(_background(due))
        done, _ = await asyncio.wait((keeping, runs), return_when=asyncio.FIRST_COMPLETED)
        if keeping in done:
            await stop_runs()
        for task in done:
            task.result()


async def _run_due(
    settings: Settings,
    read_feeds: ServedFeeds,
    stop_runs: Callable[[], Awaitable[None]],
) -> None:
    scheduled = ScheduledDeployments(settings.base, settings.timezone)

    async def register(runner: Runner, is_new: bool) -> None:
        if is_new:
            scheduled.forget()
        await scheduled.apply(runner, await asyncio.to_thread(read_feeds))

    await RunLoop(register, stop_runs).run()


async def _keep(keep_server: Callable[[], None]) -> None:
    """Call `keep_server` each second, in this thread: the server ends with the thread that starts it."""
    while True:
        keep_server()
        await asyncio.sleep(_KEEP_S)


@contextlib.contextmanager
def _graceful_stop(grace_s: float, redrafts: Redrafts | None) -> Iterator[None]:
    """Wait for the runs at the first SIGINT or SIGTERM; kill them at the second."""
    loop, serving = asyncio.get_running_loop(), asyncio.current_task()
    signals, waiting = SignalCounter(REPEAT_S), list[asyncio.Task[None]]()

    def cancel() -> None:
        if serving is not None:
            serving.cancel()

    async def stop() -> None:
        await _stop_runs(redrafts, grace_s + _END_MARGIN_S)
        cancel()  # earlier it would kill the runs

    def end() -> None:
        match signals.count():
            case 1:
                log.warning(stop_message(grace_s))
                waiting.append(asyncio.create_task(stop()))
            case 2:
                log.warning("stopped at once: pending model answers are lost and may be paid for again")
                send_signal(run_processes(), signal.SIGKILL)
                cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
        for task in waiting:
            task.cancel()


async def _stop_runs(redrafts: Redrafts | None, timeout_s: float) -> None:
    """Send SIGINT once to every run, and wait until all and the redrafts have ended.

    Runs that are left after `timeout_s` seconds are killed.
    """
    clock = asyncio.get_running_loop().time
    until, before = clock() + timeout_s, set[int]()
    if redrafts:
        redrafts.stop()
    while (left := await asyncio.to_thread(run_processes)) or (redrafts and redrafts.are_active):
        late = clock() > until
        if late and redrafts:
            redrafts.cancel()
        send_signal(left if late else left - before, signal.SIGKILL if late else signal.SIGINT)
        before |= left
        await asyncio.sleep(_STOP_POLL_S)


@contextlib.asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator["asyncio.Task[None]"]:
    """Do `work` until the block is left."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _watch(settings: Settings, db: Database, feeds: ServedFeeds) -> None:
    """Start runs for requests; where another machine writes the drafts, none is pending here."""

    def pending() -> PendingRequests:
        if not settings.writes_drafts:
            return NOTHING_PENDING
        return pending_requests(db, feeds.subscriptions.publish, datetime.now(UTC))

    await RequestWatch(pending).watch()
