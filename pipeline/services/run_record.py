"""Records runs in the database: that one begins, what it did, and why it ended."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.domain.errors import UNEXPECTED, CopydeskError, DatabaseError, OutputError
from pipeline.storage import Database, FeedActivity, ItemCounts, RunSummary

if TYPE_CHECKING:
    from pipeline.services.feed_report import FeedReport
    from pipeline.services.report import RunReport

_MAX_DRAFTS = 200
"""Drafts of a feed that a record lists. Chosen, not measured: it keeps a record below 10 kB."""
_MAX_CHARS = 300
"""Characters of an error in a record. Chosen, not measured."""
_NOT_WRITTEN = "a file could not be written; the log of the run names it"
log = logging.getLogger("copydesk.run")


@contextlib.asynccontextmanager
async def recorded(db: Database, name: str, flow: str, page: str) -> AsyncIterator[None]:
    """Record that a run begins, and why it ended if it ends by an error; `page` is its URL in Prefect.

    Raises DatabaseError where the beginning cannot be stored.
    """
    await asyncio.to_thread(db.runs.begin, name, flow, datetime.now(UTC), page)
    try:
        yield
    except BaseException as error:
        code = error.exit_code if isinstance(error, CopydeskError) else 1
        # Not in a thread: the run may be cancelled.
        with _logged(name):
            db.runs.fail(name, _reason(error), code, datetime.now(UTC))
        raise


async def record_end(db: Database, name: str, report: "RunReport") -> None:
    """Record what a run did; a failure is logged and does not end the run."""
    await asyncio.to_thread(_store, db, name, summary_of(report))


def _reason(error: BaseException) -> str:
    """Return why a run ended, without words of items: a path has those of a title, and they can be erased."""
    if isinstance(error, OutputError):
        return _NOT_WRITTEN
    message = error.message if isinstance(error, CopydeskError) else type(error).__name__
    return _without_details(message) or type(error).__name__


def _store(db: Database, name: str, summary: RunSummary) -> None:
    with _logged(name):
        db.runs.end(name, summary, datetime.now(UTC))


@contextlib.contextmanager
def _logged(name: str) -> Iterator[None]:
    """Log that an end cannot be recorded, and go on."""
    try:
        yield
    except DatabaseError as error:
        log.warning("the end of the run could not be recorded: %s", error.message, extra={"run": name})


def summary_of(report: "RunReport") -> RunSummary:
    """Return what is recorded of a run's report. Pure."""
    feeds = [activity_of(feed) for feed in report.feeds]
    counts = {name: sum(getattr(feed, name) for feed in feeds) for name in ItemCounts.model_fields}
    return RunSummary(
        **counts | {"micros": report.micros, "unpriced": report.unpriced},  # calls that no feed made, too
        polled=sum(feed.held is None for feed in report.feeds),
        unread=sum(feed.error is not None for feed in feeds),
        exit_code=report.exit_code,
        stopped=_stopped(report),
        feeds=tuple(feed for feed in feeds if _has_activity(feed)),
    )


def _stopped(report: "RunReport") -> str | None:
    if report.stopped and report.exit_code == OutputError.exit_code:
        return _NOT_WRITTEN
    return _without_details(report.stopped)


def _without_details(message: str | None) -> str | None:
    """Return a message without what an unexpected error says, which may quote an item."""
    head, mark, _ = (message or "").partition(UNEXPECTED)
    return f"{head}{mark}"[:_MAX_CHARS] or None


def activity_of(feed: "FeedReport") -> FeedActivity:
    """Return what is recorded of a feed's report: no words of its items, which can be erased. Pure."""
    return FeedActivity(
        feed=feed.feed,
        new=feed.new,
        drafts=feed.refs[:_MAX_DRAFTS],
        drafted=len(feed.drafts),
        held=feed.blocked,
        skipped=feed.skipped,
        merged=feed.merged,
        failed=len(feed.failed),
        causes={each.cause[:_MAX_CHARS]: each.count for each in feed.causes if each.kind == "failed"},
        waits={each.cause[:_MAX_CHARS]: each.count for each in feed.causes if each.kind == "waits"},
        waiting=feed.waiting,
        queued=feed.queued,
        micros=feed.micros,
        unpriced=feed.unpriced,
        seconds=feed.seconds,
        error=_without_details(feed.error),
    )


def _has_activity(feed: FeedActivity) -> bool:
    items = feed.new or feed.drafted or feed.skipped or feed.merged or feed.failed or feed.waiting
    return bool(items or feed.micros or feed.unpriced or feed.error)
