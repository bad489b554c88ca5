"""Whose page is requested next at a host: one at a time, feeds in rotation, not far ahead of the drafts."""

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import AsyncIterator
from typing import NamedTuple


class PagesAhead:
    """How many pages may be requested whose drafts have not begun."""

    def __init__(self, count: float = math.inf) -> None:
        self._free = count
        self._hosts: dict[HostTurns, None] = {}
        """Hosts where an item waits for a free place."""

    def place(self) -> "Place":
        """Return a place of one item, not yet taken."""
        return Place(self)

    def has_free(self) -> bool:
        """Return whether a place can be taken."""
        return self._free > 0

    def call_when_free(self, host: "HostTurns") -> None:
        """Advance a host once a place is free."""
        self._hosts[host] = None

    def take(self) -> bool:
        """Take a free place; return False if there is none."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    def give_back(self) -> None:
        """Free a place; the host with the most items is the first to get it, as it needs the longest."""
        self._free += 1
        hosts, self._hosts = sorted(self._hosts, key=HostTurns.count, reverse=True), {}
        for host in hosts:
            host.advance()


class Place:
    """The place of one item: taken before its page is requested, left when its draft begins or it ends."""

    def __init__(self, ahead: PagesAhead) -> None:
        self.ahead = ahead
        self._is_taken = False

    def take(self) -> bool:
        """Take the place; return False if none is free."""
        self._is_taken = self._is_taken or self.ahead.take()
        return self._is_taken

    def leave(self) -> None:
        """Free the place, if it was taken."""
        if self._is_taken:
            self._is_taken = False
            self.ahead.give_back()


class _Waiter(NamedTuple):
    place: Place
    turn: asyncio.Event
    """Set when it has the turn."""


class HostTurns:
    """The turns of one host. A feed with many items has one turn, then every other feed that waits has one.

    All items of a feed take their places from the same PagesAhead. While it has no free place the feed is
    passed over, so that it does not hold up the others.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, deque[_Waiter]] = {}
        """By feed, in the order of their next turns."""
        self._is_taken = False

    @contextlib.asynccontextmanager
    async def turn(self, feed: str, place: Place, *, again: bool = False) -> AsyncIterator[None]:
        """Wait for the turn of an item; `again`: it had one in vain, and is the first of its feed."""
        await self._wait(feed, _Waiter(place, asyncio.Event()), first=again)
        try:
            yield
        finally:
            self._end()

    def count(self) -> int:
        """Return how many items wait."""
        return sum(map(len, self._waiting.values()))

    def advance(self) -> None:
        """Give the turn, if nobody has it, to the next feed that has a free place."""
        if self._is_taken:
            return
        for feed, queue in tuple(self._waiting.items()):
            ahead = queue[0].place.ahead
            if not ahead.has_free():
                ahead.call_when_free(self)
                continue
            waiter = queue.popleft()
            del self._waiting[feed]
            if queue:
                self._waiting[feed] = queue  # after the other feeds
            self._is_taken = True
            waiter.turn.set()
            return

    async def _wait(self, feed: str, waiter: _Waiter, *, first: bool) -> None:
        queue = self._waiting.setdefault(feed, deque())
        (queue.appendleft if first else queue.append)(waiter)
        self.advance()
        try:
            await waiter.turn.wait()
        except asyncio.CancelledError:
            if waiter.turn.is_set():
                self._end()
            else:
                self._remove(feed, waiter)
            raise

    def _remove(self, feed: str, waiter: _Waiter) -> None:
        queue = self._waiting[feed]
        queue.remove(waiter)
        if not queue:
            del self._waiting[feed]

    def _end(self) -> None:
        self._is_taken = False
        self.advance()
