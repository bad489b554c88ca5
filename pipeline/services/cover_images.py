"""The image of a cover, for the desk: fetched once, checked by its bytes, kept in the database."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pipeline.covers.raster import MAX_BYTES, MAX_PIXELS, read_raster
from pipeline.domain.errors import FeedError
from pipeline.domain.text import url_host
from pipeline.http_client import HttpClient
from pipeline.storage import CoverRow, Database

TIMEOUT_S = 10.0
"""Seconds that an image may take: an editor waits for it. Chosen, not measured."""
RETRY_AFTER = timedelta(minutes=15)
"""A failure is remembered for so long, and then the image is requested again. Chosen, not measured."""
_ACCEPT = (("Accept", "image/avif,image/webp,image/png,image/jpeg,image/gif"),)
_GONE = frozenset((404, 410))
_PIXEL = "it is a tracking pixel, not a picture"


class CoverImage(NamedTuple):
    """An image, or why there is none."""

    media_type: str
    data: bytes
    error: str = ""
    """A clause; empty for an image."""

    @property
    def etag(self) -> str:
        """The validator of its bytes, as HTTP writes it."""
        return f'"{hashlib.sha256(self.data).hexdigest()[:32]}"'

    @property
    def is_missing(self) -> bool:
        """Whether there is no image, rather than one that could not be fetched."""
        return self.error == _PIXEL


class CoverImages:
    """Fetches and keeps images by URL; concurrent requests for one URL are one request."""

    def __init__(
        self,
        db: Database,
        net: HttpClient,
        *,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._db = db
        self._net = net
        self._timeout_s = timeout_s
        self._clock = clock
        self._fetches: dict[str, asyncio.Task[CoverImage]] = {}

    async def get(self, url: str) -> CoverImage:
        """Return the image at a URL. Only URLs of a draft's front matter are passed here."""
        row = await asyncio.to_thread(self._db.caches.cover, url)
        if row and (row.data is not None or row.at > self._clock() - RETRY_AFTER):
            return _stored(row)
        task = self._fetches.get(url)
        if task is None:
            task = self._fetches[url] = asyncio.create_task(self._fetch_and_keep(url))
            task.add_done_callback(lambda _done: self._fetches.pop(url, None))
        return await asyncio.shield(task)  # a browser that goes away does not end the others' request

    async def close(self) -> None:
        """End the requests that are under way."""
        tasks = list(self._fetches.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch_and_keep(self, url: str) -> CoverImage:
        image = await self._fetch(url)
        row = CoverRow(
            at=self._clock(),
            media_type=image.media_type or None,
            data=None if image.error else image.data,
            error=image.error or None,
        )
        await asyncio.to_thread(self._db.caches.save_cover, url, row)
        return image

    async def _fetch(self, url: str) -> CoverImage:
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._net.get(url, _ACCEPT, max_bytes=MAX_BYTES)
        except FeedError as error:
            return _failed(error.message)
        except TimeoutError:
            return _failed(f"{url_host(url)} did not answer in full within {self._timeout_s:g} s")
        if response.status != 200:
            gone = "the image is gone: " if response.status in _GONE else ""
            return _failed(f"{gone}{url_host(url)} answers with status {response.status}")
        return await asyncio.to_thread(checked_image, response.body)


def checked_image(data: bytes) -> CoverImage:
    """Return the image that bytes are, whatever type their server declares, or why they are none. Pure."""
    if len(data) > MAX_BYTES:
        return _failed(f"it has more than {MAX_BYTES:,} bytes")
    raster = read_raster(data)
    if raster is None:
        return _failed("it is no JPEG, PNG, GIF, WebP or AVIF, or its header is damaged")
    if raster.is_pixel:
        return _failed(_PIXEL)
    if raster.is_too_large:
        size = f"{raster.width:,} × {raster.height:,} pixels"
        return _failed(f"it has {size}, more than {MAX_PIXELS // 1_000_000} megapixels")
    return CoverImage(raster.media_type, data)


def _failed(reason: str) -> CoverImage:
    return CoverImage("", b"", reason)


def _stored(row: CoverRow) -> CoverImage:
    if row.data is None or row.media_type is None:
        return _failed(row.error or "it could not be fetched")
    return CoverImage(row.media_type, row.data)
