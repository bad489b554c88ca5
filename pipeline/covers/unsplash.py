"""The search of Unsplash (https://unsplash.com/documentation): a cover is worth no delay, and no failure."""

import asyncio
import contextlib
import json
from typing import Any
from urllib.parse import urlencode

from pipeline.covers.cover import ID, Photo, read_photo
from pipeline.domain.errors import FeedError
from pipeline.http_client import HttpClient, Response

API = "https://api.unsplash.com"
PATIENCE_S = 3.0
"""Seconds that one answer may take."""
_AT_ONCE = 4
"""Questions at one time; as many are lost, and no more, on a server that does not answer."""
_BYTES = 1_000_000
_WHY = {
    401: "the key is refused: look at UNSPLASH_ACCESS_KEY",
    403: "the hour's limit of the key is reached: try again later, or ask Unsplash for a higher one",
}


class _Refused(Exception):
    """There is no answer; says why."""


class UnsplashClient:
    """A search that gives up soon, and for good: what cannot be reached is not asked again."""

    def __init__(self, net: HttpClient, key: str, api: str = API, *, patience_s: float = PATIENCE_S) -> None:
        self._net = net
        self._headers = (("Authorization", f"Client-ID {key}"), ("Accept-Version", "v1"))
        self._api = api
        self._patience_s = patience_s
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self.trouble = ""
        """Why nothing is found any more; empty while it works."""

    async def search(self, query: str, count: int = 9) -> list[Photo]:
        """Return photos for a query, the best first; none where the search cannot be asked."""
        asked = {"query": query, "per_page": count, "orientation": "landscape", "content_filter": "high"}
        answer = await self._asked(f"{self._api}/search/photos?{urlencode(asked)}") if query else None
        found = answer.get("results") if isinstance(answer, dict) else None
        return [photo for one in found if (photo := read_photo(one))] if isinstance(found, list) else []

    async def photo(self, number: str) -> Photo | None:
        """Return the photo of an id, as the API has it."""
        if not ID.fullmatch(number):
            return None
        found = read_photo(await self._asked(f"{self._api}/photos/{number}"))
        # `/photos/random` is another question, and has another answer each time.
        return found if found and found.id == number else None

    async def track_download(self, photo: Photo) -> None:
        """Tell the API that a photo is used, as its guidelines want; that it fails stops nothing."""
        if photo.download.startswith(f"{self._api}/"):
            with contextlib.suppress(_Refused):
                await self._answer(photo.download)

    async def _asked(self, url: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        try:
            return await self._answer(url)
        except _Refused as why:
            self.trouble = str(why)
            return None

    async def _answer(self, url: str) -> Any:  # noqa: ANN401
        """Return what a URL answers. Raises _Refused."""
        async with self._turns:  # waiting for one is no fault of the server's: the time runs from here
            if self.trouble:
                raise _Refused(self.trouble)
            try:
                async with asyncio.timeout(self._patience_s):
                    answer = await self._net.get(url, self._headers, max_bytes=_BYTES)
            except FeedError as error:
                raise _Refused(error.message) from error
            except TimeoutError as error:
                raise _Refused("Unsplash does not answer; try again later") from error
        return _read(answer)


def _read(answer: Response) -> Any:  # noqa: ANN401
    """Return an answer's JSON; None for what is not there. Raises _Refused."""
    if answer.status == 404:
        return None
    if answer.status != 200:
        why = _WHY.get(answer.status, f"it answers with status {answer.status}; try again later")
        raise _Refused(f"Unsplash: {why}")
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise _Refused("Unsplash: its answer is no JSON; try again later") from error
