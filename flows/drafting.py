"""The flow that drafts what waits, beside other runs and on any machine: `drafting`."""

import asyncio
import time
from typing import Any

from prefect import flow

from flows.ingest import drafted
from flows.reporting import finish_run, timed
from flows.runtime import open_run
from flows.zombie_runs import crash_zombie_runs


@flow(name="drafting", persist_result=False)
async def drafting() -> dict[str, Any]:
    """Draft what waits in the queues; polls nothing. Returns a RunReport as JSON.

    Any number may run at once: each takes a few items at a time, and none that another has.
    """
    started = time.monotonic()
    await crash_zombie_runs()
    async with open_run() as (ctx, subscriptions):
        queues = await asyncio.to_thread(ctx.ledger.queues)
        feeds = [feed for feed in subscriptions.feeds if feed.enabled and queues.get(feed.key)]
        reports = await asyncio.gather(*(timed(drafted(ctx, feed, feed.max_items)) for feed in feeds))
        return await finish_run("drafting", ctx, list(reports), time.monotonic() - started)
