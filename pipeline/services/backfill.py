"""Backfill a feed: draft the items of a span of dates, or preview them and their cost.

What the archive offers of the span is admitted page by page, or, after a preview, from the preview.
"""

import asyncio
import time
from dataclasses import replace
from datetime import datetime

from pipeline.config import select_feeds, span
from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, PollState, Window
from pipeline.feeds.fetch import NotModified
from pipeline.feeds.poll_schedule import host_of, skip_reason, state_after_refusal
from pipeline.feeds.select import Selection
from pipeline.services.archive import PAUSE_S, ArchivePager, BackfillPreview, FailedPage, without_body
from pipeline.services.budget import BACKFILL_FLOW
from pipeline.services.context import PollReport, RunContext
from pipeline.services.cost_question import capped, require_confirmed
from pipeline.services.estimate import estimate_cost
from pipeline.services.ingest import run_feed
from pipeline.services.poll import (
    admit_snapshot,
    emit_changes,
    fetch_and_select,
    policy,
    poll_report,
    poll_result,
    poll_with_snapshot,
    select_new,
)
from pipeline.services.report import Plan, PlannedItem, RunReport, finish, timed
from pipeline.services.run import DEFAULT_PORTS, Ports, open_run
from pipeline.services.work_queue import left_today
from pipeline.storage import AdmissionResult


async def backfill(
    feed: str,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
    dry_run: bool = False,
    ports: Ports = DEFAULT_PORTS,
) -> RunReport | Plan:
    """Draft a feed's items published in [since, until), newest first, at most `limit` of them.

    Queued items of that span are included; no other items of the feed are changed. Pages are read back to
    `since`, or, without it, until `limit` items are found. `since` and `until` are aware UTC. A dry run
    writes nothing and returns the plan. With `ports.cost_limit`, a dry run comes first, and nothing is
    written if the estimated cost is above it.
    Raises ConfigError for a feed that is not subscribed, an empty span or a cost above the limit, FeedError
    if a dry run cannot fetch the feed.
    """
    began, window = time.monotonic(), span(since, until)
    async with open_run(BACKFILL_FLOW, ports, is_recorded=not dry_run) as (ctx, subscriptions):
        [config] = select_feeds(subscriptions, [feed])
        if dry_run:
            return await _dry_run(ctx, config, window, limit, ports)
        if cost_limit := ports.cost_limit:
            ports = replace(ports, previews={})
            plan = await _dry_run(ctx, config, window, limit, ports)
            require_confirmed(plan.estimate, cost_limit, model=bool(ctx.writers(config)))
            ctx = capped(ctx, cost_limit)
        done = run_feed(ctx, config, limit, window, read=lambda: _admit(ctx, config, window, limit, ports))
        return await finish(ctx, [await timed(done)], began, ports.publish)


async def _dry_run(ctx: RunContext, feed: FeedConfig, window: Window, limit: int, ports: Ports) -> Plan:
    preview = await preview_backfill(ctx, feed, window, limit)
    if ctx.fatal_errors:
        raise ctx.fatal_errors[0]
    if ports.previews is not None:
        ports.previews[feed.key] = preview
    return await _plan(ctx, feed, window, limit, preview, left=preview.left)


async def _admit(ctx: RunContext, feed: FeedConfig, window: Window, limit: int, ports: Ports) -> PollReport:
    """Admit what an earlier dry run read, or read and admit the pages now."""
    preview = (ports.previews or {}).pop(feed.key, None)
    polled = await (
        admit_preview(ctx, feed, window, limit, preview)
        if preview
        else backfill_feed(ctx, feed, window, limit)
    )
    if ports.on_plan:
        ports.on_plan(await _plan(ctx, feed, window, limit, left=polled.left))
    return polled


async def _plan(
    ctx: RunContext,
    feed: FeedConfig,
    window: Window,
    limit: int,
    preview: BackfillPreview | None = None,
    *,
    left: int,
) -> Plan:
    """Return what will be drafted; `left` is the number of items already known to be over the limit."""
    waiting = await asyncio.to_thread(ctx.db.items.waiting, feed.key, window)
    candidates = [(item, "new") for item in preview.new] if preview else []
    candidates += [(item, "queued") for item in waiting]
    listed = sorted(candidates, key=lambda pair: pair[0].published_at, reverse=True)[:limit]
    cost = await asyncio.to_thread(estimate_cost, ctx, feed, [item for item, _ in listed])
    planned = tuple(
        PlannedItem(title=item.title, published=item.published_at.isoformat(), link=item.link, why=why)
        for item, why in listed
    )
    limited = await asyncio.to_thread(_daily_limit_note, ctx, feed, len(listed))
    notes = (*(preview.notes if preview else ()), *limited)
    return Plan(items=planned, left=left + len(candidates) - len(listed), estimate=cost, notes=notes)


def _daily_limit_note(ctx: RunContext, feed: FeedConfig, count: int) -> list[str]:
    """Return a note if the feed's daily limit allows fewer than `count` items."""
    today = left_today(ctx, feed)
    if today is None or today >= count:
        return []
    return [f"max_items_per_day allows {today} of them today; the others wait, and later runs draft them"]


