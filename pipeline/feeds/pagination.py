"""Decisions of a walk back through what a publisher still offers: where to go on, and when to end. Pure.

Older items are told of by feeds in archives (RFC 5005 section 4, `prev-archive`), by feeds in pages (section
3, `next`), by JSON Feed 1.1 (`next_url`), and by WordPress, whose feeds take a parameter `paged`
(developer.wordpress.org/reference/functions/get_query_var, "paged").
"""

from collections.abc import Container, Sequence
from datetime import datetime
from urllib.parse import urldefrag, urlsplit

from pipeline.domain.errors import FeedError
from pipeline.domain.models import Item
from pipeline.feeds.parsing.parse import ParsedFeed

MAX_PAGES = 200
"""Pages of one walk, the feed's own document included: a publisher's kindness has an end, too."""
MAX_BYTES = 200_000_000
"""Bytes of all pages of one walk."""
PATIENCE_S = 60.0
"""Seconds that a walk waits where a server asks it to; who wants more is left alone, as after a poll."""
_PAGED = "paged"
_BUSY = frozenset(("rate-limited", "server"))
_ENDS = frozenset(("not-found", "gone"))


def next_page_url(parsed: ParsedFeed, url: str, number: int) -> str | None:
    """Return where the items before those of a page are, None where nothing says so.

    `url` is where the page was found, `number` its place in the walk, from 1. What a feed says goes before
    what is known of its program.
    """
    if parsed.older:
        return urldefrag(parsed.older).url
    return _with_page(url, number + 1) if parsed.wordpress else None


def _with_page(url: str, number: int) -> str:
    """Return a URL that asks for another page; its other parameters stay as they are written."""
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] != _PAGED]
    return parts._replace(query="&".join([*kept, f"{_PAGED}={number}"]), fragment="").geturl()


def is_before(items: Sequence[Item], since: datetime | None) -> bool:
    """Tell whether all that a page dates is older than `since`: feeds are not always sorted."""
    dated = [item.published_at for item in items if item.dated]
    return since is not None and bool(dated) and max(dated) < since


def unseen(items: Sequence[Item], met: Container[str]) -> tuple[Item, ...]:
    """Return a page's items that no page before it had, by the guids that were met."""
    return tuple(item for item in items if item.guid not in met)


def is_last_page(error: FeedError) -> bool:
    """Tell whether a later page that cannot be had is just the archive's end."""
    return error.kind in _ENDS


def retry_delay(error: FeedError) -> float | None:
    """Return the seconds after which a busy server is asked once more, None where it is left alone."""
    asked = error.context.get("retry_after_s")
    if error.kind not in _BUSY or not isinstance(asked, float):
        return None
    return asked if asked <= PATIENCE_S else None


def same_site(url: str, other: str) -> bool:
    """Tell whether two URLs belong to one publisher: one host, or hosts below one registrable domain.

    By the Public Suffix List (publicsuffix.org), with its private part: two blogs of one host are two sites.
    """
    hosts = _host(url), _host(other)
    if None in hosts or hosts[0] == hosts[1]:
        return None not in hosts
    from tld import get_fld  # reads a list of 10,000 names: most walks need none

    one, two = (get_fld(f"https://{host}/", fail_silently=True, search_private=True) for host in hosts)
    return one is not None and one == two


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def with_credentials(url: str, feed_url: str) -> str:
    """Return a URL with the user and password of the feed's, where it asks the very same server."""
    try:
        parts, feed = urlsplit(url), urlsplit(feed_url)
    except ValueError:
        return url
    login, _, server = feed.netloc.rpartition("@")
    same = (parts.scheme, parts.netloc.lower()) == (feed.scheme, server.lower())
    return parts._replace(netloc=feed.netloc).geturl() if login and same else url
