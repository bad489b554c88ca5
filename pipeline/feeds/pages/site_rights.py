"""Asks sites what they declare about the use of their texts: robots.txt, tdmrep.json, RSL licences."""

import asyncio
from collections.abc import Callable
from itertools import islice
from urllib.parse import urljoin, urlsplit

from pipeline.domain.errors import FeedError
from pipeline.feeds.pages.robots import CACHE_S, RETRY_S, RobotsCache, TimedCache
from pipeline.feeds.pages.site_files import SiteFiles, SiteUrl
from pipeline.feeds.rights.declaration import Declaration, reservation
from pipeline.feeds.rights.rsl import read_license, refusals
from pipeline.feeds.rights.site_files import TdmRule, declared_in_robots, declared_in_tdmrep, parse_tdmrep
from pipeline.http_client import redact_url

_MAX_LICENSES = 5
"""Licences of one text that are fetched. Chosen, not measured."""


class SiteRights:
    """Asks for the files of sites, each at most once a day; `clock` returns monotonic seconds.

    A file that cannot be had, or that cannot be read, declares nothing.
    """

    def __init__(self, files: SiteFiles, robots: RobotsCache, clock: Callable[[], float]) -> None:
        self._files = files
        self._robots = robots
        self._tdmrep = TimedCache(self._fetch_tdmrep, clock)
        self._licenses = TimedCache(self._fetch_license, clock)

    async def reservation(self, url: str, *declared: Declaration, site: bool = True, feed: str) -> str | None:
        """Return what reserves the text at a URL, None if nothing does.

        `feed` is the key of the feed that files are requested for.
        `declared` are the declarations of the response and its document, in this order; without `site` only
        they count, and the licences that they name.
        """
        places = (*(await self.site(url, feed) if site else ()), *declared)
        names = dict.fromkeys(urljoin(url, name) for each in places for name in each.licenses)
        files = (self._files.for_feed(name, feed) for name in islice(names, _MAX_LICENSES))
        licenses = [await self._license(file, url) for file in files]
        return reservation((*places, *licenses))

    async def site(self, url: str, feed: str) -> tuple[Declaration, ...]:
        """Return what the files of a URL's site declare for it. Raises ShutdownRequested if the run ends."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        try:
            # One after the other: a host gets one request at a time.
            robots = await self._robots.rules(origin, feed)
            if robots.unknown:
                return ()  # a host that does not answer is not asked for more
            tdmrep = await self._tdmrep.get(self._files.for_feed(origin, feed))
        except FeedError:
            return ()
        return declared_in_tdmrep(tdmrep, url), declared_in_robots(robots.usage, url)

    async def _license(self, license_url: SiteUrl, url: str) -> Declaration:
        body = await self._licenses.get(license_url)
        terms = await asyncio.to_thread(read_license, body, url)
        return Declaration(place=redact_url(license_url.url), refusals=refusals(terms))

    async def _fetch_tdmrep(self, site: SiteUrl) -> tuple[tuple[TdmRule, ...], float]:
        body, seconds = await self._fetch(site.file("/.well-known/tdmrep.json"), before_page=True)
        return await asyncio.to_thread(parse_tdmrep, body), seconds

    async def _fetch_license(self, url: SiteUrl) -> tuple[bytes, float]:
        return await self._fetch(url, before_page=False)

    async def _fetch(self, url: SiteUrl, *, before_page: bool) -> tuple[bytes, float]:
        """Return the bytes of a file, b"" if there is none, and the seconds that they may be kept."""
        try:
            file = await self._files.get(url, before_page=before_page)
        except FeedError:
            return b"", RETRY_S
        return file.body if file.exists else b"", CACHE_S if file.is_final else RETRY_S
