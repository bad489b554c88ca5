"""Serves the flows on one machine: schedules from feeds.yaml, requests of editors, graceful shutdown."""

import asyncio
import contextlib
import itertools
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from prefect.deployments.flow_runs import arun_deployment
from prefect.runner import Runner

from flows.prefect_api import is_lost
from flows.redrafts import Redrafts, redrafting
from flows.run_loop import RunLoop
from flows.run_processes import run_processes, send_signal
from flows.scheduled_deployments import REQUESTS, ScheduledDeployments
from flows.zombie_runs import crash_zombie_runs
from pipeline.config import Settings, has_writer, load_settings
from pipeline.domain.models import FeedConfig
from pipeline.services.shutdown import REPEAT_S, SIGNALS, SignalCounter, stop_message
from pipeline.storage import SYSTEM_EDITOR, Database

_REQUEST_POLL_S = 5.0
"""Seconds between two queries of the database for what that deployment does. Chosen, not measured."""
_REQUEST_RETRY_S = 60.0
"""Seconds to the next query after an error. Chosen: one line a minute at most."""
_ZOMBIE_CHECK_EVERY = 12
"""Number of such queries between two searches for zombie runs. Chosen: once a minute."""
_KEEP_S = 1.0
"""Seconds between two checks whether Prefect's server has ended. Chosen, not measured."""
_STOP_POLL_S = 0.5
"""Seconds between two checks whether runs are still active."""
_END_MARGIN_S = 10.0
"""Seconds that a run may take to end after it stopped waiting for answers. Chosen, not measured."""
log = logging.getLogger("copydesk.serve")


async def serve_flows(
    read_feeds: Callable[[], Sequence[FeedConfig]], keep_server: Callable[[], None]
) -> None:
    """Serve the schedules of the feeds and the requests of editors. Raises ConfigError, DatabaseError.

    `read_feeds` is called before each look for due runs, and returns the feeds to be served from then on.
    `keep_server` is called each second: it starts Prefect's server anew where that has ended, and raises
    ConfigError where that is of no use; the runs under way then end as after Ctrl-C.
    """
    settings = load_settings()
    async with contextlib.AsyncExitStack() as stack:
        db = stack.enter_context(Database.open(settings.database_url))
        # Another machine writes the drafts otherwise, and no request is pending here.
        warm = any(has_writer(settings, feed) for feed in read_feeds())
        redrafts = (
            await stack.enter_async_context(redrafting(db, warm=warm)) if settings.writes_drafts else None
        )
        stack.enter_context(_graceful_stop(settings.stop_grace_s, redrafts))
        await stack.enter_async_context(_background(_watch(db if settings.writes_drafts else None)))
        keeping = await stack.enter_async_context(_background(_keep(keep_server)))
        stop_runs = partial(_stop_runs, redrafts, settings.stop_grace_s + _END_MARGIN_S)
        due = _run_due(settings, read_feeds, stop_runs)
        runs = await stack.enter_async_context(_background(due))
        done, _ = await asyncio.wait((keeping, runs), return_when=asyncio.FIRST_COMPLETED)
        if keeping in done:
            await stop_runs()
        for task in done:
            task.result()


async def _run_due(
    settings: Settings,
    read_feeds: Callable[[], Sequence[FeedConfig]],
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


async def _watch(db: Database | None) -> None:
    """Start the `requests` flow when a request is pending, and mark zombie runs as crashed; log errors.

    `db` is None when another machine writes the drafts: then no request is pending here.
    """
    for look in itertools.count(1):
        await asyncio.sleep(_REQUEST_POLL_S)
        try:
            if look % _ZOMBIE_CHECK_EVERY == 0:
                await crash_zombie_runs()
            if db is not None and await asyncio.to_thread(_is_request_waiting, db):
                await arun_deployment(f"requests/{REQUESTS}", timeout=120, as_subflow=False)
        except Exception as error:  # noqa: BLE001 - the next attempt may succeed
            if is_lost(error):
                continue  # said by flows/run_loop
            log.warning("the requests of editors cannot be carried out now; next attempt soon: %s", error)
            await asyncio.sleep(_REQUEST_RETRY_S)


def _is_request_waiting(db: Database) -> bool:
    """Return whether a publication, the writing of a draft file or a redraft of our own is pending.

    The redrafts that editors request are carried out by this process: see flows/redrafts.py.
    """
    now = datetime.now(UTC)
    due = (
        publication.next_at is None or publication.next_at <= now for publication in db.publications.pending()
    )
    return bool(db.redrafts.counts(SYSTEM_EDITOR) or db.versions.pending_by_feed()) or any(due)
