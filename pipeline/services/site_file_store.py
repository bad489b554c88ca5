"""Keeps the files with sites' rules in the database: each is requested once a day, not once a run."""

import asyncio
import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pipeline.feeds.pages.robots import CACHE_S
from pipeline.feeds.pages.site_files import SiteFile, SiteUrl
from pipeline.storage import Database


class DatabaseSiteFiles:
    """A SiteFileStore among the cached pages; `clock` returns aware UTC."""

    def __init__(self, db: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._db = db
        self._clock = clock

    async def load(self, url: SiteUrl) -> SiteFile | None:
        """Return a file that was saved less than a day ago."""
        row = await asyncio.to_thread(self._db.caches.page, _key(url))
        if row is None or row.payload is None or row.at <= self._clock() - timedelta(seconds=CACHE_S):
            return None
        status, _, body = row.payload.partition(" ")
        return SiteFile(int(status), base64.b64decode(body))

    async def save(self, url: SiteUrl, file: SiteFile) -> None:
        """Replace a file."""
        payload = f"{file.status} {base64.b64encode(file.body if file.exists else b'').decode()}"
        await asyncio.to_thread(self._db.caches.save_page, _key(url), payload, None, self._clock())


def _key(url: SiteUrl) -> str:
    return f"site file {url.url} {url.feed}".rstrip()
