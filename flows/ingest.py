"""The flow that polls feeds and drafts what is new: `ingest`, all feeds or some."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from flows.publishing import drained
from flows.report import FeedReport, RunReport, feed_report, markdown
from flows.room import newsroom
from flows.tasks import as_task
from pipeline.errors import CopydeskError, FeedError
from pipeline.models import FeedConfig, Window
from pipeline.publish import Outcome
from pipeline.settings import chosen
from pipeline.work import ItemOutcome, Newsroom, PollReport, draft_feed, poll


@flow(name="ingest", persist_result=False, validate_parameters=True)
async def ingest(feeds: list[str] | None = None, due: bool = False) -> dict[str, Any]:
    """Poll the enabled feeds that are due, or those named by key, and draft what is new in them.

    Those named are polled now, or only if they are `due`, too.

    Returns a RunReport as JSON. Raises ConfigError or LedgerError before anything is done; a feed that
    fails, or a model that refuses, is part of the report.
    """
    started = time.monotonic()
    async with newsroom() as (room, subscriptions):
        selected = chosen(subscriptions, feeds)
        queues = await asyncio.to_thread(room.ledger.queues)
        every = (
            run_feed(
                room,
                feed,
                feed.max_items,
                queued=queues.get(feed.key, 0),
                named=feeds is not None and not due,
            )
            for feed in selected
        )
        results = await asyncio.gather(*every, return_exceptions=True)
        reports = [_report(room, feed, result) for feed, result in zip(selected, results, strict=True)]
        sent = await drained(room, subscriptions.publish)
        return await publish_report("ingest", room, reports, time.monotonic() - started, sent)


def _report(room: Newsroom, feed: FeedConfig, result: FeedReport | BaseException) -> FeedReport:
    """Return a feed's report; trouble that nobody foresaw is the feed's own, and the run's exit code."""
    if isinstance(result, FeedReport):
        return result
    if not isinstance(result, Exception):
        raise result  # an interrupt
    said = f"{feed.key}: unexpected trouble, please report it: {type(result).__name__}: {result}"
    error = result if isinstance(result, CopydeskError) else CopydeskError(said, feed=feed.key)
    room.stop.append(error)
    return FeedReport(feed=feed.key, error=error.message)


async def run_feed(
    room: Newsroom,
    feed: FeedConfig,
    limit: int,
    window: Window | None = None,
    *,
    queued: int = 0,
    named: bool = False,
) -> FeedReport:
    """Poll one feed, then draft what waits in it; a feed that fails still has its queue drafted.

    A task run costs the server more than a poll: only a feed that failed, or has work, gets one.
    """
    polled, error = await _polled(room, feed, window, named=named)
    if not (queued or window or (polled and polled.new + polled.updated)):
        return feed_report(feed.key, polled, error, [], 0)
    outcomes: list[ItemOutcome] = []
    if queued := await asyncio.to_thread(room.ledger.queued, feed.key, window):
        outcomes = await as_task(f"draft {feed.key}", lambda: draft_feed(room, feed, limit, window))
        queued = await asyncio.to_thread(room.ledger.queued, feed.key, window)
    return feed_report(feed.key, polled, error, outcomes, queued)


async def _polled(
    room: Newsroom, feed: FeedConfig, window: Window | None, *, named: bool
) -> tuple[PollReport | None, str | None]:
    """Return what a poll brought, or why it brought nothing."""
    try:
        return await poll(room, feed, window, named=named), None
    except FeedError as error:
        trouble = error
    with contextlib.suppress(FeedError):
        await as_task(f"fetch {feed.key}", lambda: _raised(trouble))
    return None, trouble.message


async def _raised(trouble: FeedError) -> None:
    """Fail in Prefect's view as the feed did."""
    raise trouble


async def publish_report(
    name: str, room: Newsroom, reports: list[FeedReport], seconds: float, sent: Sequence[Outcome] = ()
) -> dict[str, Any]:
    """Keep the run's report as an artifact and return it as JSON."""
    stop = room.stop[0] if room.stop else None
    report = RunReport(
        flow=name,
        seconds=round(seconds, 2),
        feeds=tuple(reports),
        published=tuple(sent),
        stopped=stop.message if stop else None,
        exit_code=stop.exit_code if stop else 0,
        model=room.settings.model or "the offline brief",
        output=str(room.settings.output),
    )
    await acreate_markdown_artifact(key=f"{name}-report", markdown=markdown(report), description="Run report")
    return report.model_dump(mode="json")
