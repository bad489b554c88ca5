"""Articles: how many drafts wait and since when, and what editors decided each day."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from desk.charts import Series, bar, columns
from desk.operations import frame, show
from desk.periods import Period, count_text
from pipeline.domain.days import Day, duration
from pipeline.storage import WaitingDrafts

router = APIRouter()
DECISIONS = {
    "approve": ("Approved", "good"), "reject": ("Rejected", "idle"), "retract": ("Retracted", "bad"),
    "unpublish": ("Unpublished", "warn"),
}  # fmt: skip
AGES = (timedelta(days=1), timedelta(days=3), timedelta(days=7))
"""Ages at which waiting drafts are counted apart. Chosen, not measured."""
AGE_LABELS = (("up to 1 day", "good"), ("1 to 3 days", "a"), ("3 to 7 days", "warn"), ("over 7 days", "bad"))


class WaitingView(NamedTuple):
    """Waiting drafts of a feed."""

    drafts: WaitingDrafts
    numbers: tuple[int, ...]
    """By age, as in AGE_LABELS."""

    def bar(self, highest: int) -> Markup:
        """Return its bar beside the others'."""
        tones = (tone for _, tone in AGE_LABELS)
        return bar(list(zip(tones, self.numbers, strict=True)), highest)


@router.get("/operations/articles")
async def articles(request: Request) -> Response:
    """Show what waits and what was decided."""
    page = await frame(request)
    db, period, now = page.ctx.db, page.period, page.ctx.now
    waiting = await asyncio.to_thread(db.daily.waiting, [now - age for age in AGES])
    decisions = await asyncio.to_thread(db.daily.decisions, period.days)
    views = [waiting_view(each) for each in waiting]
    totals = Counter[str]()
    for counts in decisions.values():
        totals.update(counts)
    return show(
        request,
        page,
        "articles",
        "articles",
        views=views,
        total=sum(each.number for each in waiting),
        oldest=min((each.oldest for each in waiting), default=None),
        highest=max((each.number for each in waiting), default=0),
        ages=AGE_LABELS,
        sums=[sum(view.numbers[at] for view in views) for at in range(len(AGE_LABELS))],
        decisions=DECISIONS,
        totals=totals,
        days=[(day.date, counts) for day, counts in reversed(decisions.items()) if counts.total()],
        chart=decision_columns(period, decisions),
        duration=duration,
    )


def waiting_view(drafts: WaitingDrafts) -> WaitingView:
    """Return the waiting drafts of a feed by age. Pure."""
    cumulative = (drafts.number, *drafts.ages, 0)
    numbers = tuple(younger - older for younger, older in pairwise(cumulative))
    return WaitingView(drafts, numbers)


def decision_columns(period: Period, decisions: Mapping[Day, Counter[str]]) -> Markup:
    """Return the chart of decisions by day. Pure."""
    series: Sequence[Series] = [
        Series(label, tone, [decisions[day][name] for day in period.days])
        for name, (label, tone) in DECISIONS.items()
    ]
    return columns("Decisions by day", [day.date for day in period.days], series, count_text)
