"""The flow `backfill`: drafts one feed's items of a date range. Idempotent: no item is paid for twice."""

from datetime import datetime
from typing import Any

from prefect import flow

from flows.runtime import ports
from pipeline.services import backfill as services


@flow(name="backfill", persist_result=False)
async def backfill(
    feed: str,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Draft a feed's items published in [since, until), newest first, at most `limit` of them.

    Queued items of the range are included; other items of the feed do not change.

    The archive is read page by page, back to `since`, or until `limit` items are found. `since` and `until`
    are aware UTC. A dry run writes nothing and returns a Plan as JSON; otherwise returns a RunReport as JSON.
    Raises ConfigError for an unknown feed or an empty range, FeedError when a dry run cannot fetch the feed.
    """
    report = await services.backfill(feed, since, until, limit, dry_run, ports())
    return report.model_dump(mode="json")
