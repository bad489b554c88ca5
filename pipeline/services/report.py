"""The records of a run's report and a backfill's plan, and the end of a run: log lines, alerts, report."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime

from pydantic import Field, computed_field

from pipeline.domain.errors import BudgetExceeded, CopydeskError, DatabaseError, LLMRejected
from pipeline.domain.models import FrozenModel
from pipeline.domain.run_events import cap_event
from pipeline.publishing import TargetResult
from pipeline.services.alerts import send_alerts
from pipeline.services.causes import RunCause, causes_of_run
from pipeline.services.context import RunContext
from pipeline.services.estimate import Estimate
from pipeline.services.feed_report import FeedReport
from pipeline.services.run_record import record_end
from pipeline.services.spending import Spending
from pipeline.storage import NO_BACKLOG


class RunReport(Spending):
    """What a run did, and what all its model calls cost."""

    flow: str
    seconds: float
    feeds: tuple[FeedReport, ...]
    published: tuple[TargetResult, ...] = ()
    """Results of the publish targets that had pending actions."""
    stopped: str | None = None
    """Why the run ended early; None if it did not."""
    exit_code: int = 0
    model: str
    """Names of the models that wrote, or that would have written; `the offline brief` without a model."""
    output: str
    desk: str
    """URL of the review desk."""
    warnings: tuple[str, ...] = ()
    """What feeds.yaml should have otherwise, a line each."""
    beats: tuple[str, ...] = Field(default=(), exclude=True)
    """Of its feeds."""
    alert_error: str | None = None
    """Why alerts of this run did not arrive."""

    @computed_field  # type: ignore[prop-decorator] # as pydantic's documentation has it
    @property
    def models(self) -> dict[str, int]:
        """Number of drafts by the model that wrote them."""
        return dict(sum((Counter(feed.models) for feed in self.feeds), Counter()))

    @computed_field  # type: ignore[prop-decorator]
    @property
    def causes(self) -> tuple[RunCause, ...]:
        """Why items of all feeds failed or wait, those of most items first."""
        return causes_of_run((feed.feed, feed.causes) for feed in self.feeds)

    @property
    def drafts(self) -> tuple[str, ...]:
        """Paths of all drafts written."""
        return tuple(path for feed in self.feeds for path in feed.drafts)


class PlannedItem(FrozenModel):
    """An item that a backfill will draft."""

    title: str
    published: str
    """ISO 8601."""
    link: str | None
    why: str
    """`new`, or `queued` if it was admitted before."""


class Plan(FrozenModel):
    """What a backfill will draft."""

    items: tuple[PlannedItem, ...]
    left: int
    """Number of items over the limit."""
    estimate: Estimate
    notes: tuple[str, ...]
    """Remarks for the user: pages not read, daily limits."""


ALL_FAILED = 8
"""Exit code of a run in which every item that was tried failed, or every feed."""
OFFLINE_BRIEF = "the offline brief"
"""What a report says instead of a model's name."""
Publish = Callable[[RunReport], Awaitable[None]]
"""Publishes a run's report; raises nothing."""


async def timed(report: Awaitable[FeedReport]) -> FeedReport:
    """Return a feed's report with `seconds`, the time it took to make."""
    began = time.monotonic()
    done = await report
    return done.model_copy(update={"seconds": round(time.monotonic() - began, 1)})


reports = logging.getLogger("copydesk.reports")
log = logging.getLogger("copydesk.run")


async def finish(
    ctx: RunContext,
    reports: Sequence[FeedReport],
    began: float,
    publish: Publish,
    published: Sequence[TargetResult] = (),
) -> RunReport:
    """Return the report of a run that began at `began` of the monotonic clock, in seconds.

    Logs a line per feed where COPYDESK_LOG is set, records the run's end, sends alerts and calls `publish`.
    """
    stopped_by = ctx.fatal_errors[0] if ctx.fatal_errors else None
    counted = await _counted(ctx, reports) if ctx.flow != "requests" else tuple(reports)
    report = RunReport(
        flow=ctx.flow,
        seconds=round(time.monotonic() - began, 2),
        feeds=counted,
        published=tuple(published),
        stopped=_stopped(stopped_by, sum(feed.queued for feed in counted)) if stopped_by else None,
        exit_code=stopped_by.exit_code if stopped_by else exit_code(counted),
        model=_model_names(ctx, counted),
        output=str(ctx.settings.output),
        desk=ctx.settings.desk_url,
        warnings=ctx.warnings,
        beats=_beats(ctx, {feed.feed for feed in reports}),
        **dict(ctx.spending()),
    )
    _log(ctx, report)
    if isinstance(stopped_by, BudgetExceeded):
        ctx.emit(cap_event(str(stopped_by.context.get("cap")), stopped_by.message))
    report = report.model_copy(update={"alert_error": await _send_alerts(ctx)})
    await record_end(ctx.db, ctx.run, report)
    await publish(report)
    return report


