"""Lease the queued items of a feed in batches, so that several processes can share the queue."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from pipeline.config import day_start
from pipeline.domain.errors import DatabaseError
from pipeline.domain.models import FeedConfig, Window
from pipeline.feeds.pages.fetch import needs_page
from pipeline.services.context import ItemOutcome, RunContext
from pipeline.storage import Lease, LeaseFilter

LEASE_S = 900.0
"""Seconds until a lease that is not renewed expires. Chosen, not measured."""
PAGES_PER_DRAFT = 3
"""Items whose page is needed that are tried for each draft of the limit. Chosen, not measured."""

Draft = Callable[[Lease], Awaitable[ItemOutcome | None]]
"""Drafts a leased item; returns None if the lease is to be released with nothing done."""


class LeaseQueue:
    """Leases a batch at a time, newest items first, until a limit or the queue is exhausted.

    The limit counts drafts and failed model calls: items that are skipped or postponed do not use it up, but
    only so many pages are asked for.
    """

    def __init__(
        self,
        ctx: RunContext,
        feed: FeedConfig,
        limit: int,
        window: Window | None,
        lease_filter: LeaseFilter,
        draft: Draft,
    ) -> None:
        self._ctx, self._feed, self._window, self._lease_filter = ctx, feed, window, lease_filter
        self._draft, self._left = draft, limit
        self._pages_left = PAGES_PER_DRAFT * limit
        writer = next(iter(ctx.writers(feed)), None)
        self._batch = writer.lanes if writer else 2 * ctx.settings.max_in_flight
        self._held: dict[asyncio.Future[ItemOutcome | None], Lease] = {}
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
        lease = self._held.pop(task)
        if error := task.exception():
            self._excluded.append(lease)
            return error
        outcome = task.result()
        if outcome is not None:
            self._outcomes.append(outcome)
        if outcome is None or not (outcome.path or outcome.skipped):
            self._excluded.append(lease)
        if outcome and outcome.unasked and needs_page(lease.updated or lease.item, self._feed):
            self._pages_left += 1
        self._left -= outcome is None or not (outcome.skipped or outcome.waits)
        return None

    async def _fill(self) -> None:
        """Lease more items if a quarter of a batch or more is done."""
        ctx, free = self._ctx, self._batch - len(self._held)
        count = min(free, self._left - len(self._held), self._pages_left)
        if ctx.fatal_errors or count <= 0 or 4 * free < self._batch:
            return
        try:
            leases = await asyncio.to_thread(self._lease, count)
        except DatabaseError as error:  # running items may still be stored
            ctx.fatal_errors.append(error)
            return
        if not leases:
            self._left = 0
        for lease in leases:
            self._pages_left -= needs_page(lease.updated or lease.item, self._feed)
            ctx.notify(self._feed.key, "claimed")
            self._held[asyncio.ensure_future(self._draft(lease))] = lease

    def _lease(self, count: int) -> list[Lease]:
        ctx, feed = self._ctx, self._feed
        if self._lease_filter != "asked" and (left := left_today(ctx, feed)) is not None:
            count = min(count, left)
        if count <= 0:
            return []
        # A held lease may have been released a moment ago.
        tried = [lease.item_id for lease in (*self._excluded, *self._held.values())]
        return ctx.db.leases.acquire(
            feed.key,
            count,
            LEASE_S,
            window=self._window,
            lease_filter=self._lease_filter,
            exclude=tried,
            now=ctx.clock(),
        )

    @contextlib.asynccontextmanager
    async def _renewing(self) -> AsyncIterator[None]:
        """Renew the leases while their items are worked on; release those left at the end."""
        ctx = self._ctx

        async def renew() -> None:
            while True:
                await asyncio.sleep(LEASE_S / 3)
                with contextlib.suppress(DatabaseError):  # the next renewal may work
                    await asyncio.to_thread(ctx.db.leases.renew, tuple(self._held.values()), LEASE_S)

        renewal = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewal.cancel()
            left = (*self._held.values(), *self._excluded)
            for task in self._held:
                task.cancel()
            await asyncio.gather(*self._held, return_exceptions=True)
            try:
                ctx.db.leases.release(left)
            except DatabaseError as error:  # they end with this process, or expire
                ctx.fatal_errors.append(error)


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
