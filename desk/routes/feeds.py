"""Feeds: their health, how many items they bring, what became of them, and when they are polled next."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.charts import Series, bar, columns
from desk.operations import frame, show
from desk.periods import Period, count_text, share
from pipeline.domain.models import FeedConfig, PollState
from pipeline.feeds.poll_schedule import is_paused
from pipeline.storage import DayItems
from pipeline.storage.daily import MAX_REASONS

router = APIRouter()
OUTCOMES = {
    "drafted": ("Drafted", "a"), "skipped": ("Skipped", "idle"), "merged": ("Merged", "c"),
    "failed": ("Failed", "bad"), "queued": ("Queued", "warn"),
}  # fmt: skip
"""What became of an item: label and colour."""
_OUTCOME_OF = {
    "drafted": "drafted", "approved": "drafted", "rejected": "drafted", "skipped": "skipped",
    "merged": "merged", "failed": "failed", "seen": "queued", "answered": "queued",
}  # fmt: skip
"""By state; items in other states are erased ones."""


class Health(NamedTuple):
    """How a feed is."""

    label: str
    tone: str
    """The badge's class; empty: it is neither good nor bad."""
    rank: int
    """Ill feeds come first."""


class FeedView(NamedTuple):
    """A feed with what its items became."""

    key: str
    name: str
    health: Health
    poll: PollState
    counts: Counter[str]
    """By outcome."""
    a_day: float

    @property
    def total(self) -> int:
        """The number of its items."""
        return sum(self.counts.values())

    @property
    def drafted_share(self) -> str:
        """The share of its items that were drafted."""
        return share(self.counts["drafted"], self.total)

    def bar(self, highest: int) -> Markup:
        """Return its bar beside the others'."""
        return bar([(tone, self.counts[name]) for name, (_, tone) in OUTCOMES.items()], highest)


@router.get("/operations/feeds")
async def feeds(request: Request) -> Response:
    """Show every feed, the ill ones first."""
    page = await frame(request)
    db, period = page.ctx.db, page.period
    items = await asyncio.to_thread(db.daily.items, period.days)
    polls = await asyncio.to_thread(db.feeds.poll_states)
    reasons = await asyncio.to_thread(db.daily.skip_reasons, period.since, period.until)
    views = feed_views(page.subscriptions.feeds, polls, items, period, page.ctx.now)
    return show(
        request,
        page,
        "feeds",
        "feeds",
        views=views,
        highest=max((view.total for view in views), default=0),
        chart=item_columns(period, items),
        days=by_date(items),
        outcomes=OUTCOMES,
        reasons=reasons,
        max_reasons=MAX_REASONS,
        bar=bar,
    )


@router.get("/operations/feeds/{key}")
async def feed(request: Request, key: str) -> Response:
    """Show one feed."""
    page = await frame(request)
    db, period = page.ctx.db, page.period
    polls = await asyncio.to_thread(db.feeds.poll_states)
    if key not in polls:
        raise HTTPException(404)
    items = await asyncio.to_thread(db.daily.items, period.days, key)
    reasons = await asyncio.to_thread(db.daily.skip_reasons, period.since, period.until, key)
    [view] = feed_views(
        [each for each in page.subscriptions.feeds if each.key == key],
        {key: polls[key]},
        items,
        period,
        page.ctx.now,
    )
    states = Counter[str]()
    for each in items:
        states[each.state] += each.number
    return show(
        request,
        page,
        "feeds",
        "feed",
        view=view,
        config=next((each for each in page.subscriptions.feeds if each.key == key), None),
        states=states,
        chart=item_columns(period, items),
        days=by_date(items),
        outcomes=OUTCOMES,
        reasons=reasons,
        max_reasons=MAX_REASONS,
        bar=bar,
    )


def feed_views(
    subscriptions: Sequence[FeedConfig],
    polls: dict[str, PollState],
    items: Sequence[DayItems],
    period: Period,
    now: datetime,
) -> list[FeedView]:
    """Return the feeds, ill ones first, then those with the most items. Pure."""
    counts: dict[str, Counter[str]] = {}
    for each in items:
        if each.state in _OUTCOME_OF:
            counts.setdefault(each.feed, Counter())[_OUTCOME_OF[each.state]] += each.number
    configs = {feed.key: feed for feed in subscriptions}
    views = []
    for key in dict.fromkeys((*configs, *polls)):
        config, poll, own = configs.get(key), polls.get(key, PollState()), counts.get(key, Counter())
        name, health = config.name if config else key, health_of(config, poll, now)
        views.append(FeedView(key, name, health, poll, own, sum(own.values()) / period.length))
    return sorted(views, key=lambda view: (view.health.rank, -view.total, view.key))


def health_of(config: FeedConfig | None, poll: PollState, now: datetime) -> Health:
    """Return how a feed is, by its last polls. Pure."""
    if config is None:
        return Health("not in feeds.yaml any more", "", 5)
    if not config.enabled:
        return Health("switched off", "", 4)
    if poll.retired:
        return Health("gone for good", "block", 0)
    if is_paused(poll):
        return Health(f"paused after {poll.failures} failures in a row", "block", 0)
    if poll.failures:
        return Health(f"failed {_times(poll.failures)} in a row", "warn", 1)
    if poll.last_polled_at is None:
        return Health("not polled yet", "", 3)
    waits = poll.wait_until is not None and poll.wait_until > now
    return Health("its host asked to wait", "warn", 2) if waits else Health("healthy", "fine", 3)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def by_date(items: Sequence[DayItems]) -> dict[str, Counter[str]]:
    """Return the numbers of items by day and outcome, the last day first. Pure."""
    counts: dict[str, Counter[str]] = {}
    for each in items:
        if each.state in _OUTCOME_OF:
            counts.setdefault(f"{each.day.date}", Counter())[_OUTCOME_OF[each.state]] += each.number
    return dict(sorted(counts.items(), reverse=True))


def item_columns(period: Period, items: Sequence[DayItems]) -> Markup:
    """Return the chart of items by day and outcome. Pure."""
    counts = by_date(items)
    none: Counter[str] = Counter()
    series = [
        Series(label, tone, [counts.get(f"{day.date}", none)[name] for day in period.days])
        for name, (label, tone) in OUTCOMES.items()
    ]
    return columns("Items by day", [day.date for day in period.days], series, count_text)
