"""Whose turn it is: few requests to one host at a time, whatever many feeds it has or leads here.

Tells answers that come in drops, each of which would hold a turn until the deadline. Pure.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary

import aiohttp


class HostLimiter:
    """At most `total` requests at one time, `per_host` of them to one `host:port`."""

    def __init__(self, total: int, per_host: int) -> None:
        self._total = asyncio.Semaphore(total)
        self._per_host = per_host
        # A host is forgotten when nobody asks it or waits for it.
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def at(self, place: str) -> AsyncIterator[None]:
        """Wait for a turn at `host:port`, and hold it."""
        host = self._hosts.get(place)
        if host is None:
            host = self._hosts[place] = asyncio.Semaphore(self._per_host)
        async with host, self._total:  # in this order: a slow host's queue takes nobody else's turn
            yield


WINDOW_S = 3.0
"""Seconds of an answer that are looked at together."""
_MAX_SLOW_WINDOWS = 3
"""Pieces within a window: a server that thinks, and then sends, sends fewer."""
_MIN_BYTES_PER_WINDOW = 750
"""Bytes of a window's pieces: at that pace hardly a feed is whole before the deadline."""


class SlowBody(aiohttp.SocketTimeoutError):
    """An answer comes drop by drop."""


class MinimumRate:
    """Watches how fast one answer comes. Silence is none of its business: the deadline ends that."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._came = self._pieces = 0

    def drips(self, size: int, now: float) -> bool:
        """Note a piece of so many bytes, at a time in seconds; tell whether the last ones were drops."""
        if self._since is None:
            self._since = now
            return False
        self._came += size
        self._pieces += 1
        if now - self._since < WINDOW_S:
            return False
        dripping = self._pieces >= _MAX_SLOW_WINDOWS and self._came < _MIN_BYTES_PER_WINDOW
        self._since, self._came, self._pieces = now, 0, 0
        return dripping
