"""Read the older pages of a feed (RFC 5005 and other pagination), one after another, with pauses.

Only the feed's own document has validators and a poll state; nothing is stored about the later pages.
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
    unseen,
)
from pipeline.feeds.parsing.parse import ParsedFeed
from pipeline.feeds.urls import same_site
from pipeline.services.context import RunContext
from pipeline.services.poll import FeedSnapshot, fetch_and_parse, select_new

PAUSE_S = 1.0
"""Seconds between a response and the next request to the same publisher. Chosen, not measured."""
_MAX_ATTEMPTS = 3
"""Requests for one page whose server answers with a rate limit."""
_LIMITS = f"{MAX_PAGES} pages or {MAX_BYTES // 1_000_000} MB"
_STOP_CHECK_S = 0.5
"""Seconds between two checks, during a pause, whether the run is to end."""


class FailedPage(NamedTuple):
    """A page that could not be read, and why."""

    url: str
    error: FeedError


class BackfillPreview(NamedTuple):
    """The items that a backfill would admit; nothing is written yet."""

    snapshots: tuple[FeedSnapshot, ...]
    """The pages, without their bodies; the first is the feed's own document."""
    notes: tuple[str, ...] = ()
    failed: FailedPage | None = None
    merged: frozenset[str] = frozenset()
    """GUIDs of new items that are near-duplicates: they would be merged and get no draft of their own."""

    @property
    def new(self) -> list[Item]:
        """Return the items that would be drafted."""
        every = (item for snapshot in self.snapshots for item in snapshot.selection.new)
        return [item for item in every if item.guid not in self.merged]

    @property
    def left(self) -> int:
        """Return the number of items over the limit."""
        return sum(snapshot.selection.beyond for snapshot in self.snapshots)


class ArchivePager:
    """Reads the older pages of one feed until the window or `new_limit` new items are complete."""

    def __init__(
        self, ctx: RunContext, feed: FeedConfig, window: Window, new_limit: int, pause_s: float
    ) -> None:
        self._ctx, self._feed, self._window = ctx, feed, window
        self._new_limit, self._pause_s = new_limit, pause_s
        self._feed_url = feed.url
        self._pages = self._bytes = self._new = 0
        self._seen_guids: set[str] = set()
        self._requested_urls: set[str] = set()
        self._admitted_urls: dict[str, tuple[str, str]] = {}
        self._notes: dict[str, None] = {}
        self._failed: FailedPage | None = None

    def preview(self, snapshots: Sequence[FeedSnapshot]) -> BackfillPreview:
        """Return the given pages with the remarks about reading them."""
        pages = [f"{self._pages} pages read"] if self._pages > 1 else []
        return BackfillPreview(tuple(snapshots), (*pages, *self._notes), self._failed)

    async def after(self, first: FeedSnapshot) -> AsyncIterator[FeedSnapshot]:
        """Yield the pages after a feed's own document, each with the items that are new to this pager."""
        self._feed_url = first.fetched.url
        page: FeedSnapshot | None = first
        while page is not None:
            self._count(page)
            url = self._next_url(page)
            page = await self._page(url) if url else None
            if page is not None:
                yield page

    def _count(self, page: FeedSnapshot) -> None:
        self._pages += 1
        self._new += len(page.selection.new)
        self._seen_guids.update(item.guid for item in page.parsed.items)
        self._requested_urls.add(page.fetched.url)
        for item in page.selection.new:
            if item.canonical:
                self._admitted_urls[item.canonical] = (self._feed.key, item.guid)
        self._ctx.notify(self._feed.key, "read")

    def _next_url(self, page: FeedSnapshot) -> str | None:
        """Return the URL of the page to read next; None if there is none or nothing more is needed."""
        url = next_page_url(page.parsed, page.fetched.url, self._pages)
        has_enough = self._new >= self._new_limit
        if (
            url is None
            or has_enough
            or url in self._requested_urls
            or is_before(page.parsed.items, self._window[0])
        ):
            return None
        if not same_site(url, self._feed_url):
            self._note(f"the next page is at {redact_url(url)}, another site: not followed")
            return None
        if self._pages >= MAX_PAGES or self._bytes > MAX_BYTES:
            self._note(f"older items are not read: {_LIMITS} is the limit of one backfill")
            return None
        return url

    async def _page(self, url: str) -> FeedSnapshot | None:
        """Return a page; None if it is not used or there are no more items."""
        self._requested_urls.add(url)
        await _pause(self._ctx, self._pause_s)
        read = await self._read(url)
        if read is None:
            return None
        fetched, parsed = read
        if not same_site(fetched.url, self._feed_url):
            self._note(f"{redact_url(url)} leads to {redact_url(fetched.url)}, another site: not read")
            return None
        self._bytes += len(fetched.body)
        for note in parsed.notes:
            self._note(f"page {self._pages + 1}: {note}")
        items = unseen(parsed.items, self._seen_guids)
        if not items:
            return None
        remaining = self._new_limit - self._new
        page = parsed.model_copy(update={"items": items})
        return without_body(
            await select_new(
                self._ctx, self._feed, fetched, page, self._window, remaining, self._admitted_urls
            )
        )

    async def _read(self, url: str) -> tuple[FetchedFeed, ParsedFeed] | None:
        """Return a page, fetched and parsed; None if that failed or the run is to end."""
        try:
            fetched = await self._fetch(url)
            if fetched is None:
                return None
            return fetched, await fetch_and_parse(self._ctx, self._feed, fetched, self._ctx.clock())
        except FeedError as error:
            if not is_last_page(error):
                self._failed = FailedPage(url, error)
                message = error.message.removeprefix(f"{self._feed.key}: ")
                self._note(f"read no further than page {self._pages}: {message}")
            return None

    async def _fetch(self, url: str) -> FetchedFeed | None:
        """Return a page's bytes; None if the run is to end. Raises FeedError as `fetch_feed` does."""
        ctx, feed = self._ctx, self._feed.model_copy(update={"url": url})
        for tries_left in reversed(range(_MAX_ATTEMPTS)):
            if ctx.fatal_errors:
                return None
            try:
                async with ctx.poll_slots:
                    fetched = await fetch_feed(ctx.net, feed, PollState(), ctx.clock(), whole=True)
                return None if isinstance(fetched, NotModified) else fetched
            except FeedError as error:
                wait_s = retry_delay(error) if tries_left else None
                if wait_s is None:
                    raise
            await _pause(ctx, max(wait_s, self._pause_s))
        return None

    def _note(self, note: str) -> None:
        self._notes[note] = None


def without_body(snapshot: FeedSnapshot) -> FeedSnapshot:
    """Return a page without its body: up to 200 pages are held in memory at once."""
    return snapshot._replace(fetched=snapshot.fetched.model_copy(update={"body": b""}))


async def _pause(ctx: RunContext, seconds: float) -> None:
    """Sleep; return early if the run is to end."""
    for checks in range(math.ceil(seconds / _STOP_CHECK_S)):
        if ctx.fatal_errors:
            return
        await asyncio.sleep(min(seconds - checks * _STOP_CHECK_S, _STOP_CHECK_S))
