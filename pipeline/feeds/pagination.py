"""Decides which page of older items a backfill fetches next, and when it ends. Pure.

Links to older items: archived feeds (RFC 5005 section 4, `prev-archive`), paged feeds (section 3, `next`),
JSON Feed 1.1 (`next_url`), and the query parameter `paged` of WordPress
(developer.wordpress.org/reference/functions/get_query_var, "paged").
"""

from collections.abc import Container, Sequence
from datetime import datetime
from urllib.parse import urldefrag, urlsplit

from pipeline.domain.errors import FeedError
from pipeline.domain.models import Item
from pipeline.feeds.parsing.parse import ParsedFeed

MAX_PAGES = 200
"""Pages of one backfill of a feed, its first document included. Chosen, not measured."""
MAX_BYTES = 200_000_000
"""Bytes of all pages of one backfill of a feed. Chosen, not measured."""
MAX_RETRY_DELAY_S = 60.0
"""Longest Retry-After, in seconds, that a backfill waits for; a longer one ends it. Chosen, not measured."""
_PAGE_PARAMETER = "paged"
_RETRYABLE_KINDS = frozenset(("rate-limited", "server"))
_END_KINDS = frozenset(("not-found", "gone"))


def next_page_url(parsed: ParsedFeed, url: str, number: int) -> str | None:
    """Return the URL of the next page of older items, None if there is none.

    `url` is the page's final URL, `number` its place in the backfill, from 1. A link in the feed takes
    precedence over the parameter of WordPress.
    """
    if parsed.older:
        return urldefrag(parsed.older).url
    return _with_page(url, number + 1) if parsed.wordpress else None


def _with_page(url: str, number: int) -> str:
    """Return `url` with another page number; its other parameters are not changed."""
    parts = urlsplit(url)
    pairs = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] != _PAGE_PARAMETER]
    return parts._replace(query="&".join([*pairs, f"{_PAGE_PARAMETER}={number}"]), fragment="").geturl()


def is_before(items: Sequence[Item], since: datetime | None) -> bool:
    """Return whether all dated items of a page are older than `since`: feeds are not always sorted."""
    dated = [item.published_at for item in items if item.dated]
    return since is not None and bool(dated) and max(dated) < since


def unseen(items: Sequence[Item], earlier_guids: Container[str]) -> tuple[Item, ...]:
    """Return the items of a page whose guid is not in `earlier_guids`."""
    return tuple(item for item in items if item.guid not in earlier_guids)


def is_last_page(error: FeedError) -> bool:
    """Return whether the error of a later page means the end of the archive."""
    return error.kind in _END_KINDS


def retry_delay(error: FeedError) -> float | None:
    """Return the seconds to wait before one retry, None if there is no retry."""
    delay_s = error.context.get("retry_after_s")
    if error.kind not in _RETRYABLE_KINDS or not isinstance(delay_s, float):
        return None
    return delay_s if delay_s <= MAX_RETRY_DELAY_S else None
