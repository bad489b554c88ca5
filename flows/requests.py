"""The flow that carries out what editors ask for beside the schedule: `requests`."""

import asyncio
import time
from typing import Any

from prefect import flow

from flows.ingest import publish_report
from flows.publishing import drained
from flows.report import FeedReport, feed_report
from flows.room import newsroom
from flows.tasks import as_task
from pipeline.models import FeedConfig
from pipeline.work import Newsroom, draft_feed


@flow(name="requests", persist_result=False)
async def requests() -> dict[str, Any]:
    """Write anew what is asked for, publish what was approved, poll nothing. Returns a RunReport as JSON."""
    started = time.monotonic()
    async with newsroom() as (room, subscriptions):
        asked = await asyncio.to_thread(room.ledger.requested)
        feeds = [feed for feed in subscriptions.feeds if asked.get(feed.key)]
        reports = await asyncio.gather(*(_redrafted(room, feed, asked[feed.key]) for feed in feeds))
        sent = await drained(room, subscriptions.publish)
        return await publish_report("requests", room, list(reports), time.monotonic() - started, sent)


async def _redrafted(room: Newsroom, feed: FeedConfig, count: int) -> FeedReport:
    step = as_task(f"redraft {feed.key}", lambda: draft_feed(room, feed, count, requested=True))
    return feed_report(feed.key, None, None, await step, 0)
