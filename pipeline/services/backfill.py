"""Walks back through what a feed's publisher still offers, one page after another, politely.

Backfills a feed: what a walk finds of a span of dates is taken in page by page, or shown first.

Only the feed's own document has validators and a schedule; what the pages behind it teach is not kept.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, Item, PollState, Window
from pipeline.domain.text import redact_url
from pipeline.feeds.fetch import FetchedFeed, NotModified, fetch_feed
from pipeline.feeds.pagination import (
    MAX_BYTES,
    MAX_PAGES,
    is_before,
    is_last_page,
    next_page_url,
    retry_delay,
    same_site,
    unseen,
    with_credentials,
)
from pipeline.feeds.parsing.parse import ParsedFeed
from pipeline.feeds.poll_schedule import host_of, skip_reason, state_after_refusal
from pipeline.feeds.select import Selection
from pipeline.services.context import PollReport, RunContext
from pipeline.services.poll import (
    FeedSnapshot,
    admit,
    admit_snapshot,
    fetch_and_parse,
    fetch_and_select,
    policy,
    poll_with_snapshot,
    select_new,
)

PAUSE_S = 1.0
"""Seconds between an answer and the next request to the same publisher."""
_TRIES = 3
"""Requests for one page, where its server asks for patience."""
_MOST = f"{MAX_PAGES} pages or {MAX_BYTES // 1_000_000} MB"
_NAP_S = 0.5
"""Seconds after which a pause looks whether the run is told to end."""


class FailedPage(NamedTuple):
    """A page that could not be had, and why."""

    url: str
    error: FeedError


class BackfillPreview(NamedTuple):
    """What a walk found, to be taken in later, or not at all."""

    looks: tuple[FeedSnapshot, ...]
    """Without their bytes; the first one is the feed's own document."""
    notes: tuple[str, ...] = ()
    refused: FailedPage | None = None
    merged: frozenset[str] = frozenset()
    """Guids of new items that others tell in the same words: they would get no draft of their own."""

    @property
    def new(self) -> list[Item]:
        """Return the items that would be drafted."""
        every = (item for seen in self.looks for item in seen.chosen.new)
        return [item for item in every if item.guid not in self.merged]

    @property
    def left(self) -> int:
        """Return how many more items were met than the limit allows."""
        return sum(seen.chosen.beyond for seen in self.looks)


class ArchivePager:
    """The way back through one feed, until its dates or until there are as many new items as are `wanted`."""

    def __init__(
        self, ctx: RunContext, feed: FeedConfig, window: Window, wanted: int, pause_s: float
    ) -> None:
        self._ctx, self._feed, self._window = ctx, feed, window
        self._wanted, self._pause_s = wanted, pause_s
        self._home = feed.url
        self._pages = self._bytes = self._new = 0
        self._met: set[str] = set()
        self._asked: set[str] = set()
        self._taken: dict[str, tuple[str, str]] = {}
        self._notes: dict[str, None] = {}
        self._refused: FailedPage | None = None

    def found(self, looks: Sequence[FeedSnapshot]) -> BackfillPreview:
        """Return what was seen on the way, and what was odd about it."""
        pages = [f"{self._pages} pages read"] if self._pages > 1 else []
        return BackfillPreview(tuple(looks), (*pages, *self._notes), self._refused)

    async def after(self, first: FeedSnapshot) -> AsyncIterator[FeedSnapshot]:
        """Yield the pages behind a feed's own document, each with the items that none before it had."""
        self._home = first.fetched.url
        page: FeedSnapshot | None = first
        while page is not None:
            self._count(page)
            url = self._onward(page)
            page = await self._page(url) if url else None
            if page is not None:
                yield page

    def _count(self, page: FeedSnapshot) -> None:
        self._pages += 1
        self._new += len(page.chosen.new)
        self._met.update(item.guid for item in page.parsed.items)
        self._asked.add(page.fetched.url)
        for item in page.chosen.new:
            if item.canonical:
                self._taken[item.canonical] = (self._feed.key, item.guid)
        self._ctx.notify(self._feed.key, "read")

    def _onward(self, page: FeedSnapshot) -> str | None:
        """Return the page to be read next, None where there is none or it would be of no use."""
        url = next_page_url(page.parsed, page.fetched.url, self._pages)
        enough = self._new >= self._wanted
        if url is None or enough or url in self._asked or is_before(page.parsed.items, self._window[0]):
            return None
        if not same_site(url, self._home):
            self._note(f"older items are said to be at {redact_url(url)}, another site: not followed")
            return None
        if self._pages >= MAX_PAGES or self._bytes > MAX_BYTES:
            self._note(f"older items are left alone: {_MOST} are the most that is read at once")
            return None
        return url

    async def _page(self, url: str) -> FeedSnapshot | None:
        """Return a page, None where it is the end of the way."""
        self._asked.add(url)
        await _rest(self._ctx, self._pause_s)
        read = await self._read(url)
        if read is None:
            return None
        fetched, parsed = read
        if not same_site(fetched.url, self._home):
            self._note(f"{redact_url(url)} leads to {redact_url(fetched.url)}, another site: not read")
            return None
        self._bytes += len(fetched.body)
        for odd in parsed.notes:
            self._note(f"page {self._pages + 1}: {odd}")
        items = unseen(parsed.items, self._met)
        if not items:
            return None
        most = self._wanted - self._new
        chosen = await select_new(
            self._ctx, self._feed, items, self._ctx.clock(), self._window, most, self._taken
        )
        return without_body(FeedSnapshot(fetched, parsed.model_copy(update={"items": items}), chosen))

    async def _read(self, url: str) -> tuple[FetchedFeed, ParsedFeed] | None:
        """Return what a page says, None where it cannot be had or the run is told to end."""
        try:
            fetched = await self._fetched(url)
            if fetched is None:
                return None
            return fetched, await fetch_and_parse(self._ctx, self._feed, fetched, self._ctx.clock())
        except FeedError as error:
            if not is_last_page(error):
                self._refused = FailedPage(url, error)
                said = error.message.removeprefix(f"{self._feed.key}: ")
                self._note(f"read no further than page {self._pages}: {said}")
            return None

    async def _fetched(self, url: str) -> FetchedFeed | None:
        """Return a page's bytes, None where the run is told to end. Raises FeedError as `fetch` does."""
        ctx, asked = self._ctx, self._feed.model_copy(update={"url": with_credentials(url, self._feed.url)})
        for tries_left in reversed(range(_TRIES)):
            if ctx.stop:
                return None
            try:
                async with ctx.polls:
                    found = await fetch_feed(ctx.net, asked, PollState(), ctx.clock(), whole=True)
                return None if isinstance(found, NotModified) else found
            except FeedError as error:
                wait_s = retry_delay(error) if tries_left else None
                if wait_s is None:
                    raise
            await _rest(ctx, max(wait_s, self._pause_s))
        return None

    def _note(self, said: str) -> None:
        self._notes[said] = None


def without_body(seen: FeedSnapshot) -> FeedSnapshot:
    """Return a page without its bytes: those of two hundred are not to be held at once."""
    return seen._replace(fetched=seen.fetched.model_copy(update={"body": b""}))


async def _rest(ctx: RunContext, seconds: float) -> None:
    """Wait, unless the run is told to end."""
    for nap in range(math.ceil(seconds / _NAP_S)):
        if ctx.stop:
            return
        await asyncio.sleep(min(seconds - nap * _NAP_S, _NAP_S))


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
