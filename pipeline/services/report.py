"""What a run reports: one row a feed, as a record; what a backfill would report before it.

How a run ends: its lines in the log, alerts, and its report handed to whoever publishes it.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from pipeline.domain.errors import DatabaseError
from pipeline.domain.models import FrozenModel
from pipeline.publishing import TargetResult
from pipeline.services.alerts import send_alerts
from pipeline.services.budget import Estimate
from pipeline.services.context import ItemOutcome, PollReport, RunContext


class FeedReport(PollReport):
    """What a run did with one feed: what its poll brought, and what became of its items."""

    error: str | None = None
    """Why the feed brought nothing; the rest of the run goes on."""
    drafts: tuple[str, ...] = ()
    """Paths of the drafts written, relative to the output folder."""
    refs: tuple[str, ...] = ()
    """Their external ids, in the same order."""
    blocked: int = 0
    """How many of them a finding keeps from being approved as they are."""
    rewritten: int = 0
    """How many of the drafts a model wrote."""
    failed: tuple[str, ...] = ()
    """One line an item: its title and the reason."""
    queued: int = 0
    """Items that wait for the next run."""
    seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    micros: int = 0
    """What the model cost, in millionths of a US dollar."""


class RunReport(FrozenModel):
    """What a run did."""

    flow: str
    seconds: float
    feeds: tuple[FeedReport, ...]
    published: tuple[TargetResult, ...] = ()
    """What became of approved articles at each target that had something to do."""
    stopped: str | None = None
    """Why the run ended early."""
    exit_code: int = 0
    model: str
    output: str
    desk: str
    """Where a browser finds the desk."""

    @property
    def drafts(self) -> tuple[str, ...]:
        """Paths of all drafts written."""
        return tuple(path for feed in self.feeds for path in feed.drafts)


class PlannedItem(FrozenModel):
    """An item that a backfill is going to draft."""

    title: str
    published: str
    """ISO 8601."""
    link: str | None
    why: str
    """`new`, or `queued` where it waits already."""


class Plan(FrozenModel):
    """What a backfill is going to draft."""

    items: tuple[PlannedItem, ...]
    left: int
    """How many more there are than the limit allows."""
    estimate: Estimate
    notes: tuple[str, ...]
    """What was odd on the way."""


Publish = Callable[[RunReport], Awaitable[None]]
"""Keeps a run's report where people look for it; raises nothing."""


def feed_report(
    key: str, polled: PollReport | None, error: str | None, outcomes: Sequence[ItemOutcome], queued: int
) -> FeedReport:
    """Join what the poll and the drafting of one feed brought."""
    drafted = [outcome for outcome in outcomes if outcome.path]
    counts = polled.model_dump(exclude={"feed"}) if polled else {}
    aside = [f"skipped {one.title}: {one.reason}" for one in outcomes if one.skipped]
    counts["skipped"] = counts.get("skipped", 0) + len(aside)
    counts["notes"] = (*counts.get("notes", ()), *aside)
    return FeedReport(
        feed=key,
        error=error,
        **counts,
        drafts=tuple(outcome.path for outcome in drafted if outcome.path),
        refs=tuple(outcome.ref or "" for outcome in drafted),
        blocked=sum(outcome.held for outcome in drafted),
        rewritten=sum(outcome.rewritten for outcome in drafted),
        failed=tuple(
            f"{outcome.title}: {outcome.reason}"
            for outcome in outcomes
            if outcome.reason and not outcome.skipped
        ),
        queued=queued,
        prompt_tokens=sum(outcome.prompt_tokens for outcome in outcomes),
        completion_tokens=sum(outcome.completion_tokens for outcome in outcomes),
        micros=sum(outcome.micros for outcome in outcomes),
    )


async def timed(report: Awaitable[FeedReport]) -> FeedReport:
    """Return a feed's report with the time that it took."""
    began = time.monotonic()
    done = await report
    return done.model_copy(update={"seconds": round(time.monotonic() - began, 1)})


reports = logging.getLogger("copydesk.reports")
reports.addHandler(logging.NullHandler())  # who wants them asks for them
log = logging.getLogger("copydesk.run")


async def finish(
    name: str,
    ctx: RunContext,
    reports: Sequence[FeedReport],
    began: float,
    publish: Publish,
    sent: Sequence[TargetResult] = (),
) -> RunReport:
    """Return the report of a run that began at `began` of the monotonic clock.

    Its lines are logged, whoever has to look at something is told, and `publish` gets it.
    """
    stop = ctx.stop[0] if ctx.stop else None
    report = RunReport(
        flow=name,
        seconds=round(time.monotonic() - began, 2),
        feeds=tuple(reports),
        published=tuple(sent),
        stopped=stop.message if stop else None,
        exit_code=stop.exit_code if stop else 0,
        model=ctx.settings.model or "the offline brief",
        output=str(ctx.settings.output),
        desk=ctx.settings.desk_url,
    )
    _log(ctx, report)
    await _alerted(ctx)
    await publish(report)
    return report


def _log(ctx: RunContext, report: RunReport) -> None:
    about = {"run": ctx.run}
    for feed in report.feeds:
        said = f"{feed.new} new, {len(feed.drafts)} drafted, {len(feed.failed)} failed, {feed.queued} left"
        level = logging.WARNING if feed.error or feed.failed else logging.INFO
        told = feed.error or feed.held or said
        reports.log(level, "%s: %s", report.flow, told, extra=about | {"feed": feed.feed})
    ended = f"ended early: {report.stopped}" if report.stopped else "ended"
    drafts = len(report.drafts)
    reports.info("%s %s after %.1f s, %d drafts", report.flow, ended, report.seconds, drafts, extra=about)


async def _alerted(ctx: RunContext) -> None:
    """Send alerts; that nobody can be reached ends no run."""
    try:
        await ctx.book.flush()
        trouble = await send_alerts(ctx.db, ctx.net, ctx.settings, ctx.feeds, ctx.stop, datetime.now(UTC))
    except DatabaseError as error:
        trouble = error.message
    if trouble:
        log.warning("no alert could be sent: %s", trouble, extra={"run": ctx.run})
