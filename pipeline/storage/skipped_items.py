"""Stores the items of a poll that are not to be drafted, with the reasons."""

from collections.abc import Sequence
from typing import TypeVar

import sqlalchemy as sa

from pipeline.domain.models import Item
from pipeline.storage.duplicate_groups import queue_duplicate
from pipeline.storage.feeds import FeedRow
from pipeline.storage.item_rows import NOT_TRIED, Columns, add_rows, by_guid
from pipeline.storage.notices import SourceNotice, Subjects, set_notice
from pipeline.storage.schema import items

Reason = TypeVar("Reason")


def add_skipped(
    connection: sa.Connection,
    feed: FeedRow,
    skipped: Sequence[tuple[Item, str]],
    notices: list[SourceNotice],
) -> int:
    """Store items that are not to be drafted, with the reasons; returns how many are skipped anew.

    One that withdraws a stored item adds a notice about that to `notices`. A reserved one that waits for its
    draft is skipped, too.
    """
    fresh = not_stored(connection, feed, skipped)
    subjects = Subjects(connection, feed.id)
    for item, _ in fresh:
        if subject := subjects.find(item):
            notices += filter(None, [set_notice(connection, *subject)])
    rows: list[tuple[Item, Columns]] = [
        (item, {"state": "skipped", "reason": reason}) for item, reason in fresh
    ]
    new = {item.guid for item, _ in fresh}
    reserved = [each for each in skipped if each[0].reserved and each[0].guid not in new]
    return len(add_rows(connection, feed, rows)) + sum(_reserve(connection, feed, *each) for each in reserved)


def _reserve(connection: sa.Connection, feed: FeedRow, item: Item, reason: str) -> bool:
    """Skip an item that waits; a duplicate in another feed is queued in its place."""
    waits = (items.c.state.in_(("seen", "failed")), items.c.lease_owner.is_(None))
    this = sa.select(items.c.id).where(items.c.feed_id == feed.id, items.c.guid == item.guid, *waits)
    if (item_id := connection.scalar(this.with_for_update())) is None:
        return False
    changed = {"state": "skipped", "reason": reason, "owned_canonical": None, **NOT_TRIED}
    connection.execute(items.update().where(items.c.id == item_id).values(**changed))
    queue_duplicate(connection, item_id, items.c.feed_id != feed.id)
    return True


def not_stored(
    connection: sa.Connection, feed: FeedRow, entries: Sequence[tuple[Item, Reason]]
) -> list[tuple[Item, Reason]]:
    """Return the items that are not stored, each guid once."""
    stored = by_guid(connection, feed.id, [item.guid for item, _ in entries])
    once = {item.guid: (item, reason) for item, reason in reversed(entries)}
    return [entry for guid, entry in reversed(once.items()) if guid not in stored]
