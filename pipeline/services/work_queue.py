"""Lease the queued items of a feed in batches, so that several processes can share the queue."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.config import day_start
from pipeline.domain.errors import DatabaseError
from pipeline.domain.models import FeedConfig, Window
from pipeline.domain.text import url_host
from pipeline.feeds.pages.fetch import needs_page
from pipeline.services.context import ItemOutcome, RunContext
from pipeline.storage import Lease, LeaseFilter

LEASE_S = 900.0
"""Seconds until a lease that is not renewed expires. Chosen, not measured."""
PAGES_PER_DRAFT = 3
"""Items whose page is needed that are tried for each draft of the limit. Chosen, not measured."""
HELD_BATCHES = 4
"""Batches of leases that a feed holds at most, with those that wait for their host. Chosen, not measured."""

Draft = Callable[[Lease], Awaitable[ItemOutcome | None]]
"""Drafts a leased item; returns None if the lease is to be released with nothing done."""


class _Held(NamedTuple):
    """A lease, and the host of the page that its item needs, None if it needs none."""

    lease: Lease
    host: str | None


class LeaseQueue:
    """Leases a batch at a time, newest items first, until a limit or the queue is exhausted.

    The limit counts drafts and failed model calls: items that are skipped or postponed do not use it up, but
    only so many pages are asked for. Items that wait for one host do not fill the batch: those of other
    hosts, and those that need no page, are leased beside them.
    """

    def __init__(
        self,
        ctx: RunContext,
        feed: FeedConfig,
        limit: int,
        window: Window | None,
        lease_filter: LeaseFilter,
        draft: Draft,
        only: Sequence[int] = (),
    ) -> None:
        self._ctx, self._feed, self._window, self._lease_filter = ctx, feed, window, lease_filter
        self._only = only
        """Ids of the items that may be leased; empty: any."""
        self._draft, self._left = draft, limit
        self._pages_left = PAGES_PER_DRAFT * limit
        writer = next(iter(ctx.writers(feed)), None)
        self._batch = writer.lanes if writer else 2 * ctx.settings.max_in_flight
        self._held: dict[asyncio.Future[ItemOutcome | None], _Held] = {}
        self._excluded: list[Lease] = []
        """Not attempted again in this run."""
        self._outcomes: list[ItemOutcome] = []

    async def run(self) -> list[ItemOutcome]:
        """Draft until nothing is left, and return the outcome of each item."""
        errors: list[BaseException] = []
        async with self._renewing():
            await self._fill()
            while self._held and not self._ctx.grace_expired.is_set():
                done = await self._next()
                errors += [error for task in done if (error := self._record(task))]
                # An unexpected error is raised after the other items are done.
                if not errors:
                    await self._fill()
        for error in errors:
            raise error
        return self._outcomes

    async def _next(self) -> "set[asyncio.Future[ItemOutcome | None]]":
        """Wait until an item is done or a shutdown's grace time is over; return the done tasks."""
        expired = asyncio.ensure_future(self._ctx.grace_expired.wait())
        try:
            every: list[asyncio.Future[Any]] = [*self._held, expired]
            done, _ = await asyncio.wait(every, return_when=asyncio.FIRST_COMPLETED)
        finally:
            expired.cancel()
        return {task for task in self._held if task in done}

    def _record(self, task: "asyncio.Future[ItemOutcome | None]") -> BaseException | None:
        lease, host = self._held.pop(task)
        if error := task.exception():
            self._excluded.append(lease)
            return error
        outcome = task.result()
        if outcome is not None:
            self._outcomes.append(outcome)
        if outcome is None or not (outcome.path or outcome.skipped):
            self._excluded.append(lease)
        if outcome and outcome.unasked and host is not None:
            self._pages_left += 1
        self._left -= outcome is None or not (outcome.skipped or outcome.waits)
        return None

    async def _fill(self) -> None:
        """Lease more items, again and again while they only wait for their hosts."""
        while (count := self._free_count()) > 0 and not self._ctx.fatal_errors:
            try:
                leases = await asyncio.to_thread(self._lease, count)
            except DatabaseError as error:  # running items may still be stored
                self._ctx.fatal_errors.append(error)
                return
            if leases is None and self._held:
                return  # one of them may be skipped, and leave its draft of the day to another
            if not leases:
                self._left = 0
            for lease in leases or ():
                self._start(lease)
            if len(leases or ()) < count:
                return

    def _free_count(self) -> int:
        """Return how many items to lease now; none until a quarter of a batch or more is done."""
        hosts = Counter(held.host for held in self._held.values())
        free = free_leases(hosts, self._batch)
        count = min(free, self._left - len(self._held), self._pages_left)
        return count if 4 * free >= self._batch else 0

    def _start(self, lease: Lease) -> None:
        item = lease.updated or lease.item
        host = url_host(item.link or "") if needs_page(item, self._feed) else None
        self._pages_left -= host is not None
        self._ctx.notify(self._feed.key, "claimed")
        self._held[asyncio.ensure_future(self._draft(lease))] = _Held(lease, host)

    def _lease(self, count: int) -> list[Lease] | None:
        """Lease items; return None if the daily limit leaves none, of which held items have their part."""
        ctx, feed = self._ctx, self._feed
        if self._lease_filter != "asked" and (left := left_today(ctx, feed)) is not None:
            count = min(count, left)
        if count <= 0:
            return None
        # A held lease may have been released a moment ago.
        tried = [lease.item_id for lease in (*self._excluded, *self._leases())]
        return ctx.db.leases.acquire(
            feed.key,
            count,
            LEASE_S,
            window=self._window,
            lease_filter=self._lease_filter,
            exclude=tried,
            only=self._only,
            now=ctx.clock(),
        )

    def _leases(self) -> tuple[Lease, ...]:
        return tuple(held.lease for held in self._held.values())

    @contextlib.asynccontextmanager
    async def _renewing(self) -> AsyncIterator[None]:
        """Renew the leases while their items are worked on; release those left at the end."""
        ctx = self._ctx

        async def renew() -> None:
            while True:
                await asyncio.sleep(LEASE_S / 3)
                with contextlib.suppress(DatabaseError):  # the next renewal may work
                    await asyncio.to_thread(ctx.db.leases.renew, self._leases(), LEASE_S)

        renewal = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewal.cancel()
            left = (*self._leases(), *self._excluded)
            for task in self._held:
                task.cancel()
            await asyncio.gather(*self._held, return_exceptions=True)
            try:
                ctx.db.leases.release(left)
            except DatabaseError as error:  # they end with this process, or expire
                ctx.fatal_errors.append(error)


def free_leases(hosts: Mapping[str | None, int], batch: int) -> int:
    """Return how many more items a feed may hold; `hosts` counts those it has, by the host of their pages.

    A host gives one page at a time, so that its items count as one. As many hosts as pages are fetched ahead
    have their items beside the batch. Those without a page (None) all count.
    """
    without_page = hosts.get(None, 0)
    host_count = len(hosts) - (None in hosts)
    working = without_page + max(0, host_count - batch)
    return min(batch - working, HELD_BATCHES * batch - sum(hosts.values()))


def left_today(ctx: RunContext, feed: FeedConfig) -> int | None:
    """Return how many more items of a feed may be drafted this calendar day; None: no limit."""
    if feed.max_items_per_day is None:
        return None
    since = day_start(ctx.clock(), ctx.settings.timezone)
    return max(
        0,
        feed.max_items_per_day
        - ctx.db.drafts.count_since(feed.key, since)
        - ctx.db.items.held_count(feed.key),
    )
