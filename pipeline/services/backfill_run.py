"""Drafts one feed's items of a span of dates, or says which ones it would, and what that would cost."""

import asyncio
import time
from datetime import datetime

from pipeline.config import select_feeds, span
from pipeline.domain.models import FeedConfig, Window
from pipeline.services.backfill import BackfillPreview, admit_preview, backfill_feed, preview_backfill
from pipeline.services.budget import BACKFILL, estimate_cost
from pipeline.services.context import PollReport, RunContext
from pipeline.services.ingest import run_feed
from pipeline.services.report import Plan, PlannedItem, RunReport, finish, timed
from pipeline.services.run import UNWATCHED, Ports, open_run
from pipeline.services.work_queue import left_today


async def backfill(
    feed: str,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
    dry_run: bool = False,
    ports: Ports = UNWATCHED,
) -> RunReport | Plan:
    """Draft a feed's items published in [since, until), newest first, at most `limit` of them.

    Those that wait already are among them; nothing else of the feed is touched.

    What the publisher still offers is read page by page, back to `since`; without it, as far as `limit` items
    need. `since` and `until` are aware UTC. A dry run writes nothing and returns what would be drafted.
    Raises ConfigError for a feed that nobody subscribed or a span that nothing can be in, FeedError where a
    dry run cannot fetch it.
    """
    began, window = time.monotonic(), span(since, until)
    async with open_run(BACKFILL, ports) as (ctx, subscriptions):
        [config] = select_feeds(subscriptions, [feed])
        if dry_run:
            return await _rehearsed(ctx, config, window, limit, ports)
        done = run_feed(ctx, config, limit, window, read=lambda: _taken(ctx, config, window, limit, ports))
        return await finish("backfill", ctx, [await timed(done)], began, ports.publish)


async def _rehearsed(ctx: RunContext, feed: FeedConfig, window: Window, limit: int, ports: Ports) -> Plan:
    found = await preview_backfill(ctx, feed, window, limit)
    if ctx.stop:
        raise ctx.stop[0]
    if ports.found is not None:
        ports.found[feed.key] = found
    return await _plan(ctx, feed, window, limit, found, left=found.left)


async def _taken(ctx: RunContext, feed: FeedConfig, window: Window, limit: int, ports: Ports) -> PollReport:
    """Take in what is offered: what a dry run read, or page by page as it is read now."""
    found = (ports.found or {}).pop(feed.key, None)
    polled = await (
        admit_preview(ctx, feed, window, limit, found) if found else backfill_feed(ctx, feed, window, limit)
    )
    if ports.planner:
        ports.planner(await _plan(ctx, feed, window, limit, left=polled.left))
    return polled


async def _plan(
    ctx: RunContext,
    feed: FeedConfig,
    window: Window,
    limit: int,
    found: BackfillPreview | None = None,
    *,
    left: int,
) -> Plan:
    """Return what is going to be drafted; `left` is what was met besides, over the limit."""
    waiting = await asyncio.to_thread(ctx.db.leases.preview, feed.key, window)
    every = [(item, "new") for item in found.new] if found else []
    every += [(item, "queued") for item in waiting]
    listed = sorted(every, key=lambda pair: pair[0].published_at, reverse=True)[:limit]
    cost = await asyncio.to_thread(estimate_cost, ctx, feed, [item for item, _ in listed])
    told = tuple(
        PlannedItem(title=item.title, published=item.published_at.isoformat(), link=item.link, why=why)
        for item, why in listed
    )
    paced = await asyncio.to_thread(_paced, ctx, feed, len(listed))
    notes = (*(found.notes if found else ()), *paced)
    return Plan(items=told, left=left + len(every) - len(listed), estimate=cost, notes=notes)


def _paced(ctx: RunContext, feed: FeedConfig, count: int) -> list[str]:
    """Say how many of so many items the feed's day allows, where that is not all of them."""
    today = left_today(ctx, feed)
    if today is None or today >= count:
        return []
    return [f"max_items_per_day allows {today} of them today; the others wait, and later runs draft them"]
