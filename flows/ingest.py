"""The flow that polls feeds and drafts what is new: `ingest`, all feeds or some."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from prefect import flow
from prefect.runtime import flow_run

from flows.reporting import FeedReport, feed_report, finish_run, timed
from flows.runtime import as_task, open_run, publish_after_run
from flows.shutdown import unless_stopped
from pipeline.config import jitter_s, select_feeds
from pipeline.domain.errors import CopydeskError, FeedError, ShutdownRequested
from pipeline.domain.models import FeedConfig, PollState, Window
from pipeline.services import ItemOutcome, PollReport, RunContext, draft_feed, poll

Read = Callable[[], Awaitable[PollReport]]
"""Brings what a feed has into the ledger; may raise FeedError."""


@flow(name="ingest", persist_result=False, validate_parameters=True)
async def ingest(feeds: list[str] | None = None, due: bool = False) -> dict[str, Any]:
    """Poll the enabled feeds that are due, or those named by key, and draft what is new in them.

    Those named are polled now; where `due`, only if they are due and were not polled since this run was: of
    several late runs one catches up.

    Returns a RunReport as JSON. Raises ConfigError or LedgerError before anything is done; a feed that
    fails, or a model that refuses, is part of the report.
    """
    started = time.monotonic()
    async with open_run() as (ctx, subscriptions):
        selected = select_feeds(subscriptions, feeds)
        if due:
            selected = [feed for feed in selected if not polled_since(ctx.book.state(feed), scheduled())]
        queues = await asyncio.to_thread(ctx.ledger.queues)
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
        return await finish_run("ingest", ctx, reports, time.monotonic() - started, sent)


def scheduled() -> datetime:
    """Return when this run was to begin; now, where nobody scheduled it."""
    when = flow_run.scheduled_start_time
    return when.astimezone(UTC) if when else datetime.now(UTC)


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

    `read` takes the place of the poll. A task run costs the server more than a poll: only a feed that
    failed, or has work, gets one.
    """
    await unless_stopped(ctx.stop, wait_s)
    polled, error = await _polled(feed, read or (lambda: poll(ctx, feed, window, named=named)))
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
    """Draft what waits in a feed, as a task that fails in Prefect's view where an item or the model did."""
    outcomes: list[ItemOutcome] = []

    async def draft() -> None:
        outcomes.extend(await draft_feed(ctx, feed, limit, window))
        failed = [one for one in outcomes if one.reason and not one.skipped]
        stopped = [error for error in ctx.stop if not isinstance(error, ShutdownRequested)]
        if stopped or failed:
            raise ItemsFailed(stopped[0].message if stopped else f"{failed[0].title}: {failed[0].reason}")

    if queued := await asyncio.to_thread(ctx.ledger.queued, feed.key, window):
        with contextlib.suppress(ItemsFailed):
            await as_task(f"draft {feed.key}", draft)
        queued = await asyncio.to_thread(ctx.ledger.queued, feed.key, window)
    return feed_report(feed.key, polled, error, outcomes, queued)


class ItemsFailed(Exception):
    """Items of a feed came to nothing; the run goes on."""


async def _polled(feed: FeedConfig, read: Read) -> tuple[PollReport | None, str | None]:
    """Return what a poll brought, or why it brought nothing."""
    try:
        return await read(), None
    except FeedError as error:
        trouble = error
    with contextlib.suppress(FeedError):
        await as_task(f"fetch {feed.key}", lambda: _raised(trouble))
    return None, trouble.message


async def _raised(trouble: FeedError) -> None:
    """Fail in Prefect's view as the feed did."""
    raise trouble
