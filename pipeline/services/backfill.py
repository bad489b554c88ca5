"""Backfill a feed: draft the items of a span of dates, or preview them and their cost.

What the archive offers of the span is admitted page by page, or, after a preview, from the preview.
"""

import asyncio
import time
from datetime import datetime

from pipeline.config import select_feeds, span
from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, PollState, Window
from pipeline.feeds.fetch import NotModified
from pipeline.feeds.poll_schedule import host_of, skip_reason, state_after_refusal
from pipeline.feeds.select import Selection
from pipeline.services.archive import PAUSE_S, ArchivePager, BackfillPreview, FailedPage, without_body
from pipeline.services.budget import BACKFILL, estimate_cost
from pipeline.services.context import PollReport, RunContext
from pipeline.services.ingest import run_feed
from pipeline.services.poll import (
    admit,
    admit_snapshot,
    fetch_and_select,
    policy,
    poll_with_snapshot,
    select_new,
)
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


async def backfill_feed(
    ctx: RunContext, feed: FeedConfig, window: Window, limit: int, *, pause_s: float = PAUSE_S
) -> PollReport:
    """Bring what a publisher still offers of a window into the ledger, each page as it is read.

    No more pages are read, and no more items taken in, than `limit` items need, those counted that wait
    already: what is taken in is drafted, by a later run if not by this one. Raises FeedError where the feed
    itself cannot be had; trouble with a later page is a note of the report.
    """
    wanted = await _wanted(ctx, feed, window, limit)
    way = ArchivePager(ctx, feed, window, wanted, pause_s)
    report, first = await poll_with_snapshot(ctx, feed, window, most=wanted)
    if first is None:
        return report
    async for page in way.after(first):
        report = _sum(report, await _admitted(ctx, feed, page.chosen))
    return await _ended(ctx, feed, report, way.found(()))


async def preview_backfill(
    ctx: RunContext, feed: FeedConfig, window: Window, limit: int, *, pause_s: float = PAUSE_S
) -> BackfillPreview:
    """Find what `walk` would take in, and write nothing.

    Raises FeedError where the feed itself cannot be had, or its host asked to be left alone.
    """
    if reason := skip_reason(feed, ctx.book.state(feed), ctx.hosts, ctx.clock(), named=True):
        raise FeedError(f"{feed.key}: {reason}", kind="rate-limited", feed=feed.key)
    wanted = await _wanted(ctx, feed, window, limit)
    way = ArchivePager(ctx, feed, window, wanted, pause_s)
    first = await fetch_and_select(ctx, feed, window, wanted)
    if isinstance(first, NotModified):
        return BackfillPreview(())
    looks = [without_body(first)]
    async for page in way.after(first):
        looks.append(page)
    found = way.found(looks)
    merged = await asyncio.to_thread(ctx.db.items.preview_merged, feed.key, found.new, policy(ctx, feed))
    return found._replace(merged=merged)


async def admit_preview(
    ctx: RunContext, feed: FeedConfig, window: Window, limit: int, found: BackfillPreview
) -> PollReport:
    """Take in what `look_back` found, as `walk` does, but for what came into the ledger since."""
    wanted = await _wanted(ctx, feed, window, limit)
    now, report = ctx.clock(), None
    for page in found.looks:
        chosen = await select_new(ctx, feed, page.parsed.items, now, window, wanted)
        wanted -= len(chosen.new)
        if report is None:
            report = await admit_snapshot(ctx, feed, page._replace(chosen=chosen), now)
        else:
            report = _sum(report, await _admitted(ctx, feed, chosen))
    return await _ended(ctx, feed, report or PollReport(feed=feed.key), found)


async def _wanted(ctx: RunContext, feed: FeedConfig, window: Window, limit: int) -> int:
    """Return how many new items are enough."""
    return limit - await asyncio.to_thread(ctx.db.leases.count, feed.key, window)


async def _admitted(ctx: RunContext, feed: FeedConfig, chosen: Selection) -> PollReport:
    """Take in what was chosen of a later page; what polls taught of the feed stays as it stands."""

    def admitting() -> dict[str, int]:
        # As the ledger has it now, not this run: another one may have polled the feed since.
        return admit(ctx, feed, chosen, _state(ctx, feed))

    return PollReport(feed=feed.key, left=chosen.beyond, **await asyncio.to_thread(admitting))


def _state(ctx: RunContext, feed: FeedConfig) -> PollState:
    return ctx.db.feeds.poll_states().get(feed.key, PollState())


async def _ended(ctx: RunContext, feed: FeedConfig, report: PollReport, found: BackfillPreview) -> PollReport:
    if found.refused:
        await asyncio.to_thread(_leave_alone, ctx, feed, found.refused)
    return report.model_copy(update={"notes": report.notes + found.notes})


def _leave_alone(ctx: RunContext, feed: FeedConfig, refused: FailedPage) -> None:
    """Keep to what a host asked for at a later page, as after a poll; nothing else is learned from it."""
    state = _state(ctx, feed)
    host = host_of(state.url or feed.url)
    after = state_after_refusal(state, refused.error, ctx.clock())
    if after.wait_until and host == host_of(refused.url):
        ctx.hosts[host] = after.wait_until
        ctx.db.feeds.record_polls({feed.key: after})
        ctx.book.note(feed, after)


def _sum(one: PollReport, other: PollReport) -> PollReport:
    counts = ("new", "updated", "skipped", "merged", "left")
    return one.model_copy(update={name: getattr(one, name) + getattr(other, name) for name in counts})
