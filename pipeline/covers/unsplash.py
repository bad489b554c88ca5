"""The search of Unsplash (https://unsplash.com/documentation): a cover is worth no delay, and no failure."""

import asyncio
import json
from typing import Any
from urllib.parse import quote, urlencode

from pipeline.covers.photo import Photo, read_photo
from pipeline.errors import FeedError
from pipeline.net import Net

API = "https://api.unsplash.com"
IMAGES = "https://images.unsplash.com"
"""Where its images come from: they are shown from there, as the guidelines want."""
_PATIENCE_S = 3.0
_BYTES = 1_000_000
_WHY = {
    401: "the key is refused: look at UNSPLASH_ACCESS_KEY",
    403: "the hour's limit of the key is reached",
}


class Unsplash:
    """A search that gives up soon, and for good: what cannot be reached is not asked again."""

    def __init__(self, net: Net, key: str, api: str = API) -> None:
        self._net = net
        self._headers = (("Authorization", f"Client-ID {key}"), ("Accept-Version", "v1"))
        self._api = api
        self.trouble = ""
        """Why nothing is found any more; empty while it works."""

    async def search(self, query: str, count: int = 9) -> list[Photo]:
        """Return photos for a query, the best first; none where the search cannot be asked."""
        asked = {"query": query, "per_page": count, "orientation": "landscape", "content_filter": "high"}
        answer = await self._asked(f"{self._api}/search/photos?{urlencode(asked)}") if query else None
        found = answer.get("results") if isinstance(answer, dict) else None
        return [photo for one in found if (photo := read_photo(one))] if isinstance(found, list) else []

    async def photo(self, number: str) -> Photo | None:
        """Return a photo by its id, as the API has it."""
        return read_photo(await self._asked(f"{self._api}/photos/{quote(number, safe='')}"))

    async def used(self, photo: Photo) -> None:
        """Tell the API that a photo is used, as its guidelines want; that it fails stops nothing."""
        if photo.download.startswith(f"{self._api}/"):
            await self._asked(photo.download)

    async def _asked(self, url: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        if self.trouble:
            return None
        try:
            async with asyncio.timeout(_PATIENCE_S):
                answer = await self._net.get(url, self._headers, max_bytes=_BYTES)
        except (FeedError, TimeoutError) as error:
            self.trouble = error.message if isinstance(error, FeedError) else "Unsplash does not answer"
            return None
        if answer.status in _WHY:
            self.trouble = f"Unsplash: {_WHY[answer.status]}"
        if answer.status != 200:
            return None
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            return None
