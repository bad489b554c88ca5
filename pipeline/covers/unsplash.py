"""Searches Unsplash for cover images; a slow or failing API never delays or fails a draft.

Source: https://unsplash.com/documentation
"""

import asyncio
import contextlib
import json
from typing import Any
from urllib.parse import urlencode

from pipeline.covers.cover import PHOTO_ID, Photo, read_photo
from pipeline.domain.errors import FeedError
from pipeline.http_client import HttpClient, Response

API_URL = "https://api.unsplash.com"
TIMEOUT_S = 3.0
"""Seconds that one response may take. Chosen, not measured."""
_MAX_IN_FLIGHT = 4
"""Requests at the same time; no more than these wait for a server that does not answer."""
_MAX_BYTES = 1_000_000
_REASONS = {
    401: "the key is rejected: check UNSPLASH_ACCESS_KEY",
    403: "the hour's limit of the key is reached: try again later, or ask Unsplash for a higher one",
}


class _RequestFailed(Exception):
    """A request failed; the message says why."""


class UnsplashClient:
    """A client of the API that sends nothing more after its first failure."""

    def __init__(
        self, net: HttpClient, key: str, api: str = API_URL, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._net = net
        self._headers = (("Authorization", f"Client-ID {key}"), ("Accept-Version", "v1"))
        self._api = api
        self._timeout_s = timeout_s
        self._slots = asyncio.Semaphore(_MAX_IN_FLIGHT)
        self.error = ""
        """Why the client stopped; empty while it works."""

    async def search(self, query: str, count: int = 9) -> list[Photo]:
        """Return photos for a query, best match first; none when the query is empty or the API fails."""
        if not query:
            return []
        fields = {"query": query, "per_page": count, "orientation": "landscape", "content_filter": "high"}
        data = await self._get_or_none(f"{self._api}/search/photos?{urlencode(fields)}")
        results = data.get("results") if isinstance(data, dict) else None
        if not isinstance(results, list):
            return []
        return [photo for result in results if (photo := read_photo(result))]

    async def photo(self, number: str) -> Photo | None:
        """Return the photo with this id; None when there is none or the API fails."""
        if not PHOTO_ID.fullmatch(number):
            return None
        photo = read_photo(await self._get_or_none(f"{self._api}/photos/{number}"))
        # `/photos/random` is another endpoint of the API; it returns another photo each time.
        return photo if photo and photo.id == number else None

    async def track_download(self, photo: Photo) -> None:
        """Tell the API that a photo is used, as its guidelines require; a failure is ignored."""
        if photo.download_location.startswith(f"{self._api}/"):
            with contextlib.suppress(_RequestFailed):
                await self._get(photo.download_location)

    async def _get_or_none(self, url: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        try:
            return await self._get(url)
        except _RequestFailed as error:
            self.error = str(error)
            return None

    async def _get(self, url: str) -> Any:  # noqa: ANN401
        """Return the JSON at a URL. Raises _RequestFailed."""
        async with self._slots:  # the timeout does not count the wait for a slot
            if self.error:
                raise _RequestFailed(self.error)
            try:
                async with asyncio.timeout(self._timeout_s):
                    response = await self._net.get(url, self._headers, max_bytes=_MAX_BYTES)
            except FeedError as error:
                raise _RequestFailed(error.message) from error
            except TimeoutError as error:
                raise _RequestFailed("Unsplash does not answer; try again later") from error
        return _parse(response)


def _parse(response: Response) -> Any:  # noqa: ANN401
    """Return a response's JSON; None for status 404. Raises _RequestFailed."""
    if response.status == 404:
        return None
    if response.status != 200:
        reason = _REASONS.get(response.status, f"it answers with status {response.status}; try again later")
        raise _RequestFailed(f"Unsplash: {reason}")
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise _RequestFailed("Unsplash: the answer is not JSON; try again later") from error
