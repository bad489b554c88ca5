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
        """Hosts where an item waits for a free place, the one that has waited longest first."""
        self._is_for_slowest = True

    def place(self) -> "Place":
        """Return a place of one item, not yet taken."""
        return Place(self)

    def has_free(self) -> bool:
        """Return whether a place can be taken."""
        return self._free > 0

    def call_when_free(self, host: "HostTurns") -> None:
        """Advance a host once a place is free."""
        self._hosts.setdefault(host)

    def note_taken(self, host: "HostTurns") -> None:
        """Note that an item of a host has a place: the others have waited longer."""
        self._hosts.pop(host, None)

    def take(self) -> bool:
        """Take a free place; return False if there is none."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    def give_back(self) -> None:
        """Free a place. All hosts that wait are advanced, and the first one that is ready gets it.

        Every other time that is the host whose items need the longest, so that the run ends early; else the
        one that has waited longest, so that a host with few items is not the last where drafts take long.
        """
        self._free += 1
        self._hosts = {host: None for host in self._hosts if host.is_used()}
        hosts = list(self._hosts)
        if hosts and self._is_for_slowest:
            hosts.sort(key=HostTurns.rest, reverse=True)
        self._is_for_slowest ^= bool(hosts)
        for host in hosts:
            host.advance()


class Place:
    """The place of one item: taken before its page is requested, left when its draft begins or it ends."""

    def __init__(self, ahead: PagesAhead) -> None:
        self.ahead = ahead
        self._is_taken = False

    @property
    def is_taken(self) -> bool:
        """Return whether the item has the place."""
        return self._is_taken

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

    delay_s = 0.0
    """Seconds between two turns, as far as they are known: the longest that a feed or the host demands."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[_Waiter]] = {}
        """By feed, in the order of their next turns."""
        self._is_taken = False

    @contextlib.asynccontextmanager
    async def turn(self, feed: str, place: Place, *, again: bool = False) -> AsyncIterator[None]:
        """Wait for the turn of an item; `again`: it had one in vain, and goes before all others."""
        await self._wait(feed, _Waiter(place, asyncio.Event()), first=again)
        try:
            yield
        finally:
            if place.is_taken:
                place.ahead.note_taken(self)
            self._end()

    def is_used(self) -> bool:
        """Return whether an item has the turn, or waits for it."""
        return self._is_taken or bool(self._waiting)

    def rest(self) -> tuple[float, int]:
        """Return the seconds that the items that wait need at least, and how many they are."""
        count = sum(map(len, self._waiting.values()))
        return count * self.delay_s, count

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
        if first:
            queue.appendleft(waiter)
            self._waiting = {feed: queue} | self._waiting
        else:
            queue.append(waiter)
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
