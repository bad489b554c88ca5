"""Whose turn it is: few requests to one host at a time, whatever many feeds it has or leads here."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary


class Turns:
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
