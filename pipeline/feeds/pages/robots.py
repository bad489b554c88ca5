"""Reads a host's robots.txt (RFC 9309) and caches it."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from protego import Protego

from pipeline.feeds.pages.site_files import SiteFiles, SiteUrl
from pipeline.feeds.rights.declaration import AGENT
from pipeline.feeds.rights.site_files import parse_usage

MAX_DELAY_S = 30.0
"""Longest Crawl-delay that is obeyed, in seconds; a longer one is shortened to it. Chosen, not measured."""
CACHE_S = 24 * 3600.0
"""Seconds that a robots.txt is cached (RFC 9309 section 2.4)."""
RETRY_S = 600.0
"""Seconds until a file that could not be fetched is requested again. Chosen, not measured."""
_MAX_PARSED_BYTES = 500_000
"""Bytes of a robots.txt that are parsed (RFC 9309 section 2.5)."""


class RobotsRules:
    """The rules of a host's robots.txt."""

    def __init__(self, status: int | None, body: bytes = b"") -> None:
        """Parse a robots.txt; `status` is its HTTP status, None if the host did not answer.

        Without a robots.txt (4xx) everything is allowed; after a server error nothing is, for now
        (RFC 9309 section 2.3.1).
        """
        self.unknown = status is None or status >= 500
        exists = status is not None and 200 <= status < 300
        text = body[:_MAX_PARSED_BYTES].decode("utf-8-sig", "replace") if exists else ""
        self._rules = Protego.parse(text)
        self.usage = parse_usage(text)

    def allows(self, url: str) -> bool:
        """Return whether a page may be fetched."""
        return not self.unknown and bool(self._rules.can_fetch(url, AGENT))

    def delay_s(self) -> float:
        """Return the Crawl-delay between two pages in seconds, 0 if there is none."""
        return min(MAX_DELAY_S, float(self._rules.crawl_delay(AGENT) or 0))


T = TypeVar("T")


class TimedCache(Generic[T]):
    """Values by site or file, each fetched by one task at a time; `clock` returns monotonic seconds.

    `fetch` returns a value and the seconds that it may be kept.
    """

    def __init__(
        self, fetch: Callable[[SiteUrl], Awaitable[tuple[T, float]]], clock: Callable[[], float]
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._values: dict[SiteUrl, tuple[float, T]] = {}
        self._locks: defaultdict[SiteUrl, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, key: SiteUrl) -> T:
        """Return the value of a site or file; raises what `fetch` raises."""
        async with self._locks[key]:
            entry = self._values.get(key)
            if entry is None or self._clock() >= entry[0]:
                value, seconds = await self._fetch(key)
                entry = self._values[key] = (self._clock() + seconds, value)
            return entry[1]


class RobotsCache:
    """Fetches and caches the rules of hosts; `clock` returns monotonic seconds."""

    def __init__(self, files: SiteFiles, clock: Callable[[], float]) -> None:
        self._files = files
        self._cache = TimedCache(self._fetch, clock)

    async def rules(self, origin: str, feed: str) -> RobotsRules:
        """Return the rules of `scheme://host:port`, requested for a feed (its key).

        Raises FeedError of kind forbidden-address (SSRF guard), url or unset, and ShutdownRequested.
        """
        return await self._cache.get(self._files.for_feed(origin, feed))

    async def _fetch(self, site: SiteUrl) -> tuple[RobotsRules, float]:
        file = await self._files.get(site.file("/robots.txt"), before_page=True)
        rules = await asyncio.to_thread(RobotsRules, file.status, file.body)
        return rules, RETRY_S if rules.unknown else CACHE_S
