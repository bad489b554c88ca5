"""Fetches the pages of items politely: robots.txt, one request at a time per host, feeds in turn, a delay."""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from pipeline.domain.errors import FeedError, ShutdownRequested
from pipeline.domain.models import Credit, FeedConfig, Item
from pipeline.domain.text import redact_url, url_host
from pipeline.feeds.pages.blocked import has_challenge_header
from pipeline.feeds.pages.completeness import incompleteness, strip_trailers
from pipeline.feeds.pages.extract import Page, extract
from pipeline.feeds.pages.robots import RobotsCache, RobotsRules
from pipeline.feeds.pages.site_files import SiteFiles, SiteFileStore
from pipeline.feeds.pages.site_rights import SiteRights
from pipeline.feeds.pages.turns import HostTurns, PagesAhead, Place
from pipeline.feeds.parsing.dates import EARLIEST
from pipeline.feeds.rights.declaration import Declaration, reservation, reserved_reason
from pipeline.feeds.rights.directives import declared_in_headers
from pipeline.feeds.rights.site_files import declared_in_robots
from pipeline.feeds.urls import same_site
from pipeline.http_client import HttpClient, Response
from pipeline.http_client.headers import parse_retry_after

Extract = Callable[[bytes, str | None, str, str | None], Awaitable[Page]]
"""A function of body, content type, URL and CSS selector that returns the article."""

DELAY_S = 1.0
"""Least seconds between two requests to one host; Crawl-delay may be longer. Chosen, not measured."""
_PLACE_S = 1.0
"""Seconds before its request in which a page takes its place: the wait for a place and the usual delay pass
together. In a longer one the place would be missing at the other hosts. Chosen, not measured."""
UNLIMITED = PagesAhead()
"""For pages that are fetched for no draft."""
_DAY = timedelta(days=1)
_MAX_BYTES = 5_000_000
"""Bytes of a page that are fetched. Chosen, not measured."""
_REST_S = 900.0
"""Seconds for which a host is left alone after a 429 without Retry-After. Chosen, not measured."""
_ACCEPT = (("Accept", "text/html, */*;q=0.1"),)

_REFUSALS: dict[int, tuple[str, str]] = {
    401: ("refused", "needs a login (401)"),
    402: ("refused", "wants payment (402)"),
    403: ("refused", "refuses access (403)"),
    404: ("not-found", "is not there (404)"),
    410: ("gone", "is gone (410)"),
    429: ("rate-limited", "is asked for too often (429)"),
    451: ("refused", "is withheld for legal reasons (451)"),
}


async def extract_here(body: bytes, content_type: str | None, url: str, selector: str | None) -> Page:
    """Return the article, extracted in a thread of this process; see `extract`."""
    return await asyncio.to_thread(extract, body, content_type, url, selector)


@dataclass
class _Host:
    """The state of a host during a run."""

    turns: HostTurns = field(default_factory=HostTurns)
    asked_at: float = -math.inf
    """End of the last request, in seconds of the clock."""
    rests_until: float = 0.0
    """End of the rest that it asked for: until then its pages are not requested, and fail as that one did."""
    refusal: str = ""
    """Why it rests."""


