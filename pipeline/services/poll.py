"""Polls a feed into the ledger: fetch, parse, decide, admit."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, Item, PollState, Window
from pipeline.feeds.fetch import FetchedFeed, NotModified, fetch_feed
from pipeline.feeds.parsing.parse import ParsedFeed
from pipeline.feeds.poll_schedule import (
    ReadResult,
    host_of,
    skip_reason,
    state_after_failure,
    state_after_read,
    state_after_unchanged,
)
from pipeline.feeds.select import ExistingItem, ExistingItems, Selection, select_items
from pipeline.services.context import PollReport, RunContext
from pipeline.storage import Database, Policy, PollResult


class FeedSnapshot(NamedTuple):
    """A feed that was read, and what is new in it."""

    fetched: FetchedFeed
    parsed: ParsedFeed
    chosen: Selection


async def poll(
    ctx: RunContext, feed: FeedConfig, window: Window | None = None, *, named: bool = False
) -> PollReport:
    """Bring a feed's new items into the ledger. Raises FeedError, which the ledger then knows too.

    A feed that is not due is left alone, unless somebody `named` it or asks for a window of it.
    """
    return (await poll_with_snapshot(ctx, feed, window, named=named))[0]


async def poll_with_snapshot(
    ctx: RunContext,
    feed: FeedConfig,
    window: Window | None = None,
    *,
    named: bool = False,
    most: int | None = None,
) -> tuple[PollReport, FeedSnapshot | None]:
    """Do as `poll` does; return also what was read, None where nothing was. Raises FeedError.

    Of a window, no more than `most` new items are taken in.
    """
    now, state = ctx.clock(), ctx.book.state(feed)
    asked = named or window is not None
    async with ctx.polls:
        if reason := skip_reason(feed, state, ctx.hosts, now, named=asked):
            return PollReport(feed=feed.key, held=reason), None
        try:
            seen = await fetch_and_select(ctx, feed, window, most)
        except FeedError as error:
            await _failed(ctx, feed, state, error, now)
            raise
    if isinstance(seen, NotModified):
        await ctx.book.keep(feed, state_after_unchanged(feed, state, seen, now, ctx.chance()))
        return PollReport(feed=feed.key, unchanged=True), None
    return await admit_snapshot(ctx, feed, seen, now), seen


async def fetch_and_select(
    ctx: RunContext, feed: FeedConfig, window: Window | None = None, most: int | None = None
) -> FeedSnapshot | NotModified:
    """Fetch a feed and decide what is new in it, of a window `most` items.

    A window asks for the whole feed, whatever was seen of it before. Raises FeedError that names the feed.
    """
    now = ctx.clock()
    fetched = await fetch_feed(ctx.net, feed, ctx.book.state(feed), now, whole=window is not None)
    if isinstance(fetched, NotModified):
        return fetched
    parsed = await fetch_and_parse(ctx, feed, fetched, now)
    return FeedSnapshot(fetched, parsed, await select_new(ctx, feed, parsed.items, now, window, most))


async def fetch_and_parse(
    ctx: RunContext, feed: FeedConfig, fetched: FetchedFeed, now: datetime
) -> ParsedFeed:
    """Return what a feed's bytes say. Raises FeedError that names the feed."""
    try:
        return await ctx.parse(fetched.body, fetched.content_type, fetched.url, now)
    except FeedError as error:
        context = {"feed": feed.key} | error.context
        raise FeedError(f"{feed.key}: {error.message}", kind=error.kind, **context) from error


async def select_new(
    ctx: RunContext,
    feed: FeedConfig,
    items: Sequence[Item],
    now: datetime,
    window: Window | None,
    most: int | None = None,
    taken: Mapping[str, tuple[str, str]] = MappingProxyType({}),
) -> Selection:
    """Return what is to become of items; `taken` are canonical URLs that are as good as in the ledger."""
    known = await asyncio.to_thread(_known, ctx.db, feed, items, window)
    known = known.model_copy(update={"canonicals": {**known.canonicals, **taken}})
    return select_items(feed, items, known, now, window=window, limit=most)


async def _failed(
    ctx: RunContext, feed: FeedConfig, state: PollState, error: FeedError, now: datetime
) -> None:
    after = state_after_failure(state, error, now, ctx.chance())
    if after.wait_until:
        host = host_of(state.url or feed.url)
        ctx.hosts[host] = max(after.wait_until, ctx.hosts.get(host, after.wait_until))
    await ctx.book.keep(feed, after)


def _known(db: Database, feed: FeedConfig, items: Sequence[Item], window: Window | None) -> ExistingItems:
    guids = [item.guid for item in items]
    met = db.items.existing(feed.key, guids, [item.canonical for item in items if item.canonical])
    reasons = db.items.skip_reasons(feed.key, guids) if window else {}
    return ExistingItems(
        guids={
            guid: ExistingItem(state=state, content_hash=content_hash, reason=reasons.get(guid))
            for guid, (state, content_hash) in met.guids.items()
        },
        canonicals=met.canonicals,
        forgotten=met.forgotten,
    )


async def admit_snapshot(ctx: RunContext, feed: FeedConfig, seen: FeedSnapshot, now: datetime) -> PollReport:
    """Take in what a feed's own document brought, with the state that stands for it."""
    state = ctx.book.state(feed)
    # Validators say "we have all of this": not after a cut-off answer, nor where a backfill left items out.
    whole = not (seen.parsed.cut or seen.chosen.outside or seen.chosen.beyond)
    read = ReadResult(complete=whole, ttl_s=seen.parsed.ttl_s)
    after = state_after_read(feed, state, seen.fetched, read, now, ctx.chance())
    counts = await asyncio.to_thread(admit, ctx, feed, seen.chosen, after)
    ctx.book.note(feed, after)
    return PollReport(feed=feed.key, notes=seen.parsed.notes, left=seen.chosen.beyond, **counts)


def admit(ctx: RunContext, feed: FeedConfig, chosen: Selection, state: PollState) -> dict[str, int]:
    """Take in what was chosen, with the state that stands for it; return what became of how many."""
    taken = ctx.db.items.admit(
        feed.key,
        PollResult(
            new=chosen.new,
            updated=chosen.updated,
            skipped=[(skip.item, skip.reason) for skip in chosen.skipped],
            merged=[(merge.item, merge.into) for merge in chosen.merged],
            state=state,
        ),
        policy=policy(ctx, feed),
    )
    return taken.model_dump()


def policy(ctx: RunContext, feed: FeedConfig) -> Policy:
    """Return how a feed's items are taken in."""
    beat = ctx.beats[feed.beat]
    return Policy(
        merge_among=ctx.peers[feed.beat] if beat.duplicates == "one" else frozenset(),
        max_updates=feed.max_updates,
        redraft=beat.updates == "redraft",
    )
