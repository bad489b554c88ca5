"""The flow that drafts one feed's items of a span of dates: `backfill`, by hand, never paid twice."""

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

    Those that wait already are among them; nothing else of the feed is touched.

    What the publisher still offers is read page by page, back to `since`; without it, as far as `limit` items
    need. `since` and `until` are aware UTC. A dry run writes nothing and returns what would be drafted, a
    Plan as JSON; otherwise a RunReport as JSON.
    Raises ConfigError for a feed that nobody subscribed or a span that nothing can be in, FeedError where a
    dry run cannot fetch it.
    """
    done = await services.backfill(feed, since, until, limit, dry_run, ports())
    return done.model_dump(mode="json")