class PageFetcher:
    """Fetches and extracts pages, with a rate limit per host. It lives as long as a run.

    `store` keeps the rules of sites between runs. `clock` returns monotonic seconds, `sleep` waits for
    seconds. No page is requested once `should_stop` returns True.
    """

    def __init__(
        self,
        net: HttpClient,
        extractor: Extract = extract_here,
        *,
        store: SiteFileStore | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._net = net
        self._extractor = extractor
        self._clock = clock
        self._sleep = sleep
        self._should_stop = should_stop
        files = SiteFiles(net, store, self._raise_if_over)
        self._robots = RobotsCache(files, clock)
        self.rights = SiteRights(files, self._robots, clock)
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)

    async def page(
        self,
        url: str,
        selector: str | None = None,
        *,
        feed: str,
        delay_s: float = DELAY_S,
        place: Place | None = None,
    ) -> Page:
        """Return the article of a page, requested for a feed (its key) when that has its turn at the host.

        `delay_s` is the least time between two requests to the host: the longest of the feeds that have pages
        there counts. `place` is taken before the request; None: the number of pages is not limited.

        Raises FeedError of the kinds of HttpClient.get and `extract`, and of kind refused, not-found, gone,
        rate-limited, resting (its host asked for that before), server, robots (robots.txt does not allow the
        page) or reserved. Raises ShutdownRequested if the run ends before the request.
        """
        response = await self._fetch(url, feed, delay_s, place or UNLIMITED.place())
        if not 200 <= response.status < 300 or _is_challenge(response):
            raise _refusal(response)
        if response.redirects:
            await self._check_redirect_target(url, response.url, feed)
        headers = declared_in_headers(response.headers)
        try:
            page = await self._extractor(
                response.body, response.headers.get("content-type"), response.url, selector
            )
        except FeedError:
            await self._require_unreserved(response.url, feed, headers)
            raise
        await self._require_unreserved(response.url, feed, headers, page.declared)
        return page

    async def _require_unreserved(self, url: str, feed: str, *declared: Declaration) -> None:
        if what := await self.rights.reservation(url, *declared, feed=feed):
            raise _reserved(url, what)

    async def _fetch(self, url: str, feed: str, delay_s: float, place: Place) -> Response:
        host, again = self._hosts[url_host(url)], False
        host.turns.delay_s = max(host.turns.delay_s, delay_s)
        while True:
            async with host.turns.turn(feed, place, again=again):
                self._raise_if_over()
                if host.rests_until > self._clock():
                    raise FeedError(f"{redact_url(url)} {host.refusal}", kind="resting")
                rules = await self._rules(url, feed)
                # Before the page, whose own declarations the decision waits for.
                await self.rights.site(url, feed)
                if await self._wait(host, rules, place):
                    return await self._request(host, url, feed)
            again = True

    async def _wait(self, host: _Host, rules: RobotsRules, place: Place) -> bool:
        """Wait until the host may be asked, at the end with the place; return False if none is free then.

        A feed that joins meanwhile may have a longer delay: then the place is left until the end of that.
        """
        while True:
            self._raise_if_over()
            host.turns.delay_s = max(host.turns.delay_s, rules.delay_s())
            left_s = host.asked_at + host.turns.delay_s - self._clock()
            if left_s > _PLACE_S:
                place.leave()
                await self._sleep(left_s - _PLACE_S)
            elif not place.take():
                return False
            elif left_s <= 0:
                return True
            else:
                await self._sleep(left_s)

    async def _request(self, host: _Host, url: str, feed: str) -> Response:
        try:
            response = await self._net.get(url, _ACCEPT, max_bytes=_MAX_BYTES, feed=feed)
        finally:
            host.asked_at = self._clock()
        if rest_s := _rest_s(response):
            host.rests_until = self._clock() + rest_s
            host.refusal = _refusal(response).message.partition(" ")[2]
        return response

    def _raise_if_over(self) -> None:
        if self._should_stop():
            raise ShutdownRequested("the run ends before this page is requested")

    async def require_allowed(self, url: str, feed: str) -> None:
        """Raise FeedError of kind robots, reserved, server, url or unset if a page's site forbids its use."""
        await self._rules(url, feed)
        await self._require_unreserved(url, feed)

    async def _rules(self, url: str, feed: str) -> RobotsRules:
        """Return the rules of a page's host. Raises FeedError when they do not allow the page."""
        origin = _origin(url)
        rules = await self._robots.rules(origin, feed)
        if rules.unknown:
            raise FeedError(f"robots.txt of {url_host(origin)} cannot be read just now", kind="server")
        if not rules.allows(url):
            raise FeedError(f"{redact_url(url)} may not be fetched by robots (robots.txt)", kind="robots")
        if what := reservation([declared_in_robots(rules.usage, url)]):
            raise _reserved(url, what)
        return rules

    async def _check_redirect_target(self, url: str, target: str, feed: str) -> None:
        """Raise FeedError when a redirect's target is not for robots, or is only the site's front page."""
        await self._rules(target, feed)
        if _is_front_page(target) and not _is_front_page(url):
            message = f"{redact_url(url)} is not there: it redirects to {redact_url(target)}"
            raise FeedError(message, kind="not-found")


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise FeedError(f"{redact_url(url)} is no usable address", kind="url") from error
    return f"{parts.scheme}://{parts.netloc}"


