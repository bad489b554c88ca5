"""Limits of requests: concurrency per host and in total, and the minimum rate of a response."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from weakref import WeakValueDictionary

import aiohttp


class HostLimiter:
    """At most `total` requests at the same time, `per_host` of them to one `host:port`."""

    def __init__(self, total: int, per_host: int) -> None:
        self._total = asyncio.Semaphore(total)
        self._per_host = per_host
        # A host's semaphore is dropped when no request uses or awaits it.
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def at(self, origin: str) -> AsyncIterator[None]:
        """Wait until a request to `origin` (`host:port`) may start, and count it while it runs."""
        host = self._hosts.get(origin)
        if host is None:
            host = self._hosts[origin] = asyncio.Semaphore(self._per_host)
        async with (
            host,
            self._total,
        ):  # in this order, so that requests that wait for a slow host do not count in the total
            yield


@dataclass(frozen=True)
class RequestLimits:
    """What one request may take, and how many requests run at the same time."""

    timeout_s: float = 20
    """Seconds for the whole request, redirects included, without the time that it waits to start."""
    max_bytes: int = 16_000_000
    """Bytes of a body, decoded or not."""
    max_redirects: int = 5
    per_host: int = 4
    """Requests to one `host:port` at the same time."""
    total: int = 100
    """Requests of the client at the same time."""


DEFAULT_LIMITS = RequestLimits()
"""Chosen, not measured."""


WINDOW_S = 3.0
"""Seconds of a response that are measured together. Chosen, not measured."""
_MIN_SLOW_PIECES = 3
"""Pieces in a window from which on it can be slow: a late but quick response has fewer. Chosen."""
_MIN_BYTES_PER_WINDOW = 750
"""Bytes of a window's pieces: at this rate hardly any feed is complete before the deadline. Chosen."""


class SlowBody(aiohttp.SocketTimeoutError):
    """A response comes too slowly (slow-read attack, or a stuck server)."""


class MinimumRate:
    """Measures the rate of one response. Silence does not count: the deadline ends that."""

    def __init__(self) -> None:
        self._window_start: float | None = None
        self._bytes = self._pieces = 0

    def is_too_slow(self, size: int, now: float) -> bool:
        """Record a piece of `size` bytes at `now` (s); tell whether the window was below the minimum rate."""
        if self._window_start is None:
            self._window_start = now
            return False
        self._bytes += size
        self._pieces += 1
        if now - self._window_start < WINDOW_S:
            return False
        too_slow = self._pieces >= _MIN_SLOW_PIECES and self._bytes < _MIN_BYTES_PER_WINDOW
        self._window_start, self._bytes, self._pieces = now, 0, 0
        return too_slow
