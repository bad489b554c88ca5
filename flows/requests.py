"""The flow that carries out what waits on the machine with the drafts, beside the schedule: `requests`."""

import asyncio
import time
from collections import Counter
from typing import Any

from prefect import flow

from flows.reporting import FeedReport, feed_report, publish_report, timed
from flows.runtime import as_task, drained, newsroom
from flows.zombie_runs import reap
from pipeline.config import require_folder
from pipeline.domain.models import FeedConfig
from pipeline.services import Newsroom, draft_feed


@flow(name="requests", persist_result=False)
async def requests() -> dict[str, Any]:
    """Write anew what is asked for, write what other machines drafted, publish what was approved.

    Polls nothing. Returns a RunReport as JSON. Raises ConfigError on a machine that writes no drafts.
    """
    started = time.monotonic()
    await reap()
    async with newsroom() as (room, subscriptions):
        require_folder(room.settings)
        asked = Counter(await asyncio.to_thread(room.ledger.requested))
        asked.update(await asyncio.to_thread(room.ledger.unwritten))
        feeds = [feed for feed in subscriptions.feeds if asked.get(feed.key)]
        reports = await asyncio.gather(*(timed(_redrafted(room, feed, asked[feed.key])) for feed in feeds))
        sent = await drained(room, subscriptions.publish)
        return await publish_report("requests", room, list(reports), time.monotonic() - started, sent)


async def _redrafted(room: Newsroom, feed: FeedConfig, count: int) -> FeedReport:
    step = as_task(f"redraft {feed.key}", lambda: draft_feed(room, feed, count, requested=True))
    return feed_report(feed.key, None, None, await step, 0)
