"""Counts what waits to be drafted: what the next run tries, what waits for a time, what failed before."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from pipeline.domain.models import Window
from pipeline.storage import redraft_requests
from pipeline.storage.engine import chunks
from pipeline.storage.item_counts import item_counts
from pipeline.storage.item_rows import in_window
from pipeline.storage.schema import IS_FAILING, IS_OPEN, OPEN, feeds, items


class FeedBacklog(NamedTuple):
    """The items of a feed that wait to be drafted; each is in one of these counts."""

    queued: int = 0
    """The next run tries them, as for the first time; redrafts that editors requested are among them."""
    waiting: int = 0
    """Their pages could not be had: no run tries them before a time."""
    failed: int = 0
    """Their last attempt failed, and the next run tries them again."""

    @property
    def total(self) -> int:
        """All that wait."""
        return sum(self)


NO_BACKLOG = FeedBacklog()


def count_backlogs(
    connection: sa.Connection,
    now: datetime,
    window: Window | None = None,
) -> dict[str, FeedBacklog]:
    """Return the counts by feed key; feeds of which no item waits are left out.

    `window`: only the items published in it.
    """
    # One statement, so that no item changes its part meanwhile. Most of a long backlog was never tried, and
    # is not read: the first part comes from the numbers by state, the second from an index of few rows.
    parts = sa.union_all(_open(window), _tried(connection, now, window), _requested(window)).subquery()
    query = sa.select(feeds.c.key, parts.c.part, parts.c.number).join(parts, parts.c.feed_id == feeds.c.id)
    by_feed: dict[str, Counter[str]] = defaultdict(Counter)
    for key, part, number in connection.execute(query):
        by_feed[key][part] += int(number)
    backlogs = {key: _backlog(counts) for key, counts in by_feed.items()}
    return {key: backlog for key, backlog in backlogs.items() if backlog.total}


def _backlog(counts: Mapping[str, int]) -> FeedBacklog:
    waiting, failed = counts.get("waiting", 0), counts.get("failed", 0)
    return FeedBacklog(counts.get("open", 0) + counts.get("requested", 0) - waiting - failed, waiting, failed)


def _open(window: Window | None) -> sa.Select[Any]:
    """Return the query that counts the unfinished items of each feed."""
    part = sa.literal("open").label("part")
    if window is None:
        number = sa.func.sum(item_counts.c.number).label("number")
        counted = sa.select(item_counts.c.feed_id, part, number).where(item_counts.c.state.in_(OPEN))
        return counted.group_by(item_counts.c.feed_id)
    number = sa.func.count().label("number")
    counted = sa.select(items.c.feed_id, part, number).where(sa.text(IS_OPEN), *in_window(window))
    return counted.group_by(items.c.feed_id)


def _requested(window: Window | None) -> sa.Select[Any]:
    """Return the query that counts the finished items of each feed of which a redraft is requested."""
    part, number = sa.literal("requested").label("part"), sa.func.count().label("number")
    is_requested = items.c.id.in_(redraft_requests.waiting)
    conditions = (is_requested, items.c.state.not_in(OPEN), *in_window(window))
    return sa.select(items.c.feed_id, part, number).where(*conditions).group_by(items.c.feed_id)


def _tried(connection: sa.Connection, now: datetime, window: Window | None) -> sa.TextualSelect:
    """Return the query that counts the items that were tried: those that wait, and those that failed.

    Only an item with a reason failed: one that is queued anew has none. SQLite, which keeps no statistics
    here, would read every unfinished item.
    """
    hint = "INDEXED BY items_failing" if connection.dialect.name == "sqlite" else ""
    since, until = window or (None, None)
    times = {name: at for name, at in (("now", now), ("since", since), ("until", until)) if at}
    between = (" AND published_at >= :since" if since else "") + (
        " AND published_at < :until" if until else ""
    )
    query = (
        "SELECT feed_id, CASE WHEN retry_at > :now THEN 'waiting' ELSE 'failed' END AS part, "  # noqa: S608
        f"count(*) AS number FROM items {hint} WHERE {IS_FAILING} AND state != 'failed' "
        "AND (retry_at > :now OR attempts > 0) "
        f"AND id NOT IN (SELECT item_id FROM requests WHERE done_at IS NULL){between} GROUP BY 1, 2"
    )
    typed = (sa.bindparam(name, at, type_=items.c.retry_at.type) for name, at in times.items())
    bound = sa.text(query).bindparams(*typed)
    return bound.columns(feed_id=sa.Integer, part=sa.Text, number=sa.Integer)


def waiting_among(connection: sa.Connection, ids: Collection[int]) -> dict[int, str]:
    """Return those of the items that wait to be drafted: `failed`, or `queued` if they were put back."""
    again = sa.case(
        (items.c.id.in_(redraft_requests.waiting), "queued"),
        (sa.and_(items.c.attempts > 0, items.c.reason.is_not(None)), "failed"),
        else_="queued",
    )
    waits = sa.or_(sa.text(IS_OPEN), items.c.id.in_(redraft_requests.waiting))
    result: dict[int, str] = {}
    for chunk in chunks(ids):
        query = sa.select(items.c.id, again).where(items.c.id.in_(chunk), waits)
        result.update({row[0]: row[1] for row in connection.execute(query)})
    return result
