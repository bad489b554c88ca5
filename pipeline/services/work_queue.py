"""The queue of a feed while it is worked on, taken in portions: other processes may share it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from pipeline.config import day_start
from pipeline.domain.errors import DatabaseError
from pipeline.domain.models import FeedConfig, Window
from pipeline.services.context import ItemOutcome, RunContext
from pipeline.storage import Lease, LeaseFilter

LEASE_S = 900.0
"""Seconds a claim holds without a heartbeat: longer than the longest call."""

Draft = Callable[[Lease], Awaitable[ItemOutcome | None]]
"""A claim to what became of it; None where it was given back untouched."""


class LeaseQueue:
    """Claims a few items at a time, newest first, until the limit, the day or the queue ends."""

    def __init__(
        self,
        ctx: RunContext,
        feed: FeedConfig,
        limit: int,
        window: Window | None,
        which: LeaseFilter,
        draft: Draft,
    ) -> None:
        self._ctx, self._feed, self._window, self._which = ctx, feed, window, which
        self._draft, self._left = draft, limit
        self._portion = 2 * ctx.settings.max_in_flight
        self._held: dict[asyncio.Future[ItemOutcome | None], Lease] = {}
        self._tried: list[Lease] = []
        """What came to nothing: a second attempt in this run would not help."""
        self._outcomes: list[ItemOutcome] = []

    async def run(self) -> list[ItemOutcome]:
        """Draft until nothing is left, and return what became of each item."""
        trouble: list[BaseException] = []
        async with self._kept():
            await self._fill()
            while self._held and not self._ctx.over.is_set():
                done = await self._next()
                trouble += [error for task in done if (error := self._ended(task))]
                # Whatever nobody foresaw is raised when the others are done, not in the midst of their work.
                if not trouble:
                    await self._fill()
        for error in trouble:
            raise error
        return self._outcomes

    async def _next(self) -> "set[asyncio.Future[ItemOutcome | None]]":
        """Wait until an item is done, or until nothing is waited for any longer; return what is done."""
        over = asyncio.ensure_future(self._ctx.over.wait())
        try:
            every: list[asyncio.Future[Any]] = [*self._held, over]
            done, _ = await asyncio.wait(every, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
        return {task for task in self._held if task in done}

    def _ended(self, task: "asyncio.Future[ItemOutcome | None]") -> BaseException | None:
        lease = self._held.pop(task)
        if error := task.exception():
            self._tried.append(lease)
            return error
        outcome = task.result()
        if outcome is not None:
            self._outcomes.append(outcome)
        if outcome is None or not outcome.path:
            self._tried.append(lease)
        return None

    async def _fill(self) -> None:
        """Claim more where a quarter of a portion, or more, is done."""
        ctx, lacking = self._ctx, self._portion - len(self._held)
        if ctx.stop or self._left <= 0 or 4 * lacking < self._portion:
            return
        try:
            leases = await asyncio.to_thread(self._lease, min(self._left, lacking))
        except DatabaseError as error:  # what is under way may still be kept
            ctx.stop.append(error)
            return
        self._left = self._left - len(leases) if leases else 0
        for lease in leases:
            ctx.notify(self._feed.key, "claimed")
            self._held[asyncio.ensure_future(self._draft(lease))] = lease

    def _lease(self, count: int) -> list[Lease]:
        ctx, feed = self._ctx, self._feed
        if self._which != "asked" and (left := left_today(ctx, feed)) is not None:
            count = min(count, left)
        if count <= 0:
            return []
        # What is held may have been given back a moment ago.
        tried = [lease.item_id for lease in (*self._tried, *self._held.values())]
        return ctx.db.leases.acquire(
            feed.key, count, LEASE_S, window=self._window, lease_filter=self._which, exclude=tried
        )

    @contextlib.asynccontextmanager
    async def _kept(self) -> AsyncIterator[None]:
        """Keep claims alive while their items are worked on; give back what is left at the end."""
        ctx = self._ctx

        async def beat() -> None:
            while True:
                await asyncio.sleep(LEASE_S / 3)
                with contextlib.suppress(DatabaseError):  # the next one may fare better
                    await asyncio.to_thread(ctx.db.leases.renew, tuple(self._held.values()), LEASE_S)

        heart = asyncio.create_task(beat())
        try:
            yield
        finally:
            heart.cancel()
            left = (*self._held.values(), *self._tried)
            for task in self._held:
                task.cancel()
            await asyncio.gather(*self._held, return_exceptions=True)
            try:
                ctx.db.leases.release(left)
            except DatabaseError as error:  # they end with this process, or when their time is over
                ctx.stop.append(error)


def left_today(ctx: RunContext, feed: FeedConfig) -> int | None:
    """Return how many items of a feed may still be begun in this calendar day, None for any number."""
    if feed.max_items_per_day is None:
        return None
    since = day_start(ctx.clock(), ctx.settings.timezone)
    return max(
        0,
        feed.max_items_per_day
        - ctx.db.drafts.count_since(feed.key, since)
        - ctx.db.leases.held_count(feed.key),
    )
