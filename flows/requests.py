"""The flow that carries out what waits on the machine with the drafts, beside the schedule: `requests`."""

import asyncio
import time
from collections import Counter
from typing import Any

from prefect import flow

from flows.reporting import FeedReport, feed_report, finish_run, timed
from flows.runtime import as_task, open_run, publish_after_run
from flows.zombie_runs import crash_zombie_runs
from pipeline.config import require_output_folder
from pipeline.domain.models import FeedConfig
from pipeline.services import RunContext, draft_feed


@flow(name="requests", persist_result=False)
async def requests() -> dict[str, Any]:
    """Write anew what is asked for, write what other machines drafted, publish what was approved.

    Polls nothing. Returns a RunReport as JSON. Raises ConfigError on a machine that writes no drafts.
    """
    started = time.monotonic()
    await crash_zombie_runs()
    async with open_run() as (ctx, subscriptions):
        require_output_folder(ctx.settings)
        asked = Counter(await asyncio.to_thread(ctx.ledger.requested))
        asked.update(await asyncio.to_thread(ctx.ledger.unwritten))
        feeds = [feed for feed in subscriptions.feeds if asked.get(feed.key)]
        reports = await asyncio.gather(*(timed(_redrafted(ctx, feed, asked[feed.key])) for feed in feeds))
        sent = await publish_after_run(ctx, subscriptions.publish)
        return await finish_run("requests", ctx, list(reports), time.monotonic() - started, sent)


async def _redrafted(ctx: RunContext, feed: FeedConfig, count: int) -> FeedReport:
    step = as_task(f"redraft {feed.key}", lambda: draft_feed(ctx, feed, count, requested=True))
    return feed_report(feed.key, None, None, await step, 0)
