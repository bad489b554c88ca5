"""Ends the requests about drafts whose feed was removed from feeds.yaml: no run can carry them out."""

import asyncio
from collections.abc import Iterable, Sequence

from pipeline.config import Subscriptions
from pipeline.domain.errors import LeaseLost, OutputError
from pipeline.services.context import RunContext
from pipeline.services.draft import write_draft
from pipeline.services.work_queue import LEASE_S
from pipeline.storage import Lease


def removed_feeds(keys: Iterable[str], subscriptions: Subscriptions) -> list[str]:
    """Return the keys that no feed has or had: a request may be older than its feed's new key. Pure."""
    current = {key for feed in subscriptions.feeds for key in (feed.key, *feed.previous_keys)}
    return [key for key in keys if key not in current]


async def end_requests(ctx: RunContext, feed_key: str, count: int, only: Sequence[int] = ()) -> None:
    """End up to `count` redraft requests of a feed; their drafts stay, and say why they were not rewritten.

    Texts that were recorded are written all the same. `only`: the ids of the items; empty: any. Raises
    DatabaseError.
    """
    acquire, release = ctx.db.leases.acquire, ctx.db.leases.release
    leases = await asyncio.to_thread(acquire, feed_key, count, LEASE_S, lease_filter="asked", only=only)
    try:
        await asyncio.to_thread(_end, ctx, leases)
    finally:
        await asyncio.to_thread(release, leases)


def _end(ctx: RunContext, leases: Iterable[Lease]) -> None:
    for lease in leases:
        try:
            if lease.unconfirmed is not None:
                write_draft(ctx, lease, lease.unconfirmed)
            else:
                ctx.db.leases.keep_current(lease, _reason(lease.feed_key))
        except LeaseLost:
            continue  # another run has the item
        except OutputError as error:
            ctx.fatal_errors.append(error)


def _reason(feed_key: str) -> str:
    return f"feed {feed_key} is not in feeds.yaml; add it again, or edit the draft yourself"
