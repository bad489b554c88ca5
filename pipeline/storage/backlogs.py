"""Counts what waits to be drafted: what the next run tries, what waits for a time, what failed before."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.domain.models import Window
from pipeline.storage import redraft_requests
from pipeline.storage.engine import chunks
from pipeline.storage.item_rows import in_window
from pipeline.storage.schema import IS_OPEN, feeds, items


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
    keys: Collection[str] | None = None,
    window: Window | None = None,
) -> dict[str, FeedBacklog]:
    """Return the counts by feed key; feeds of which no item waits are left out.

    `keys`: only of these feeds; `window`: only the items published in it.
    """
    # A union, so that each part uses its own index; the partial index needs its condition verbatim.
    columns = (items.c.id, items.c.feed_id, _kind(now).label("kind"))
    unfinished = sa.select(*columns).where(sa.text(IS_OPEN), *in_window(window))
    requested = sa.select(*columns).where(items.c.id.in_(redraft_requests.waiting), *in_window(window))
    both = sa.union(unfinished, requested).subquery()
    query = (
        sa.select(feeds.c.key, both.c.kind, sa.func.count())
        .select_from(feeds.join(both, both.c.feed_id == feeds.c.id))
        .group_by(feeds.c.key, both.c.kind)
    )
    if keys is not None:
        query = query.where(feeds.c.key.in_(keys))
    counts: dict[str, FeedBacklog] = {}
    for key, kind, count in connection.execute(query):
        counts[key] = counts.get(key, NO_BACKLOG)._replace(**{kind: count})
    return counts


def _kind(now: datetime) -> sa.ColumnElement[str]:
    """Return the name of the count in which an item is."""
    requested = items.c.id.in_(redraft_requests.waiting)
    return sa.case(
        (requested, "queued"),
        (items.c.retry_at > now, "waiting"),
        (items.c.attempts > 0, "failed"),
        else_="queued",
    )


def waiting_among(connection: sa.Connection, ids: Collection[int]) -> dict[int, str]:
    """Return those of the items that wait to be drafted: `failed`, or `queued` if they were put back."""
    again = sa.case(
        (items.c.id.in_(redraft_requests.waiting), "queued"),
        (items.c.attempts > 0, "failed"),
        else_="queued",
    )
    waits = sa.or_(sa.text(IS_OPEN), items.c.id.in_(redraft_requests.waiting))
    result: dict[int, str] = {}
    for chunk in chunks(ids):
        query = sa.select(items.c.id, again).where(items.c.id.in_(chunk), waits)
        result.update({row[0]: row[1] for row in connection.execute(query)})
    return result
