"""Fetches the files with a site's rules, such as robots.txt, or takes them from a store of earlier runs."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

from pipeline.domain.errors import FeedError
from pipeline.http_client import HttpClient

_MAX_FETCHED_BYTES = 5_000_000
"""Bytes of a file that are fetched; a longer one counts as not fetched. Chosen, not measured."""
_MAX_BYTES = 1_000_000
"""Bytes of a file that are read. Chosen, not measured."""
_CONCURRENT = 16
"""Files that are requested at the same time: the other requests of a run go on. Chosen, not measured."""


class SiteUrl(NamedTuple):
    """The URL of a site's file or of the site, and the feed whose credentials and proxy its requests have.

    Feeds without any share one answer. A feed with some has its own: another one may not reach the site, or
    be shown something else.
    """

    url: str
    feed: str = ""
    """A key; empty for a request without credentials."""

    def file(self, path: str) -> "SiteUrl":
        """Return the URL of a file of the site."""
        return self._replace(url=self.url + path)


class SiteFile(NamedTuple):
    """A site's answer to the request for a file: its HTTP status, None if there was none, and the bytes."""

    status: int | None
    body: bytes = b""

    @property
    def exists(self) -> bool:
        """Return whether the site has the file."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_final(self) -> bool:
        """Return whether the site has the file, or says that it has none."""
        return self.exists or self.status in (404, 410)


class SiteFileStore(Protocol):
    """Keeps files between runs for a day."""

    async def load(self, url: SiteUrl) -> SiteFile | None:
        """Return a file that was saved less than a day ago."""

    async def save(self, url: SiteUrl, file: SiteFile) -> None:
        """Replace a file."""


class SiteFiles:
    """Fetches files; with a `store` each at most once a day, over all runs.

    `require_running` raises ShutdownRequested once the run ends.
    """

    def __init__(
        self,
        net: HttpClient,
        store: SiteFileStore | None = None,
        require_running: Callable[[], None] = lambda: None,
    ) -> None:
        self._net = net
        self._store = store
        self._require_running = require_running
        self._requests = asyncio.Semaphore(_CONCURRENT)

    def for_feed(self, url: str, feed: str) -> SiteUrl:
        """Return a URL as it is requested for a feed, a key."""
        return SiteUrl(url, feed if self._net.has_credentials(url, feed) else "")

    async def get(self, url: SiteUrl, *, before_page: bool = False) -> SiteFile:
        """Return a file; one that is read before a page is not requested once the run ends.

        Raises FeedError of kind forbidden-address (SSRF guard), url or unset (a variable), and what
        `require_running` raises.
        """
        if self._store and (stored := await self._store.load(url)):
            return stored
        async with self._requests:
            if before_page:
                self._require_running()
            file = await self._fetch(url)
        if self._store and file.is_final:
            await self._store.save(url, file)
        return file

    async def _fetch(self, url: SiteUrl) -> SiteFile:
        try:
            response = await self._net.get(url.url, max_bytes=_MAX_FETCHED_BYTES, feed=url.feed)
        except FeedError as error:
            if error.kind in ("forbidden-address", "url", "unset"):
                raise
            # Too many redirects count as no file (RFC 9309 section 2.3.1.2).
            return SiteFile(404 if error.kind == "redirects" else None)
        return SiteFile(response.status, response.body[:_MAX_BYTES])
