"""Runs over many feeds: poll them and draft what is new, draft what waits, carry out what is asked for."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from pipeline.config import jitter_s, require_output_folder, select_feeds
from pipeline.domain.errors import CopydeskError, FeedError, ShutdownRequested
from pipeline.domain.models import FeedConfig, PollState, Window
from pipeline.services.context import ItemOutcome, PollReport, RunContext
from pipeline.services.draft import draft_feed
from pipeline.services.poll import poll
from pipeline.services.report import FeedReport, RunReport, feed_report, finish, timed
from pipeline.services.run import UNWATCHED, Ports, open_run, publish_after_run
from pipeline.services.shutdown import unless_stopped

Read = Callable[[], Awaitable[PollReport]]
"""Brings what a feed has into the ledger; may raise FeedError."""


async def ingest(feeds: list[str] | None = None, due: bool = False, ports: Ports = UNWATCHED) -> RunReport:
    """Poll the enabled feeds that are due, or those named by key, and draft what is new in them.

    Those named are polled now; where `due`, only if they are due and were not polled since this run was: of
    several late runs one catches up.

    Raises ConfigError or DatabaseError before anything is done; a feed that fails, or a model that refuses,
    is part of the report.
    """
    began, scheduled = time.monotonic(), ports.scheduled or datetime.now(UTC)
    async with open_run(ports=ports) as (ctx, subscriptions):
        selected = select_feeds(subscriptions, feeds)
        if due:
            selected = [feed for feed in selected if not polled_since(ctx.book.state(feed), scheduled)]
        queues = await asyncio.to_thread(ctx.db.leases.counts)
        every = (
            timed(
                run_feed(
                    ctx,
                    feed,
                    feed.max_items,
                    queued=queues.get(feed.key, 0),
                    named=feeds is not None and not due,
                    wait_s=ctx.chance() * jitter_s(feed.jitter) if due else 0.0,
                )
            )
            for feed in selected
        )
        results = await asyncio.gather(*every, return_exceptions=True)
        reports = [_report(ctx, feed, result) for feed, result in zip(selected, results, strict=True)]
        sent = await publish_after_run(ctx, subscriptions.publish)
        return await finish("ingest", ctx, reports, began, ports.publish, sent)


async def drafting(ports: Ports = UNWATCHED) -> RunReport:
    """Draft what waits in the queues; polls nothing.

    Any number may run at once: each takes a few items at a time, and none that another has. Raises
    ConfigError, DatabaseError.
    """
    began = time.monotonic()
    async with open_run(ports=ports) as (ctx, subscriptions):
        queues = await asyncio.to_thread(ctx.db.leases.counts)
        feeds = [feed for feed in subscriptions.feeds if feed.enabled and queues.get(feed.key)]
        reports = await asyncio.gather(*(timed(drafted(ctx, feed, feed.max_items)) for feed in feeds))
        return await finish("drafting", ctx, reports, began, ports.publish)


async def requests(ports: Ports = UNWATCHED) -> RunReport:
    """Write anew what is asked for, write what other machines drafted, publish what was approved.

    Polls nothing. Raises ConfigError, also on a machine that writes no drafts, and DatabaseError.
    """
    began = time.monotonic()
    async with open_run(ports=ports) as (ctx, subscriptions):
        require_output_folder(ctx.settings)
        asked = Counter(await asyncio.to_thread(ctx.db.redrafts.counts))
        asked.update(await asyncio.to_thread(ctx.db.versions.pending_by_feed))
        feeds = [feed for feed in subscriptions.feeds if asked.get(feed.key)]
        reports = await asyncio.gather(*(timed(_redrafted(ctx, feed, asked[feed.key])) for feed in feeds))
        sent = await publish_after_run(ctx, subscriptions.publish)
        return await finish("requests", ctx, reports, began, ports.publish, sent)


async def _redrafted(ctx: RunContext, feed: FeedConfig, count: int) -> FeedReport:
    step = ctx.as_task(f"redraft {feed.key}", lambda: draft_feed(ctx, feed, count, requested=True))
    return feed_report(feed.key, None, None, await step, 0)


def polled_since(state: PollState, moment: datetime) -> bool:
    """Tell whether a feed was polled after a moment. Pure."""
    return state.last_polled_at is not None and state.last_polled_at >= moment


def _report(ctx: RunContext, feed: FeedConfig, result: FeedReport | BaseException) -> FeedReport:
    """Return a feed's report; trouble that nobody foresaw is the feed's own, and the run's exit code."""
    if isinstance(result, FeedReport):
        return result
    if not isinstance(result, Exception):
        raise result  # an interrupt
    said = f"{feed.key}: unexpected trouble, please report it: {type(result).__name__}: {result}"
    error = result if isinstance(result, CopydeskError) else CopydeskError(said, feed=feed.key)
    ctx.stop.append(error)
    return FeedReport(feed=feed.key, error=error.message)


async def run_feed(
    ctx: RunContext,
    feed: FeedConfig,
    limit: int,
    window: Window | None = None,
    *,
    queued: int = 0,
    named: bool = False,
    read: Read | None = None,
    wait_s: float = 0.0,
) -> FeedReport:
    """Poll one feed, then draft what waits in it; a feed that fails still has its queue drafted.

    `read` takes the place of the poll. A step that is shown costs more than a poll: only a feed that failed,
    or has work, gets one.
    """
    await unless_stopped(ctx.stop, wait_s)
    polled, error = await _polled(ctx, feed, read or (lambda: poll(ctx, feed, window, named=named)))
    if not (queued or window or (polled and polled.new + polled.updated)):
        return feed_report(feed.key, polled, error, [], 0)
    return await drafted(ctx, feed, limit, window, polled, error)


async def drafted(
    ctx: RunContext,
    feed: FeedConfig,
    limit: int,
    window: Window | None = None,
    polled: PollReport | None = None,
    error: str | None = None,
) -> FeedReport:
    """Draft what waits in a feed, a step that fails in a watcher's view where an item or the model did."""
    outcomes: list[ItemOutcome] = []

    async def draft() -> None:
        outcomes.extend(await draft_feed(ctx, feed, limit, window))
        failed = [one for one in outcomes if one.reason and not one.skipped]
        stopped = [error for error in ctx.stop if not isinstance(error, ShutdownRequested)]
        if stopped or failed:
            raise ItemsFailed(stopped[0].message if stopped else f"{failed[0].title}: {failed[0].reason}")

    if queued := await asyncio.to_thread(ctx.db.leases.count, feed.key, window):
        with contextlib.suppress(ItemsFailed):
            await ctx.as_task(f"draft {feed.key}", draft)
        queued = await asyncio.to_thread(ctx.db.leases.count, feed.key, window)
    return feed_report(feed.key, polled, error, outcomes, queued)


class ItemsFailed(Exception):
    """Items of a feed came to nothing; the run goes on."""


async def _polled(ctx: RunContext, feed: FeedConfig, read: Read) -> tuple[PollReport | None, str | None]:
    """Return what a poll brought, or why it brought nothing."""
    try:
        return await read(), None
    except FeedError as error:
        trouble = error
    with contextlib.suppress(FeedError):
        await ctx.as_task(f"fetch {feed.key}", lambda: _raised(trouble))
    return None, trouble.message


async def _raised(trouble: FeedError) -> None:
    """Fail in a watcher's view as the feed did."""
    raise trouble
