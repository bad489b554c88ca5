"""Runs over many feeds: `ingest` polls and drafts, `drafting` drafts the queues, the others redraft."""

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

from pipeline.config import NEVER, Subscriptions, jitter_s, require_output_folder, select_feeds
from pipeline.domain.errors import UNEXPECTED, CopydeskError, FeedError, ShutdownRequested
from pipeline.domain.models import FeedConfig, PollState, Window
from pipeline.services.context import ItemOutcome, PollReport, RunContext
from pipeline.services.draft import draft_feed
from pipeline.services.feed_report import FeedReport, feed_report
from pipeline.services.poll import poll
from pipeline.services.removed_feeds import end_requests, removed_feeds
from pipeline.services.report import RunReport, finish, timed
from pipeline.services.run import DEFAULT_PORTS, Ports, open_run, publish_after_run
from pipeline.services.shutdown import sleep_unless_stopped
from pipeline.storage import StartableRedraft

Read = Callable[[], Awaitable[PollReport]]
"""Reads a feed and admits its items; may raise FeedError."""


async def ingest(
    feeds: list[str] | None = None, due: bool = False, ports: Ports = DEFAULT_PORTS
) -> RunReport:
    """Poll the enabled feeds that are due, or those named by key, and draft their new items.

    Named feeds are polled now; with `due`, only if they are due and were not polled since the scheduled time
    of this run, so that only one of several late runs polls. With `due` and no names, feeds whose schedule is
    `never` are left out.

    Raises ConfigError or DatabaseError before anything is done; later errors are part of the report.
    """
    began, scheduled = time.monotonic(), ports.scheduled or datetime.now(UTC)
    async with open_run("ingest", ports) as (ctx, subscriptions):
        selected = select_feeds(subscriptions, feeds)
        if due:
            states = ctx.poll_states.state
            selected = [feed for feed in selected if is_due(feed, states(feed), scheduled, named=bool(feeds))]
        queues = await asyncio.to_thread(_queue_sizes, ctx)
        steps = (
            timed(
                run_feed(
                    ctx,
                    feed,
                    feed.max_items,
                    read=partial(
                        _delayed_poll,
                        ctx,
                        feed,
                        named=feeds is not None and not due,
                        delay_s=ctx.chance() * jitter_s(feed.jitter) if due else 0.0,
                    ),
                    queued=queues.get(feed.key, 0),
                )
            )
            for feed in selected
        )
        results = await asyncio.gather(*steps, return_exceptions=True)
        reports = [_report(ctx, feed, result) for feed, result in zip(selected, results, strict=True)]
        sent = await publish_after_run(ctx, subscriptions.publish)
        return await finish(ctx, reports, began, ports.publish, sent)


def _queue_sizes(ctx: RunContext) -> dict[str, int]:
    """Return the number of items that wait to be drafted, by feed key; feeds without any are left out."""
    return {key: backlog.total for key, backlog in ctx.db.items.backlogs(ctx.clock()).items()}


async def drafting(ports: Ports = DEFAULT_PORTS) -> RunReport:
    """Draft the queued items; poll no feed.

    Any number of these runs may work at once: leases give each item to one of them. Raises ConfigError,
    DatabaseError.
    """
    began = time.monotonic()
    async with open_run("drafting", ports) as (ctx, subscriptions):
        queues = await asyncio.to_thread(_queue_sizes, ctx)
        feeds = [feed for feed in subscriptions.feeds if feed.enabled and queues.get(feed.key)]
        reports = await asyncio.gather(*(timed(draft_queue(ctx, feed, feed.max_items)) for feed in feeds))
        return await finish(ctx, reports, began, ports.publish)


async def requests(ports: Ports = DEFAULT_PORTS) -> RunReport:
    """Redraft what editors requested, write the files of other machines' drafts, publish; poll no feed.

    Requests of feeds that were removed end without a redraft.

    Raises ConfigError, also on a machine that writes no drafts, and DatabaseError.
    """
    began = time.monotonic()
    async with open_run("requests", ports) as (ctx, subscriptions):
        require_output_folder(ctx.settings)
        counts = Counter(await asyncio.to_thread(ctx.db.redrafts.counts))
        counts.update((await asyncio.to_thread(ctx.db.versions.unwritten)).values())
        # First: an approval waits for no redraft, which may take minutes.
        sent = await publish_after_run(ctx, subscriptions.publish)
        reports = await _carry_out(ctx, subscriptions, counts)
        sent += await publish_after_run(ctx, subscriptions.publish)
        return await finish(ctx, reports, began, ports.publish, sent)


async def redrafts(startable: Sequence[StartableRedraft], ports: Ports = DEFAULT_PORTS) -> RunReport:
    """Carry out these redraft requests, and nothing else; those that another process leased are left to it.

    Those of feeds that were removed end without a redraft.

    Raises ConfigError, also on a machine that writes no drafts, and DatabaseError.
    """
    began = time.monotonic()
    ids: dict[str, list[int]] = defaultdict(list)
    for request in startable:
        ids[request.feed_key].append(request.item_id)
    async with open_run("requests", ports) as (ctx, subscriptions):
        require_output_folder(ctx.settings)
        counts = {key: len(items) for key, items in ids.items()}
        reports = await _carry_out(ctx, subscriptions, counts, ids)
        return await finish(ctx, reports, began, ports.publish)


