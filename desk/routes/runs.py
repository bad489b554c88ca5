"""Runs: a time line, what each run did, and one run in full."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.charts import Mark, Series, columns, time_line
from desk.operations import frame, show
from desk.periods import Period, count_text
from desk.responses import page_number
from pipeline.domain.days import duration
from pipeline.storage import Database, RunCount, RunRow, RunState

router = APIRouter()
PAGE = 50
"""Runs per page."""
_MAX_MARKS = 1_500
"""Runs that a time line shows: one a minute for a day. Chosen, not measured."""
TONES: dict[RunState, str] = {"done": "good", "stopped": "warn", "lost": "bad", "running": "a"}
BADGES: dict[RunState, str] = {"done": "fine", "stopped": "warn", "lost": "block", "running": ""}
LABELS: dict[RunState, str] = {
    "done": "ended", "stopped": "ended early", "lost": "did not end", "running": "under way"
}  # fmt: skip


class _Listed(NamedTuple):
    counts: list[RunCount]
    marks: list[RunRow]
    rows: list[RunRow]


@router.get("/operations/runs")
async def runs(request: Request) -> Response:
    """Show the runs of a period, the last one first."""
    page = await frame(request)
    ctx, period = page.ctx, page.period
    number = page_number(request)
    listed = await asyncio.to_thread(_list, ctx.db, period, ctx.now, number)
    since, until = _span(period, ctx.now)
    return show(
        request,
        page,
        "runs",
        "runs",
        rows=listed.rows[:PAGE],
        has_more=len(listed.rows) > PAGE,
        number=number,
        counts=by_date(listed.counts),
        labels=LABELS,
        badges=BADGES,
        legend=[(label, TONES[state]) for state, label in LABELS.items()],
        chart=run_columns(period, listed.counts),
        line=run_line(listed.marks[:_MAX_MARKS], since, until, ctx.now, page.zone),
        is_cut=len(listed.marks) > _MAX_MARKS,
        max_marks=_MAX_MARKS,
        span="on this day" if period.is_single else "in the last 24 hours",
        duration=duration,
    )


@router.get("/operations/runs/{name}")
async def run(request: Request, name: str) -> Response:
    """Show what a run did with each feed."""
    page = await frame(request)
    ctx = page.ctx
    row = await asyncio.to_thread(ctx.db.runs.get, name[:100], ctx.now)
    if row is None:
        raise HTTPException(404)
    refs = [ref for feed in row.feeds for ref in feed.drafts]
    named = await asyncio.to_thread(ctx.db.items.by_external_ids, refs)
    calls = row if row.is_reported else await asyncio.to_thread(ctx.db.runs.cost, row, ctx.now)
    return show(
        request,
        page,
        "runs",
        "run",
        run=row,
        calls=calls,
        titles={ref: title for ref, (_, title) in named.items()},
        labels=LABELS,
        badges=BADGES,
        duration=duration,
    )


def _list(db: Database, period: Period, now: datetime, number: int) -> _Listed:
    since, until = _span(period, now)
    return _Listed(
        db.runs.counts(period.days, now),
        db.runs.between(since, until, now, limit=_MAX_MARKS + 1),
        db.runs.between(period.since, period.until, now, limit=PAGE + 1, offset=PAGE * (number - 1)),
    )


def _span(period: Period, now: datetime) -> tuple[datetime, datetime]:
    """Return the bounds of the time line: the chosen day, or the last 24 hours."""
    return (period.since, period.until) if period.is_single else (now - timedelta(days=1), now)


def by_date(counts: Sequence[RunCount]) -> dict[str, Counter[RunState]]:
    """Return the numbers of runs by day and state, the last day first. Pure."""
    days: dict[str, Counter[RunState]] = {}
    for each in sorted(counts, key=lambda each: each.day, reverse=True):
        days.setdefault(f"{each.day.date}", Counter())[each.state] += each.count
    return days


def run_columns(period: Period, counts: Sequence[RunCount]) -> Markup:
    """Return the chart of runs by day and state. Pure."""
    numbers = {(each.day, each.state): each.count for each in counts}
    series = [
        Series(label, TONES[state], [numbers.get((day, state), 0) for day in period.days])
        for state, label in LABELS.items()
    ]
    return columns("Runs by day", [day.date for day in period.days], series, count_text)


def run_line(rows: Sequence[RunRow], since: datetime, until: datetime, now: datetime, zone: tzinfo) -> Markup:
    """Return the time line of runs, a lane for each flow. Pure."""
    marks = [
        Mark(row.began_at, row.ended_at or (now if row.state == "running" else row.began_at), row.flow,
             TONES[row.state], _mark_label(row, zone))
        for row in reversed(rows)
    ]  # fmt: skip
    return time_line("Runs", since.astimezone(zone), until.astimezone(zone), marks)


def _mark_label(row: RunRow, zone: tzinfo) -> str:
    took = f", {duration((row.ended_at - row.began_at).total_seconds())}" if row.ended_at else ""
    began = f"{row.began_at.astimezone(zone):%Y-%m-%d %H:%M}"
    did = f", {row.drafted} drafted, {row.failed} failed" if row.is_reported else ""
    return f"{row.flow}, {began}, {LABELS[row.state]}{took}{did}"
