"""Feeds: their health, how many items they bring, what became of them, and when they are polled next."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
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
from pipeline.storage import NO_BACKLOG, Database, DayItems, FeedBacklog
from pipeline.storage.daily import MAX_REASONS

router = APIRouter()
_OTHERS = {
    "skipped": ("Skipped", "idle"), "merged": ("Merged", "c"), "failed": ("Given up", "bad"),
    "open": ("Not drafted yet", "warn"),
}  # fmt: skip
OUTCOMES = {"drafted": ("Drafted", "a"), **_OTHERS}
"""What became of an item: label and colour."""
STATES = {
    "drafted": ("Wait for an editor", "a"), "approved": ("Approved", "good"), "rejected": ("Rejected", "d"),
    **_OTHERS,
}  # fmt: skip
"""The same, with what editors decided."""
_STATE_OF = {
    "drafted": "drafted", "approved": "approved", "rejected": "rejected", "skipped": "skipped",
    "merged": "merged", "failed": "failed", "seen": "open", "answered": "open",
}  # fmt: skip
"""By an item's state; items in other states are erased ones."""
_OUTCOME_OF = {**_STATE_OF, "approved": "drafted", "rejected": "drafted"}


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
    backlog: FeedBacklog
    """What is not drafted yet, whatever its date."""

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
    polls, backlogs = await asyncio.to_thread(read_feeds, db, page.ctx.now)
    reasons = await asyncio.to_thread(db.daily.skip_reasons, period.since, period.until)
    views = feed_views(page.subscriptions.feeds, polls, backlogs, items, period, page.ctx.now)
    return show(
        request,
        page,
        "feeds",
        "feeds",
        views=views,
        highest=max((view.total for view in views), default=0),
        chart=item_columns(period, by_date(items, _OUTCOME_OF), OUTCOMES),
        days=by_date(items, _OUTCOME_OF),
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
    polls, backlogs = await asyncio.to_thread(read_feeds, db, page.ctx.now)
    configs = [each for each in page.subscriptions.feeds if each.key == key]
    if not configs and key not in polls:
        raise HTTPException(404)
    items = await asyncio.to_thread(db.daily.items, period.days, key)
    reasons = await asyncio.to_thread(db.daily.skip_reasons, period.since, period.until, key)
    waiting = await asyncio.to_thread(db.daily.waiting)
    own = {key: polls.get(key, PollState())}
    [view] = feed_views(configs, own, backlogs, items, period, page.ctx.now)
    days = by_date(items, _STATE_OF)
    return show(
        request,
        page,
        "feeds",
        "feed",
        view=view,
        config=configs[0] if configs else None,
        waiting=sum(each.number for each in waiting if each.feed == key),
        states=sum(days.values(), Counter[str]()),
        chart=item_columns(period, days, STATES),
        days=days,
        outcomes=STATES,
        reasons=reasons,
        max_reasons=MAX_REASONS,
        bar=bar,
    )


def read_feeds(db: Database, now: datetime) -> tuple[dict[str, PollState], dict[str, FeedBacklog]]:
    """Return the polls of all feeds, and what is not drafted yet, counted as `copydesk status` does."""
    rows, backlogs = db.feeds.status(), db.items.backlogs(now)
    polls, counts = {}, {}
    for row in rows:
        backlog = backlogs.get(row.key, NO_BACKLOG)
        polls[row.key] = row.poll
        counts[row.key] = backlog._replace(failed=backlog.failed + row.counts.get("failed", 0))
    return polls, counts


def feed_views(
    subscriptions: Sequence[FeedConfig],
    polls: Mapping[str, PollState],
    backlogs: Mapping[str, FeedBacklog],
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
        a_day, backlog = sum(own.values()) / period.length, backlogs.get(key, NO_BACKLOG)
        views.append(FeedView(key, name, health, poll, own, a_day, backlog))
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


def by_date(items: Sequence[DayItems], names: Mapping[str, str]) -> dict[str, Counter[str]]:
    """Return the numbers of items by day and what became of them, the last day first. Pure.

    `names` has what became of an item by its state.
    """
    counts: dict[str, Counter[str]] = {}
    for each in items:
        if each.state in names:
            counts.setdefault(f"{each.day.date}", Counter())[names[each.state]] += each.number
    return dict(sorted(counts.items(), reverse=True))


def item_columns(
    period: Period, counts: Mapping[str, Counter[str]], names: Mapping[str, tuple[str, str]]
) -> Markup:
    """Return the chart of items by day and what became of them, with their labels and colours. Pure."""
    none: Counter[str] = Counter()
    series = [
        Series(label, tone, [counts.get(f"{day.date}", none)[name] for day in period.days])
        for name, (label, tone) in names.items()
    ]
    return columns("Items by day", [day.date for day in period.days], series, count_text)
