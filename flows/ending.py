"""How a run ends: its report as an artifact, its lines in the log, alerts."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
from prefect.artifacts import acreate_markdown_artifact
from prefect.exceptions import PrefectException

from flows.report import FeedReport, RunReport, markdown
from pipeline.alerting import alert
from pipeline.errors import LedgerError
from pipeline.publish import Outcome
from pipeline.work import Newsroom

reports = logging.getLogger("copydesk.reports")
reports.addHandler(logging.NullHandler())  # who wants them asks for them
log = logging.getLogger("copydesk.run")


async def publish_report(
    name: str, room: Newsroom, reports: list[FeedReport], seconds: float, sent: Sequence[Outcome] = ()
) -> dict[str, Any]:
    """Keep the run's report as an artifact and return it as JSON; tell whoever has to look at something."""
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
        desk=room.settings.desk_url,
    )
    _log(room, report)
    await _alerted(room)
    await _kept(name, report)
    return report.model_dump(mode="json")


async def _kept(name: str, report: RunReport) -> None:
    """Keep a report on Prefect's page; that its server is away undoes nothing of the run."""
    try:
        await acreate_markdown_artifact(markdown(report), key=f"{name}-report", description="Run report")
    except (httpx.HTTPError, PrefectException) as error:
        log.warning("the report could not be kept: %s", error)


def _log(room: Newsroom, report: RunReport) -> None:
    about = {"run": room.run}
    for feed in report.feeds:
        said = f"{feed.new} new, {len(feed.drafts)} drafted, {len(feed.failed)} failed, {feed.queued} left"
        level = logging.WARNING if feed.error or feed.failed else logging.INFO
        told = feed.error or feed.held or said
        reports.log(level, "%s: %s", report.flow, told, extra=about | {"feed": feed.feed})
    ended = f"ended early: {report.stopped}" if report.stopped else "ended"
    drafts = len(report.drafts)
    reports.info("%s %s after %.1f s, %d drafts", report.flow, ended, report.seconds, drafts, extra=about)


async def _alerted(room: Newsroom) -> None:
    """Send alerts; that nobody can be reached ends no run."""
    try:
        await room.book.flush()
        trouble = await alert(room.ledger, room.net, room.settings, room.feeds, room.stop, datetime.now(UTC))
    except LedgerError as error:
        trouble = error.message
    if trouble:
        log.warning("no alert could be sent: %s", trouble, extra={"run": room.run})