async def _carry_out(
    ctx: RunContext,
    subscriptions: Subscriptions,
    counts: Mapping[str, int],
    only: Mapping[str, Sequence[int]] = MappingProxyType({}),
) -> list[FeedReport]:
    """Carry out that many requests of each feed, of the items `only`; return a report for each feed.

    Those of removed feeds end without a redraft.
    """
    feeds = [feed for feed in subscriptions.feeds if counts.get(feed.key)]
    steps = (timed(_run_requests(ctx, feed, counts[feed.key], only.get(feed.key, ()))) for feed in feeds)
    results = await asyncio.gather(*steps, return_exceptions=True)
    for key in removed_feeds(counts, subscriptions):
        await end_requests(ctx, key, counts[key], only.get(key, ()))
    return [_report(ctx, feed, result) for feed, result in zip(feeds, results, strict=True)]


async def _run_requests(
    ctx: RunContext, feed: FeedConfig, count: int, only: Sequence[int] = ()
) -> FeedReport:
    step = ctx.as_task(f"redraft {feed.key}", lambda: draft_feed(ctx, feed, count, requested=True, only=only))
    return feed_report(feed.key, None, None, await step, count)


def is_due(feed: FeedConfig, state: PollState, scheduled: datetime, *, named: bool) -> bool:
    """Return whether a run that was scheduled at a time polls a feed, if that is due by its publisher. Pure.

    Only one of several late runs polls it. One for all feeds leaves it out if its own schedule is `never`.
    """
    is_polled = state.last_polled_at is not None and state.last_polled_at >= scheduled
    return not is_polled and (named or feed.schedule != NEVER)


def _report(ctx: RunContext, feed: FeedConfig, result: FeedReport | BaseException) -> FeedReport:
    """Return a feed's report; an unexpected error is reported for the feed and sets the run's exit code."""
    if isinstance(result, FeedReport):
        return result
    if not isinstance(result, Exception):
        raise result  # e.g. KeyboardInterrupt
    message = f"{feed.key}: {UNEXPECTED}: {type(result).__name__}: {result}"
    error = result if isinstance(result, CopydeskError) else CopydeskError(message, feed=feed.key)
    ctx.fatal_errors.append(error)
    return FeedReport(feed=feed.key, error=error.message)


async def _delayed_poll(ctx: RunContext, feed: FeedConfig, *, named: bool, delay_s: float) -> PollReport:
    await sleep_unless_stopped(ctx.fatal_errors, delay_s)
    return await poll(ctx, feed, named=named)


async def run_feed(
    ctx: RunContext,
    feed: FeedConfig,
    limit: int,
    window: Window | None = None,
    *,
    read: Read,
    queued: int = 0,
) -> FeedReport:
    """Read one feed, then draft its queue; the queue is drafted even if the feed cannot be read.

    `queued` is the number of items that were queued before. A tracked step (a Prefect task) costs more than a
    poll, so only a feed that failed or has items gets one.
    """
    polled, error = await _poll(ctx, feed, read)
    if not (queued or window or (polled and polled.new + polled.updated)):
        return feed_report(feed.key, polled, error, [], 0)
    return await draft_queue(ctx, feed, limit, window, polled, error)


async def draft_queue(
    ctx: RunContext,
    feed: FeedConfig,
    limit: int,
    window: Window | None = None,
    polled: PollReport | None = None,
    error: str | None = None,
) -> FeedReport:
    """Draft a feed's queue as a tracked step, which fails if an item or the model failed.

    An item that waits for its page has not failed.
    """
    outcomes: list[ItemOutcome] = []

    async def draft() -> None:
        outcomes.extend(await draft_feed(ctx, feed, limit, window))
        failed = [outcome for outcome in outcomes if outcome.failed]
        stopped = [error for error in ctx.fatal_errors if not isinstance(error, ShutdownRequested)]
        if stopped or failed:
            raise ItemsFailed(stopped[0].message if stopped else f"{failed[0].title}: {failed[0].reason}")

    if queued := await asyncio.to_thread(ctx.db.items.waiting_count, feed.key, window):
        with contextlib.suppress(ItemsFailed):
            await ctx.as_task(f"draft {feed.key}", draft)
    return feed_report(feed.key, polled, error, outcomes, queued, window)


class ItemsFailed(CopydeskError):
    """Items of a feed failed; the run continues."""


async def _poll(ctx: RunContext, feed: FeedConfig, read: Read) -> tuple[PollReport | None, str | None]:
    """Return the poll's report, or None and the error message."""
    try:
        return await read(), None
    except FeedError as error:
        failure = error
    with contextlib.suppress(FeedError):
        await ctx.as_task(f"fetch {feed.key}", lambda: _raise(failure))
    return None, failure.message


async def _raise(error: FeedError) -> None:
    """Raise an error within a tracked step, which then shows it."""
    raise error