def _is_front_page(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query


def _reserved(url: str, what: str) -> FeedError:
    return FeedError(f"{redact_url(url)} is {reserved_reason(what)}", kind="reserved")


def _is_challenge(response: Response) -> bool:
    return has_challenge_header(response.headers) or (response.status == 202 and not response.body.strip())


def _rest_s(response: Response) -> float:
    """Return the seconds for which a response asks that its host be left alone, 0 if it does not."""
    asked_s = parse_retry_after(response.headers.get("retry-after"), datetime.now(UTC)) or 0.0
    if response.status == 429:
        return asked_s or _REST_S
    return asked_s if response.status in (403, 503) else 0.0


def _refusal(response: Response) -> FeedError:
    status = response.status
    if _is_challenge(response):
        description = f"{redact_url(response.url)} shows a challenge page instead of the article"
        return FeedError(description, kind="challenge")
    if status == 403 and (response.headers.get("retry-after") or "0") != "0":
        return FeedError(f"{redact_url(response.url)} refuses access for now (403)", kind="rate-limited")
    kind, description = _REFUSALS.get(status, ("server" if status >= 500 else "refused", f"answers {status}"))
    return FeedError(f"{redact_url(response.url)} {description}", kind=kind)


def needs_page(item: Item, feed: FeedConfig) -> bool:
    """Return whether an item's page is fetched: if its text or those of its feed are excerpts, or always."""
    if not item.link or feed.full_text == "never":
        return False
    if feed.full_text == "always" or feed.use == "link":
        return True
    if item.excerpt is not None and feed.use == "full":
        return True
    return incompleteness(_feed_text(item, feed), feed.min_chars) is not None


def source_gap(item: Item, feed: FeedConfig) -> str | None:
    """Return why an item's text is not complete enough to be rewritten; None if it is."""
    reason = incompleteness(item.text, feed.min_chars)
    if reason is None and item.excerpt == "cut":
        return f"cut source: it breaks off after {len(item.text):,} characters, as other texts of its feed"
    return reason


def merge_page_text(item: Item, page: Page | None, feed: FeedConfig) -> Item:
    """Return an item with the source text of a draft: the feed's, or its page's if that is longer.

    A longer text that is cut off, as at a paywall, does not replace a complete one. The text that it replaces
    becomes the summary, unless the feed has one.
    """
    feed_text = _feed_text(item, feed)
    if page is None:
        return item.model_copy(update={"text": feed_text})
    longer = len(page.text) > len(strip_trailers(feed_text))
    is_complete = source_gap(item.model_copy(update={"text": feed_text}), feed) is None
    replaced = longer and not (is_complete and incompleteness(page.text, feed.min_chars))
    added = {
        "text": page.text if replaced else feed_text,
        "summary": item.summary or (feed_text if replaced else ""),
        "excerpt": None if replaced else item.excerpt,
        "title": item.title or page.title,
        "author": item.author or page.author,
        "image": item.image or page.image,
        "image_alt": item.image_alt or (page.image_alt if item.image in (None, page.image) else None),
        "origin": item.origin or _page_origin(item, page, feed),
        "credit": item.credit or (page.credit if replaced else None),
        "rights": item.rights or (page.rights if replaced else None),
    }
    if not item.dated and page.published_at and EARLIEST <= page.published_at < item.published_at + _DAY:
        dated = {"published_at": page.published_at, "utc_offset_min": page.utc_offset_min, "dated": True}
        return item.model_copy(update=added | dated)
    return item.model_copy(update=added)


def _page_origin(item: Item, page: Page, feed: FeedConfig) -> Credit | None:
    """Return whose text a page says it is, None if that is the feed's or the link's own publisher."""
    ours = page.origin is None or any(same_site(page.origin.url, url) for url in (feed.url, item.link or ""))
    return None if ours else page.origin


def _feed_text(item: Item, feed: FeedConfig) -> str:
    """Return the feed's text of an item that the setting `use` allows."""
    if feed.use == "link":
        return ""
    return (item.summary or item.text) if feed.use == "summary" else item.text