async def _counted(ctx: RunContext, reports: Sequence[FeedReport]) -> tuple[FeedReport, ...]:
    """Return the reports with what waits now: at the end of a run, failed items of any feed are put back."""
    tried = {each.id for feed in reports for each in feed.failures if each.id is not None}
    windows = {feed.window for feed in reports}

    def count() -> list[FeedReport]:
        left = ctx.db.items.waiting_among(tried) if tried else {}
        backlogs = {window: ctx.db.items.backlogs(ctx.clock(), window=window) for window in windows}
        return [feed.counted(backlogs[feed.window].get(feed.feed, NO_BACKLOG), left) for feed in reports]

    try:
        return tuple(await asyncio.to_thread(count))
    except DatabaseError:
        return tuple(reports)  # as this run saw it; the database's error is in the report


def exit_code(feeds: Sequence[FeedReport]) -> int:
    """Return the exit code of a run that came to its end: 0, or that all items or all feeds failed. Pure."""
    done = any(feed.drafts or feed.left_out for feed in feeds)
    failed = any(feed.failed for feed in feeds) and not done
    unread = bool(feeds) and all(feed.error and not feed.drafts for feed in feeds)
    return ALL_FAILED if failed or unread else 0


def _stopped(error: CopydeskError, queued: int) -> str:
    """Return why a run ended early; after a refusal or at a cap, also that no item is lost."""
    if not isinstance(error, LLMRejected | BudgetExceeded) or not queued:
        return error.message
    return f"{error.message}; {queued} {'item stays' if queued == 1 else 'items stay'} queued"


def _model_names(ctx: RunContext, reports: Sequence[FeedReport]) -> str:
    """Return the names of the models that wrote; where none did, of the writers of the run's feeds."""
    models = sorted({model for feed in reports for model in feed.models})
    if not models:
        keys = {feed.feed for feed in reports}
        feeds = [feed for feed in ctx.feeds if (feed.key in keys if keys else feed.enabled)]
        writers = (writer for feed in feeds for writer in ctx.writers(feed)[:1])
        models = list(dict.fromkeys(writer.client.model for writer in writers))
    return " and ".join(models) or OFFLINE_BRIEF


def _beats(ctx: RunContext, keys: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(feed.beat for feed in ctx.feeds if feed.key in keys))


def _log(ctx: RunContext, report: RunReport) -> None:
    """Log a line per feed where COPYDESK_LOG is set; Prefect's lines of failed tasks say the same."""
    if not ctx.settings.log:
        return
    about = {"run": ctx.run}
    for feed in report.feeds:
        counts = (
            f"{feed.new} new, {len(feed.drafts)} drafted, {len(feed.failed)} failed, {feed.waiting} waiting, "
            f"{feed.queued} queued"
        )
        level = logging.WARNING if feed.error or feed.failed else logging.INFO
        message = feed.error or feed.held or counts
        reports.log(level, "%s: %s", report.flow, message, extra=about | {"feed": feed.feed})
    ending = f"ended early: {report.stopped}" if report.stopped else "ended"
    drafts = len(report.drafts)
    reports.info("%s %s after %.1f s, %d drafts", report.flow, ending, report.seconds, drafts, extra=about)


async def _send_alerts(ctx: RunContext) -> str | None:
    """Send alerts; return why they did not arrive, which does not end the run."""
    try:
        await ctx.poll_states.flush()
        error = await send_alerts(
            ctx.db, ctx.net, ctx.settings, ctx.feeds, ctx.fatal_errors, datetime.now(UTC)
        )
    except DatabaseError as failure:
        error = failure.message
    if error:
        log.warning("no alert could be sent: %s", error, extra={"run": ctx.run})
    return error
