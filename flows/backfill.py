"""The flow that drafts one feed's items of a span of dates: `backfill`, by hand, never paid twice."""

import asyncio
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from prefect import flow

from flows.ingest import run_feed
from flows.reporting import finish_run, timed
from flows.runtime import open_run
from pipeline.config import select_feeds, span
from pipeline.domain.models import FeedConfig, Window
from pipeline.services import (
    BACKFILL,
    BackfillPreview,
    PollReport,
    RunContext,
    admit_preview,
    backfill_feed,
    estimate_cost,
    left_today,
    preview_backfill,
)

Plan = dict[str, Any]
"""What is going to be drafted: `{"items": [{"title", "published", "link", "why"}], "left": how many more
there are than the limit allows, "estimate": an Estimate, "notes": [what was odd on the way]}`."""
kept: ContextVar[dict[str, BackfillPreview] | None] = ContextVar("kept", default=None)
"""Where a dry run leaves what it read, by feed key, so that a run after it in the same process does not
read it again; nowhere in a worker."""
planner: ContextVar[Callable[[Plan], None] | None] = ContextVar("planner", default=None)
"""Who is told what is going to be drafted, before it is; nobody in a worker."""


@flow(name="backfill", persist_result=False)
async def backfill(
    feed: str,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Draft a feed's items published in [since, until), newest first, at most `limit` of them.

    Those that wait already are among them; nothing else of the feed is touched.

    What the publisher still offers is read page by page, back to `since`; without it, as far as `limit` items
    need. `since` and `until` are aware UTC. A dry run writes nothing and returns what would be drafted, a
    Plan; otherwise a RunReport as JSON.
    Raises ConfigError for a feed that nobody subscribed or a span that nothing can be in, FeedError where a
    dry run cannot fetch it.
    """
    started, window = time.monotonic(), span(since, until)
    async with open_run(BACKFILL) as (ctx, subscriptions):
        [config] = select_feeds(subscriptions, [feed])
        if dry_run:
            return await _rehearsed(ctx, config, window, limit)
        done = run_feed(ctx, config, limit, window, read=lambda: _taken(ctx, config, window, limit))
        report = await timed(done)
        return await finish_run("backfill", ctx, [report], time.monotonic() - started)


async def _rehearsed(ctx: RunContext, feed: FeedConfig, window: Window, limit: int) -> Plan:
    found = await preview_backfill(ctx, feed, window, limit)
    if ctx.stop:
        raise ctx.stop[0]
    if (keep := kept.get()) is not None:
        keep[feed.key] = found
    return await _plan(ctx, feed, window, limit, found, left=found.left)


async def _taken(ctx: RunContext, feed: FeedConfig, window: Window, limit: int) -> PollReport:
    """Take in what is offered: what a dry run read, or page by page as it is read now."""
    found = (kept.get() or {}).pop(feed.key, None)
    polled = await (
        admit_preview(ctx, feed, window, limit, found) if found else backfill_feed(ctx, feed, window, limit)
    )
    if tell := planner.get():
        tell(await _plan(ctx, feed, window, limit, left=polled.left))
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
    waiting = await asyncio.to_thread(ctx.ledger.queued_items, feed.key, window)
    every = [(item, "new") for item in found.new] if found else []
    every += [(item, "queued") for item in waiting]
    listed = sorted(every, key=lambda pair: pair[0].published_at, reverse=True)[:limit]
    cost = await asyncio.to_thread(estimate_cost, ctx, feed, [item for item, _ in listed])
    told = [
        {"title": item.title, "published": item.published_at.isoformat(), "link": item.link, "why": why}
        for item, why in listed
    ]
    notes = [*(found.notes if found else ()), *await asyncio.to_thread(_paced, ctx, feed, len(listed))]
    return {
        "items": told,
        "left": left + len(every) - len(listed),
        "estimate": cost.model_dump(),
        "notes": notes,
    }


def _paced(ctx: RunContext, feed: FeedConfig, count: int) -> list[str]:
    """Say how many of so many items the feed's day allows, where that is not all of them."""
    today = left_today(ctx, feed)
    if today is None or today >= count:
        return []
    return [f"max_items_per_day allows {today} of them today; the others wait, and later runs draft them"]
