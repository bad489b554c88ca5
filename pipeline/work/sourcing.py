"""Gives an item the text that a draft needs: its feed's, or its page's where that is thin or cut."""

import asyncio
from datetime import timedelta

from pipeline.errors import FeedError
from pipeline.ingest.extract import Page
from pipeline.ingest.pages import choose, wants_page
from pipeline.ingest.thin import shortfall
from pipeline.ledger import Claim
from pipeline.models import FeedConfig, Item
from pipeline.work.room import Newsroom

KEPT = timedelta(days=30)
"""How long a page is kept."""
_REFUSED = timedelta(days=1)
"""How long a page that has no text for us is not asked for again."""
_PASSING = frozenset(("timeout", "unreachable", "server", "rate-limited", "http", "tls"))
"""Trouble that a later run may not have."""


class Lacking(Exception):
    """An item has not text enough to be drafted; `passing` where a later run may find more."""

    def __init__(self, reason: str, *, passing: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.passing = passing


async def completed(room: Newsroom, feed: FeedConfig, claim: Claim) -> Item:
    """Return a claimed item with text enough to be drafted. Raises Lacking, LeaseLost.

    What its page adds is kept in the ledger before anything is made of it, so that a later run, and the
    editor, see the same source.
    """
    item, page, trouble = claim.updated or claim.item, None, None
    if wants_page(item, feed):
        page, trouble = await _page(room, feed, item)
    item = choose(item, page, feed)
    if lack := shortfall(item.text, feed.min_chars):
        said = f"{lack}; its page: {trouble.message}" if trouble else lack
        raise Lacking(said, passing=trouble is not None and trouble.kind in _PASSING)
    if claim.updated or item != claim.item:
        await asyncio.to_thread(room.ledger.complete, claim, item)
    return item


async def _page(room: Newsroom, feed: FeedConfig, item: Item) -> tuple[Page | None, FeedError | None]:
    url, now = item.link or "", room.clock()
    name = f"{url}\n{feed.selector}" if feed.selector else url
    row = await asyncio.to_thread(room.ledger.page, name)
    if row and row.payload is not None and row.at > now - KEPT:
        return Page.model_validate_json(row.payload), None
    if row and row.error is not None and row.at > now - _REFUSED:
        return None, FeedError(row.error, kind="kept")
    try:
        page = await room.pages.page(url, feed.selector)
    except FeedError as error:
        if error.kind not in _PASSING:
            await asyncio.to_thread(room.ledger.keep_page, name, None, error.message, now)
        return None, error
    await asyncio.to_thread(room.ledger.keep_page, name, page.model_dump_json(), None, now)
    return page, None
