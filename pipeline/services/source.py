"""The source of a draft: a leased item, completed from its page where the feed's text is too short."""

import asyncio
from datetime import timedelta

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, Item
from pipeline.domain.withdrawals import GONE, NOT_FOUND
from pipeline.feeds.pages.extract import Page
from pipeline.feeds.pages.fetch import merge_page_text, needs_page, source_gap
from pipeline.feeds.pages.turns import Place
from pipeline.feeds.rights.declaration import HEADERS, Declaration, is_reserved, reserved_reason
from pipeline.feeds.select import age_reason, non_article_reason
from pipeline.services.context import RunContext
from pipeline.storage import Lease

PAGE_CACHE_AGE = timedelta(days=30)
"""How long a page is cached. Chosen, not measured."""
_FAILED_PAGE_AGE = timedelta(days=1)
"""How long a page that could not be used is not requested again. Chosen, not measured."""
_TEMPORARY_KINDS = frozenset(
    ("timeout", "unreachable", "server", "rate-limited", "resting", "http", "tls", "unset")
)
"""Kinds of FeedError that may be gone at a later run."""

_NOTICES = {"gone": GONE, "not-found": NOT_FOUND}
"""Notices on a drafted item whose page is no longer there, by the kind of FeedError."""


class SourceTooThin(Exception):
    """An item has too little text to be drafted, or a reserved one.

    `temporary`: its page could not be had, and is tried again. `unasked`: its page was not requested.
    """

    def __init__(self, reason: str, *, temporary: bool, unasked: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.temporary = temporary
        self.unasked = unasked


class SamePage(Exception):
    """An item's page declares the URL that another item is drafted for; the item was merged into that."""


async def complete_source(ctx: RunContext, feed: FeedConfig, lease: Lease, place: Place) -> Item:
    """Return a leased item with enough text to be drafted: the feed's, or its page's if that has more.

    `place` is taken if the page is requested. Raises SourceTooThin, SamePage, LeaseLost, ShutdownRequested.
    """
    item, page, error = lease.updated or lease.item, None, None
    if feed.use != "link":
        await _require_unreserved(ctx, feed)
    if needs_page(item, feed):
        page, error = await _page(ctx, feed, item, place)
    if lease.previous and (page or error):
        await asyncio.to_thread(_note_page, ctx, lease, error)
    if error is not None and is_reserved(error.message):
        raise SourceTooThin(error.message, temporary=False)
    item = merge_page_text(item, page, feed)
    if reason := source_gap(item, feed):
        message = f"{reason}; its page: {error.message}" if error else reason
        kind = error.kind if error else ""
        unasked = kind in ("robots", "kept", "resting")
        raise SourceTooThin(message, temporary=kind in _TEMPORARY_KINDS, unasked=unasked)
    _require_recent(ctx, feed, lease.item, item)
    if what := non_article_reason(feed, item):
        raise SourceTooThin(what, temporary=False)
    if page is not None and page.canonical not in (None, item.canonical) and lease.previous is None:
        title = await asyncio.to_thread(ctx.db.leases.merge_page, lease, item, page.canonical or "")
        if title is not None:
            raise SamePage(title)
    return item


async def store_source(ctx: RunContext, lease: Lease, item: Item) -> Lease:
    """Store the completed source of an item, and return its lease with it. Raises LeaseLost.

    It is stored before the model is asked, so that a later run and the editor see the same source, but not
    before a kept draft is ruled out: that one keeps the change of its source for a redraft.
    """
    if lease.updated or item != lease.item:
        await asyncio.to_thread(ctx.db.leases.set_source, lease, item)
    return lease.model_copy(update={"item": item})


def _note_page(ctx: RunContext, lease: Lease, error: FeedError | None) -> None:
    """Store that the page of a draft is no longer there, or is there again."""
    if error is None:
        ctx.db.leases.remove_notices(lease, tuple(_NOTICES.values()))
    elif error.kind in _NOTICES:
        ctx.db.leases.note_source(lease, _NOTICES[error.kind])


async def _require_unreserved(ctx: RunContext, feed: FeedConfig) -> None:
    """Raise SourceTooThin if the files of the feed's site reserve its texts, unless its headers free them."""
    state = ctx.poll_states.state(feed)
    headers = Declaration(place=HEADERS, tdm=state.tdm)
    if what := await ctx.pages.rights.reservation(state.url or feed.url, headers, feed=feed.key):
        raise SourceTooThin(reserved_reason(what), temporary=False, unasked=True)


def _require_recent(ctx: RunContext, feed: FeedConfig, before: Item, item: Item) -> None:
    """Raise SourceTooThin if the page of an undated item says that it is too old."""
    if item.dated and not before.dated and (reason := age_reason(feed, item, ctx.clock())):
        raise SourceTooThin(reason, temporary=False)


async def _page(
    ctx: RunContext, feed: FeedConfig, item: Item, place: Place
) -> tuple[Page | None, FeedError | None]:
    url, now = item.link or "", ctx.clock()
    key = f"{url}\n{feed.selector}" if feed.selector else url
    row = await asyncio.to_thread(ctx.db.caches.page, key)
    if row and row.payload is not None and row.at > now - PAGE_CACHE_AGE:
        return Page.model_validate_json(row.payload), None
    if row and row.error is not None and row.at > now - _FAILED_PAGE_AGE:
        return None, FeedError(row.error, kind="kept")
    try:
        page = await ctx.pages.page(url, feed.selector, feed=feed.key, delay_s=feed.page_delay, place=place)
    except FeedError as error:
        if error.kind not in _TEMPORARY_KINDS:
            await asyncio.to_thread(ctx.db.caches.save_page, key, None, error.message, now)
        return None, error
    await asyncio.to_thread(ctx.db.caches.save_page, key, page.model_dump_json(), None, now)
    return page, None
