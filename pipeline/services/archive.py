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
    same_site,
    unseen,
    with_credentials,
)
from pipeline.feeds.parsing.parse import ParsedFeed
from pipeline.services.context import RunContext
from pipeline.services.poll import FeedSnapshot, fetch_and_parse, select_new

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
