"""Fetches the pages of items: where publishers let us, one at a time a host, not faster than they ask."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, Item
from pipeline.domain.text import redact_url, url_host
from pipeline.feeds.pages.completeness import incompleteness, stripped
from pipeline.feeds.pages.extract import Page, extract
from pipeline.feeds.pages.robots import Robots, Rules, reserved
from pipeline.http_client import HttpClient, Response

Extract = Callable[[bytes, str | None, str, str | None], Awaitable[Page]]
"""Body, content type, URL and selector to the page's article."""

PAUSE_S = 1.0
"""Seconds between two pages of one host, where its robots.txt asks for no more."""
_MOST = 5_000_000
"""Bytes of a page."""

_REFUSALS: dict[int, tuple[str, str]] = {
    401: ("refused", "wants a login (401)"),
    403: ("refused", "refuses access (403)"),
    404: ("not-found", "is not there (404)"),
    410: ("gone", "is gone (410)"),
    429: ("rate-limited", "is asked for too often (429)"),
    451: ("refused", "is withheld for legal reasons (451)"),
}


async def extract_here(body: bytes, content_type: str | None, url: str, selector: str | None) -> Page:
    """Extract in a thread of this process."""
    return await asyncio.to_thread(extract, body, content_type, url, selector)


@dataclass
class _Host:
    """What is known of a host while a run lasts."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0
    """On the clock, in seconds."""


class PageFetcher:
    """The pages of items, fetched through `net`; what is known of a host is known as long as a run lasts.

    `clock` returns seconds that only grow, `sleep` waits for some.
    """

    def __init__(
        self,
        net: HttpClient,
        run: Extract = extract_here,
        pause_s: float = PAUSE_S,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._net = net
        self._run = run
        self._pause_s = pause_s
        self._clock = clock
        self._sleep = sleep
        self._robots = Robots(net, clock)
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)

    async def page(self, url: str, selector: str | None = None) -> Page:
        """Return what an item's page says. Raises FeedError, naming the page.

        Of the kinds of Net.get and `extract`, and refused, not-found, gone, rate-limited, server, robots
        (its robots.txt speaks against it) and reserved.
        """
        response = await self._fetched(url)
        if not 200 <= response.status < 300:
            raise _refusal(response)
        if header := reserved(response.headers):
            raise FeedError(f"{redact_url(response.url)} reserves its text ({header})", kind="reserved")
        if response.redirects:
            await self._check_end(url, response.url)
        return await self._run(response.body, response.headers.get("content-type"), response.url, selector)

    async def _fetched(self, url: str) -> Response:
        host = self._hosts[url_host(url)]
        async with host.turn:
            rules = await self._rules(url)
            await self._sleep(max(0.0, host.free_at - self._clock()))
            try:
                return await self._net.get(url, [("Accept", "text/html, */*;q=0.1")], max_bytes=_MOST)
            finally:
                host.free_at = self._clock() + max(self._pause_s, rules.delay_s())

    async def _rules(self, url: str) -> Rules:
        """Return the rules of a page's host. Raises FeedError where they do not allow the page."""
        origin = _origin(url)
        rules = await self._robots.rules(origin)
        if rules.unknown:
            raise FeedError(f"{redact_url(origin)}/robots.txt cannot be read just now", kind="server")
        if not rules.allows(url):
            raise FeedError(f"{redact_url(url)} is closed to robots (robots.txt)", kind="robots")
        return rules

    async def _check_end(self, url: str, end: str) -> None:
        """Refuse the end of a redirect that is closed to robots, or only the front page of the site."""
        await self._rules(end)
        if _is_front(end) and not _is_front(url):
            said = f"{redact_url(url)} is not there: it leads to {redact_url(end)}"
            raise FeedError(said, kind="not-found")


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise FeedError(f"{redact_url(url)} is no usable address", kind="url") from error
    return f"{parts.scheme}://{parts.netloc}"


def _is_front(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query


def _refusal(response: Response) -> FeedError:
    status = response.status
    if response.headers.get("cf-mitigated") == "challenge":  # Cloudflare's word for its check of the browser
        said = f"{redact_url(response.url)} shows a challenge page instead of the article"
        return FeedError(said, kind="challenge")
    kind, said = _REFUSALS.get(status, ("server" if status >= 500 else "refused", f"answers {status}"))
    return FeedError(f"{redact_url(response.url)} {said}", kind=kind)


def needs_page(item: Item, feed: FeedConfig) -> bool:
    """Tell whether an item's page is to be fetched: where the feed's text will not do, or always.

    Of an episode or a film, whose page has no more to read, only where the operator asks for it.
    """
    if not item.link or feed.full_text == "never":
        return False
    if feed.full_text == "always" or feed.use == "link":
        return True
    return item.media is None and incompleteness(_told(item, feed), feed.min_chars) is not None


def merge_page_text(item: Item, page: Page | None, feed: FeedConfig) -> Item:
    """Return an item with the text that a draft is made from: the feed's, or its page's if that is longer.

    A longer text that is cut, as in front of a paywall, does not take the place of a whole one.
    """
    told = _told(item, feed)
    if page is None:
        return item.model_copy(update={"text": told})
    longer = len(page.text) > len(stripped(told))
    worse = incompleteness(page.text, feed.min_chars) and not incompleteness(told, feed.min_chars)
    added = {
        "text": page.text if longer and not worse else told,
        "title": item.title or page.title,
        "author": item.author or page.author,
        "image": item.image or page.image,
    }
    return item.model_copy(update=added)


def _told(item: Item, feed: FeedConfig) -> str:
    """Return what the feed says of an item, as far as its operator wants to use it."""
    if feed.use == "link":
        return ""
    return (item.summary or item.text) if feed.use == "summary" else item.text
