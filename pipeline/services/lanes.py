"""An item's way to its writer: a page may be fetched for it, and then it takes a slot."""

import asyncio
from types import TracebackType
from typing import Self

from pipeline.domain.models import FeedConfig
from pipeline.feeds.pages.turns import PagesAhead
from pipeline.services.context import RunContext


class Lane:
    """A place among the pages fetched ahead, then a slot; a context manager that leaves what it has.

    The slot is taken when the source is complete, so that no slot is idle while a host lets an item wait.
    """

    def __init__(self, slots: asyncio.Semaphore, ahead: PagesAhead) -> None:
        self._slots = slots
        self._has_slot = False
        self.place = ahead.place()

    async def take_slot(self) -> None:
        """Wait for a slot, and leave the place: another page may be fetched."""
        await self._slots.acquire()
        self._has_slot = True
        self.place.leave()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.place.leave()
        if self._has_slot:
            self._slots.release()


def lane_of(ctx: RunContext, feed: FeedConfig) -> Lane:
    """Return a lane of a feed's writer: one that waits must not hold up the items of another."""
    writer = next(iter(ctx.writers(feed)), None)
    return Lane(writer.item_slots, writer.pages_ahead) if writer else Lane(ctx.item_slots, ctx.pages_ahead)
