"""Checks: findings that wait, by kind, and how often editors dismissed findings as wrong."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.charts import bar
from desk.finding_views import kind_label
from desk.operations import frame, show
from desk.periods import share
from pipeline.storage import NO_TIME, KindOutcomes, OpenFindings

router = APIRouter()


class KindView(NamedTuple):
    """A kind of finding."""

    kind: str
    label: str
    blocks: int
    warns: int
    drafts: int
    outcomes: KindOutcomes

    @property
    def alarm_share(self) -> str:
        """The share of false alarms in the decided findings."""
        return share(self.outcomes.false_alarms, self.outcomes.decided)


@router.get("/operations/checks")
async def checks(request: Request) -> Response:
    """Show the kinds of findings."""
    page = await frame(request)
    db, period, has_times = page.ctx.db, page.period, page.ctx.settings.review_times
    waiting = await asyncio.to_thread(db.finding_counts.open)
    since = period.since if has_times else NO_TIME
    ended = await asyncio.to_thread(db.findings.outcomes, since, period.until)
    views = kind_views(waiting.kinds, ended)
    decided = sum(view.outcomes.decided for view in views)
    alarms = sum(view.outcomes.false_alarms for view in views)
    return show(
        request,
        page,
        "checks",
        "checks",
        views=views,
        has_times=has_times,
        held=waiting.held,
        warned=waiting.warned,
        blocks=sum(view.blocks for view in views),
        warns=sum(view.warns for view in views),
        decided=decided,
        alarms=alarms,
        alarm_share=share(alarms, decided),
        most_open=max((view.blocks + view.warns for view in views), default=0),
        most_decided=max((view.outcomes.decided for view in views), default=0),
        bar=bar,
    )


def kind_views(waiting: Sequence[OpenFindings], ended: Sequence[KindOutcomes]) -> list[KindView]:
    """Return the kinds that were found or decided, those with the most findings first. Pure."""
    by_kind = {each.kind: each for each in waiting}
    outcomes = {each.kind: each for each in ended}
    views = []
    for kind in by_kind.keys() | outcomes.keys():
        counts = by_kind.get(kind, OpenFindings(kind, 0, 0, 0))
        ends = outcomes.get(kind, KindOutcomes(kind=kind, dismissed={}))
        views.append(KindView(kind, kind_label(kind), counts.blocks, counts.warns, counts.drafts, ends))
    return sorted(views, key=lambda view: (-view.blocks - view.warns - view.outcomes.decided, view.kind))
