"""The records of a run's report and a backfill's plan, and the end of a run: log lines, alerts, report."""

import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime

from pydantic import Field, computed_field

from pipeline.domain.errors import CopydeskError, DatabaseError, LLMRejected
from pipeline.domain.models import FrozenModel
from pipeline.domain.skip_causes import skip_cause
from pipeline.publishing import TargetResult
from pipeline.services.alerts import send_alerts
from pipeline.services.context import ItemOutcome, PollReport, RunContext
from pipeline.services.estimate import Estimate
from pipeline.services.run_record import record_end
from pipeline.services.skip_notes import skip_notes
from pipeline.services.spending import Spending


class FeedReport(PollReport, Spending):
    """What a run did with one feed: the result of the poll and of drafting."""

    error: str | None = None
    """Why the feed could not be read; the run continues with other feeds."""
    drafts: tuple[str, ...] = ()
    """Paths of the drafts written, relative to the output folder."""
    refs: tuple[str, ...] = ()
    """Their external ids, in the same order."""
    blocked: int = 0
    """Number of drafts with a blocking finding."""
    models: dict[str, int] = Field(default_factory=dict)
    """Number of drafts by the model that wrote them."""
    failed: tuple[str, ...] = ()
    """One line per item: title and reason."""
    causes: dict[str, int] = Field(default_factory=dict)
    """Number of failed items by cause, without what differs from item to item."""
    queued: int = 0
    """Items left in the queue for the next run."""
    seconds: float = 0.0


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

    @computed_field  # type: ignore[prop-decorator] # as pydantic's documentation has it
    @property
    def models(self) -> dict[str, int]:
        """Number of drafts by the model that wrote them."""
        return dict(sum((Counter(feed.models) for feed in self.feeds), Counter()))

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


OFFLINE_BRIEF = "the offline brief"
"""What a report says instead of a model's name."""
Publish = Callable[[RunReport], Awaitable[None]]
"""Publishes a run's report; raises nothing."""


def feed_report(
    key: str, polled: PollReport | None, error: str | None, outcomes: Sequence[ItemOutcome], queued: int
) -> FeedReport:
    """Return the report of one feed from its poll result and the outcomes of its items."""
    drafted = [outcome for outcome in outcomes if outcome.path]
    counts = polled.model_dump(exclude={"feed"}) if polled else {}
    merged = _reasons(outcome for outcome in outcomes if outcome.merged)
    skipped = _reasons(outcome for outcome in outcomes if outcome.skipped and not outcome.merged)
    waiting = _reasons(outcome for outcome in outcomes if outcome.waits)
    counts["merged"] = counts.get("merged", 0) + len(merged)
    counts["skipped"] = counts.get("skipped", 0) + len(skipped)
    switches = dict.fromkeys(note for outcome in outcomes for note in outcome.notes)
    causes = (*skip_notes(skipped), *skip_notes(merged, "merged"), *skip_notes(waiting, "postponed"))
    counts["notes"] = (*counts.get("notes", ()), *causes, *switches)
    return FeedReport(
        feed=key,
        error=error,
        **counts,
        drafts=tuple(outcome.path for outcome in drafted if outcome.path),
        refs=tuple(outcome.ref or "" for outcome in drafted),
        blocked=sum(outcome.held for outcome in drafted),
        models=Counter(outcome.model for outcome in drafted if outcome.model),
        failed=tuple(
            f"{outcome.title}: {outcome.reason}"
            for outcome in outcomes
            if outcome.reason and not (outcome.skipped or outcome.waits)
        ),
        causes=Counter(
            skip_cause(outcome.reason)
            for outcome in outcomes
            if outcome.reason and not (outcome.skipped or outcome.waits)
        ),
        queued=queued,
        **dict(sum(outcomes, Spending())),
    )


def _reasons(outcomes: Iterable[ItemOutcome]) -> list[tuple[str, str]]:
    """Return titles, with the reasons why there is no draft."""
    return [(outcome.title, outcome.reason or "") for outcome in outcomes]


async def timed(report: Awaitable[FeedReport]) -> FeedReport:
    """Return a feed's report with `seconds`, the time it took to make."""
    began = time.monotonic()
    done = await report
    return done.model_copy(update={"seconds": round(time.monotonic() - began, 1)})


reports = logging.getLogger("copydesk.reports")
reports.addHandler(logging.NullHandler())  # silent unless a level is configured
log = logging.getLogger("copydesk.run")


async def finish(
    name: str,
    ctx: RunContext,
    reports: Sequence[FeedReport],
    began: float,
    publish: Publish,
    published: Sequence[TargetResult] = (),
) -> RunReport:
    """Return the report of a run that began at `began` of the monotonic clock, in seconds.

    Logs a line per feed, records the run's end, sends alerts and calls `publish`.
    """
    stopped_by = ctx.fatal_errors[0] if ctx.fatal_errors else None
    report = RunReport(
        flow=name,
        seconds=round(time.monotonic() - began, 2),
        feeds=tuple(reports),
        published=tuple(published),
        stopped=_stopped(stopped_by, sum(feed.queued for feed in reports)) if stopped_by else None,
        exit_code=stopped_by.exit_code if stopped_by else 0,
        model=_model_names(ctx, reports),
        output=str(ctx.settings.output),
        desk=ctx.settings.desk_url,
        warnings=ctx.warnings,
        **dict(ctx.spending()),
    )
    _log(ctx, report)
    await record_end(ctx.db, ctx.run, report)
    await _send_alerts(ctx)
    await publish(report)
    return report


def _stopped(error: CopydeskError, queued: int) -> str:
    """Return why a run ended early; after a refusal of the model server, also that no item is lost."""
    if not isinstance(error, LLMRejected) or not queued:
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


def _log(ctx: RunContext, report: RunReport) -> None:
    about = {"run": ctx.run}
    for feed in report.feeds:
        counts = f"{feed.new} new, {len(feed.drafts)} drafted, {len(feed.failed)} failed, {feed.queued} left"
        level = logging.WARNING if feed.error or feed.failed else logging.INFO
        message = feed.error or feed.held or counts
        reports.log(level, "%s: %s", report.flow, message, extra=about | {"feed": feed.feed})
    ending = f"ended early: {report.stopped}" if report.stopped else "ended"
    drafts = len(report.drafts)
    reports.info("%s %s after %.1f s, %d drafts", report.flow, ending, report.seconds, drafts, extra=about)


async def _send_alerts(ctx: RunContext) -> None:
    """Send alerts; a failure is logged and does not end the run."""
    try:
        await ctx.poll_states.flush()
        error = await send_alerts(
            ctx.db, ctx.net, ctx.settings, ctx.feeds, ctx.fatal_errors, datetime.now(UTC)
        )
    except DatabaseError as failure:
        error = failure.message
    if error:
        log.warning("no alert could be sent: %s", error, extra={"run": ctx.run})
