"""Rereading: an item's text as a later version of the reader makes it, which is no change of the source."""

from collections.abc import Sequence

import sqlalchemy as sa

from pipeline.domain.models import Item
from pipeline.storage.engine import Row, chunks
from pipeline.storage.item_rows import Columns
from pipeline.storage.schema import items


def reread_items(connection: sa.Connection, feed_id: int, current: Sequence[Item]) -> None:
    """Replace the texts and hashes of a feed's stored items, and nothing else about them."""
    by_guid = {item.guid: item for item in current}
    for chunk in chunks(by_guid):
        query = sa.select(items).where(items.c.feed_id == feed_id, items.c.guid.in_(chunk))
        for row in connection.execute(query).all():
            reread(connection, row, by_guid[row.guid])


def reread(connection: sa.Connection, row: Row, item: Item) -> None:
    """Replace a stored item's text and hash by those of `item`; a leased item is left as it is.

    The holder of a lease stores the text that it began with; a later poll finds the version again.
    """
    this = sa.and_(items.c.id == row.id, items.c.lease_owner.is_(None))
    connection.execute(items.update().where(this).values(**_columns(row, item)))


def _columns(row: Row, item: Item) -> Columns:
    """Return the columns that change: those of the source as its feed had it last."""
    if row.updated_hash is not None:
        changed: Columns = {"updated_hash": item.content_hash}
        if row.updated_payload is not None and not item.reserved:
            changed["updated_payload"] = _with_text(Item.model_validate_json(row.updated_payload), item)
        return changed
    changed = {"content_hash": item.content_hash}
    if item.reserved:  # the text that was free when it was read stays
        return changed
    stored = Item.model_validate_json(row.payload)
    if stored.content_hash == row.content_hash:  # else it is the text of its page
        changed["payload"] = _with_text(stored, item)
        if row.path is None:  # else it is the headline of its draft
            changed["title"] = item.title
    return changed


_FIELDS = ("title", "text", "summary", "reader", "credit", "rights", "excerpt")
"""What the reader makes of an entry's title and texts."""


def _with_text(stored: Item, item: Item) -> str:
    read = {name: getattr(item, name) for name in _FIELDS}
    return stored.model_copy(update=read).model_dump_json()
