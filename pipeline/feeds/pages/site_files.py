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

    async def load(self, url: str) -> SiteFile | None:
        """Return a file that was saved less than a day ago."""

    async def save(self, url: str, file: SiteFile) -> None:
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

    async def get(self, url: str, *, before_page: bool = False) -> SiteFile:
        """Return a file; one that is read before a page is not requested once the run ends.

        Raises FeedError of kind forbidden-address (SSRF guard) or url, and what `require_running` raises.
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

    async def _fetch(self, url: str) -> SiteFile:
        try:
            response = await self._net.get(url, max_bytes=_MAX_FETCHED_BYTES)
        except FeedError as error:
            if error.kind in ("forbidden-address", "url"):
                raise
            # Too many redirects count as no file (RFC 9309 section 2.3.1.2).
            return SiteFile(404 if error.kind == "redirects" else None)
        return SiteFile(response.status, response.body[:_MAX_BYTES])
