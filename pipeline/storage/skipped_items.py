"""Stores the items of a poll that are not to be drafted, with the reasons."""

from collections.abc import Sequence
from typing import TypeVar

import sqlalchemy as sa

from pipeline.domain.models import Item
from pipeline.storage.duplicate_groups import queue_duplicate
from pipeline.storage.feeds import FeedRow
from pipeline.storage.item_rows import NOT_TRIED
from pipeline.storage.notices import SourceNotice, Subjects, set_notice
from pipeline.storage.schema import items
from pipeline.storage.stored_keys import StoredKeys

Reason = TypeVar("Reason")


def note_skipped(connection: sa.Connection, feed: FeedRow, skipped: Sequence[Item]) -> list[SourceNotice]:
    """Store that skipped items withdraw stored ones; returns what is new."""
    subjects = Subjects(connection, feed.id)
    about = filter(None, map(subjects.find, skipped))
    return [notice for subject in about if (notice := set_notice(connection, *subject))]


def skip_reserved(
    connection: sa.Connection, feed: FeedRow, skipped: Sequence[tuple[Item, str]], fresh: Sequence[Item]
) -> int:
    """Skip the reserved items that wait for their drafts, with the reasons; return how many.

    `fresh` are those that were not stored before.
    """
    new = {item.guid for item in fresh}
    reserved = [each for each in skipped if each[0].reserved and each[0].guid not in new]
    return sum(_reserve(connection, feed, *each) for each in reserved)


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
    feed: FeedRow, entries: Sequence[tuple[Item, Reason]], stored: StoredKeys
) -> list[tuple[Item, Reason]]:
    """Return the items that are not stored, each guid once; they are added to `stored`."""
    once = {item.guid: (item, reason) for item, reason in reversed(entries)}
    fresh = [entry for guid, entry in reversed(once.items()) if not stored.has_guid(feed, guid)]
    for item, _ in fresh:
        stored.add_guid(feed, item.guid)
    return fresh
