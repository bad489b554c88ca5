"""Counts by calendar day: costs of calls, items by feed and state, decisions of editors.

Each day is a query over an index that has all it needs, so that the size of the database does not count.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from pipeline.domain.days import Day
from pipeline.domain.reviews import ReviewDecision
from pipeline.domain.skip_causes import MAX_TITLES, NO_REASON, skip_cause
from pipeline.storage.engine import Transactions
from pipeline.storage.open_findings import indexed_drafts
from pipeline.storage.schema import calls, feeds, items, verdicts

MAX_REASONS = 5_000
"""Skipped items whose reasons are read, the latest.

Source: benchmarks/pages.py; each is a row at a place of its own, and 20,000 took 80 ms of processor time.
"""


class DayCost(NamedTuple):
    """What the calls of a day to a model about a feed's items cost."""

    day: Day
    model: str
    feed: str
    """Key; empty for a feed that is gone."""
    calls: int
    unpriced: int
    """Calls whose price is not known."""
    micros: int
    """Millionths of a US dollar, of the others."""


class DayItems(NamedTuple):
    """How many items a feed dated on a day, by their state now."""

    day: Day
    feed: str
    state: str
    number: int


class SkipReason(NamedTuple):
    """How many items were skipped for one reason."""

    reason: str
    number: int
    titles: tuple[str, ...]
    """The latest ones, where they were read."""


class WaitingDrafts(NamedTuple):
    """Drafts of a feed that wait for an editor."""

    feed: str
    number: int
    oldest: datetime
    """When the longest waiting one began to wait."""
    ages: tuple[int, ...]
    """Number of those that wait since before each of the moments asked for, cumulative."""


class DailyRepository(Transactions):
    """Counts what happened on each of some days."""

    def costs(self, days: Sequence[Day]) -> list[DayCost]:
        """Return the costs of the calls of these days."""
        with self._reading() as connection:
            keys = _feed_keys(connection)
            return [
                DayCost(day, row.model, keys.get(row.feed_id, ""), *map(int, row[2:]))
                for day, row in by_day(connection, _COSTS, days)
            ]

    def items(self, days: Sequence[Day], feed: str | None = None) -> list[DayItems]:
        """Return the numbers of the items that are dated on these days; with `feed`, a key, its own."""
        with self._reading() as connection:
            keys = _feed_keys(connection)
            numbers = [number for number, key in keys.items() if key == feed]
            # `+ 0` keeps the databases from the index of the feed, which is not ordered by day.
            query = _ITEMS if feed is None else _ITEMS.where((items.c.feed_id + 0).in_(numbers))
            rows = by_day(connection, query, days)
            return [DayItems(day, keys[row[0]], row[1], row[2]) for day, row in rows]

    def skip_reasons(self, since: datetime, until: datetime, feed: str | None = None) -> list[SkipReason]:
        """Return why items dated in [since, until) were skipped, the most frequent reason first.

        Of more than MAX_REASONS skipped items the latest count. With `feed`, a key: its items alone, and
        titles.
        """
        skipped = sa.and_(items.c.state == "skipped", items.c.published_at >= since)
        query = sa.select(items.c.reason, items.c.title if feed else sa.literal("")).where(
            skipped, items.c.published_at < until
        )
        with self._reading() as connection:
            if feed is not None:
                number = connection.scalar(sa.select(feeds.c.id).where(feeds.c.key == feed))
                query = query.where(items.c.feed_id == (number or 0))
            rows = connection.execute(query.order_by(items.c.published_at.desc()).limit(MAX_REASONS))
            return _by_cause(rows)

    def decisions(self, days: Sequence[Day]) -> dict[Day, Counter[str]]:
        """Return the numbers of decisions of each day that were not undone, by kind."""
        counts: dict[Day, Counter[str]] = {day: Counter() for day in days}
        if not days:
            return counts
        with self._reading() as connection:
            for day, row in by_day(connection, _DECISIONS, days):
                counts[day][row.decision] += row.number
            undone = connection.execute(_UNDONE, {"since": days[0].since}).all()
        for row in undone:
            for day in days:
                if day.since <= row.at < day.until:
                    counts[day][row.decision] -= 1
        return counts

    def waiting(self, moments: Sequence[datetime] = ()) -> list[WaitingDrafts]:
        """Return the waiting drafts of each feed, the longest waiting first."""
        with self._reading() as connection:
            joined, draft = indexed_drafts(connection)
            since = draft.c.since
            ages = [sa.func.sum(sa.case((since < moment, 1), else_=0)) for moment in moments]
            columns = (items.c.feed_id, sa.func.count(), sa.func.min(since, type_=since.type), *ages)
            query = sa.select(*columns).select_from(joined).where(items.c.state == "drafted")
            rows = connection.execute(query.group_by(items.c.feed_id)).all()
            keys = _feed_keys(connection)
        drafts = [WaitingDrafts(keys[row[0]], row[1], row[2], tuple(map(int, row[3:]))) for row in rows]
        return sorted(drafts, key=lambda each: each.oldest)


def by_day(
    connection: sa.Connection, query: sa.Select[Any], days: Sequence[Day]
) -> Iterator[tuple[Day, sa.Row[Any]]]:
    """Yield the rows of a query with the parameters `since` and `until`, for each day."""
    for day in days:
        for row in connection.execute(query, {"since": day.since, "until": day.until}):
            yield day, row


def _within(column: sa.Column[datetime]) -> sa.ColumnElement[bool]:
    since, until = sa.bindparam("since", type_=column.type), sa.bindparam("until", type_=column.type)
    return sa.and_(column >= since, column < until)


def _feed_keys(connection: sa.Connection) -> dict[int, str]:
    return {row.id: row.key for row in connection.execute(sa.select(feeds.c.id, feeds.c.key))}


def _by_cause(rows: sa.CursorResult[Any]) -> list[SkipReason]:
    counts: Counter[str] = Counter()
    titles: dict[str, list[str]] = {}
    for reason, title in rows:
        cause = skip_cause(reason or NO_REASON)
        counts[cause] += 1
        shown = titles.setdefault(cause, [])
        if title and len(shown) < MAX_TITLES:
            shown.append(title)
    return [SkipReason(cause, count, tuple(titles[cause])) for cause, count in counts.most_common()]


_UNPRICED = sa.func.sum(sa.case((calls.c.micros.is_(None), 1), else_=0))
_COSTS = (
    sa.select(
        calls.c.model,
        calls.c.feed_id,
        sa.func.count(),
        _UNPRICED,
        sa.func.coalesce(sa.func.sum(calls.c.micros), 0),
    )
    .where(_within(calls.c.at))
    .group_by(calls.c.model, calls.c.feed_id)
)
_ITEMS = (
    sa.select(items.c.feed_id, items.c.state, sa.func.count().label("number"))
    .where(_within(items.c.published_at))
    .group_by(items.c.feed_id, items.c.state)
)
_DECISIONS = (
    sa.select(verdicts.c.decision, sa.func.count().label("number"))
    .where(_within(verdicts.c.at))
    .group_by(verdicts.c.decision)
)
_undoing = verdicts.alias()
_UNDONE = (
    sa.select(verdicts.c.at, verdicts.c.decision)
    .join(_undoing, _undoing.c.undoes == verdicts.c.id)
    .where(
        _undoing.c.decision == ReviewDecision.UNDO.value,
        _undoing.c.at >= sa.bindparam("since", type_=verdicts.c.at.type),
    )
)