async def backfill_feed(
    ctx: RunContext, feed: FeedConfig, window: Window, limit: int, *, pause_s: float = PAUSE_S
) -> PollReport:
    """Admit the items of a window that a feed's archive offers, each page as it is read.

    Reads and admits no more than needed for `limit` items, queued ones included, since every admitted item
    is drafted by this or a later run. Raises FeedError if the feed itself cannot be read; a later page that
    cannot be read is a note in the report.
    """
    new_limit = await _new_limit(ctx, feed, window, limit)
    pager = ArchivePager(ctx, feed, window, new_limit, pause_s)
    report, first = await poll_with_snapshot(ctx, feed, window, max_new=new_limit)
    if first is None:
        return report
    async for page in pager.after(first):
        report = _sum(report, await _admit_page(ctx, feed, page.selection))
    return await _with_notes(ctx, feed, report, pager.preview(()))


async def preview_backfill(
    ctx: RunContext, feed: FeedConfig, window: Window, limit: int, *, pause_s: float = PAUSE_S
) -> BackfillPreview:
    """Return what `backfill_feed` would admit, and write nothing.

    Raises FeedError if the feed itself cannot be read, or its host has a cooldown.
    """
    if reason := skip_reason(feed, ctx.poll_states.state(feed), ctx.host_cooldowns, ctx.clock(), named=True):
        raise FeedError(f"{feed.key}: {reason}", kind="rate-limited", feed=feed.key)
    new_limit = await _new_limit(ctx, feed, window, limit)
    pager = ArchivePager(ctx, feed, window, new_limit, pause_s)
    first = await fetch_and_select(ctx, feed, window, new_limit)
    if isinstance(first, NotModified):
        return BackfillPreview(())
    snapshots = [without_body(first)]
    async for page in pager.after(first):
        snapshots.append(page)
    preview = pager.preview(snapshots)
    merged = await asyncio.to_thread(ctx.db.items.preview_merged, feed.key, preview.new, policy(ctx, feed))
    return preview._replace(merged=merged)


async def admit_preview(
    ctx: RunContext, feed: FeedConfig, window: Window, limit: int, preview: BackfillPreview
) -> PollReport:
    """Admit what `preview_backfill` found, except items that were admitted since."""
    new_limit = await _new_limit(ctx, feed, window, limit)
    now, report = ctx.clock(), None
    for page in preview.snapshots:
        selected = await select_new(ctx, feed, page.fetched, page.parsed, window, new_limit)
        new_limit -= len(selected.selection.new)
        if report is None:
            report = await admit_snapshot(ctx, feed, selected, now)
        else:
            report = _sum(report, await _admit_page(ctx, feed, selected.selection))
    return await _with_notes(ctx, feed, report or PollReport(feed=feed.key), preview)


async def _new_limit(ctx: RunContext, feed: FeedConfig, window: Window, limit: int) -> int:
    """Return how many new items to admit: `limit` less the queued items of the window."""
    return limit - await asyncio.to_thread(ctx.db.items.waiting_count, feed.key, window)


async def _admit_page(ctx: RunContext, feed: FeedConfig, selection: Selection) -> PollReport:
    """Admit the selection of a later page; the feed's poll state is not changed."""

    def admit_page() -> AdmissionResult:
        # From the database, not this run: another run may have polled the feed since.
        state = _stored_state(ctx, feed)
        return ctx.db.items.admit(feed.key, poll_result(selection, state), policy(ctx, feed))

    admitted = await asyncio.to_thread(admit_page)
    emit_changes(ctx, feed, admitted)
    return poll_report(feed, admitted, (), selection.beyond)


def _stored_state(ctx: RunContext, feed: FeedConfig) -> PollState:
    return ctx.db.feeds.poll_states().get(feed.key, PollState())


async def _with_notes(
    ctx: RunContext, feed: FeedConfig, report: PollReport, preview: BackfillPreview
) -> PollReport:
    """Return the report with the pager's notes; store a cooldown if a page was refused."""
    if preview.failed:
        await asyncio.to_thread(_record_cooldown, ctx, feed, preview.failed)
    return report.model_copy(update={"notes": report.notes + preview.notes})


def _record_cooldown(ctx: RunContext, feed: FeedConfig, failed: FailedPage) -> None:
    """Store the cooldown that a host asked for at a later page (Retry-After), as after a poll."""
    state = _stored_state(ctx, feed)
    host = host_of(state.url or feed.url)
    after = state_after_refusal(state, failed.error, ctx.clock())
    if after.wait_until and host == host_of(failed.url):
        ctx.host_cooldowns[host] = after.wait_until
        ctx.db.feeds.record_polls({feed.key: after})
        ctx.poll_states.set(feed, after)


def _sum(first: PollReport, second: PollReport) -> PollReport:
    counts = ("new", "updated", "skipped", "merged", "reserved", "left")
    return first.model_copy(update={name: getattr(first, name) + getattr(second, name) for name in counts})
