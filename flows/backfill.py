"""The flow that drafts one feed's items of a span of dates: `backfill`, by hand, never paid twice."""

import asyncio
import time
from datetime import datetime
from typing import Any

from prefect import flow

from flows.ingest import publish_report, run_feed
from flows.room import newsroom
from pipeline.models import FeedConfig
from pipeline.settings import chosen
from pipeline.work import Look, Newsroom, estimated, look


@flow(name="backfill", persist_result=False)
async def backfill(
    feed: str,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Draft a feed's items published in [since, until), newest first, at most `limit` of them.

    `since` and `until` are aware UTC. A dry run writes nothing and returns what would be drafted:
    `{"items": [{"title", "published", "link", "why"}], "estimate": an Estimate}`; otherwise a RunReport as
    JSON.
    Raises ConfigError for a feed that nobody subscribed, FeedError where a dry run cannot fetch it.
    """
    started = time.monotonic()
    async with newsroom() as (room, subscriptions):
        [config] = chosen(subscriptions, [feed])
        if dry_run:
            return await _would(room, config, (since, until), limit)
        report = await run_feed(room, config, limit, (since, until))
        return await publish_report("backfill", room, [report], time.monotonic() - started)


async def _would(
    room: Newsroom, feed: FeedConfig, window: tuple[datetime | None, datetime | None], limit: int
) -> dict[str, Any]:
    seen = await look(room, feed, window)
    fresh = [(item, "new") for item in seen.chosen.new] if isinstance(seen, Look) else []
    waiting = await asyncio.to_thread(room.ledger.queued_items, feed.key, window)
    listed = fresh + [(item, "queued") for item in waiting]
    listed = sorted(listed, key=lambda pair: pair[0].published_at, reverse=True)[:limit]
    cost = await asyncio.to_thread(estimated, room, feed, [item for item, _ in listed])
    told = [
        {"title": item.title, "published": item.published_at.isoformat(), "link": item.link, "why": why}
        for item, why in listed
    ]
    return {"items": told, "estimate": cost.model_dump()}
