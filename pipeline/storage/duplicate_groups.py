"""Duplicate groups: items with the same text, found by bands of MinHash signatures, confirmed by text."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.domain.models import Item
from pipeline.domain.near_duplicates import MAX_GAP, is_near_duplicate, is_same_item, is_same_page
from pipeline.storage.engine import Row, chunks
from pipeline.storage.findings import add_finding
from pipeline.storage.item_outcomes import CORRECTION
from pipeline.storage.records import Sibling, duplicate_finding
from pipeline.storage.schema import bands, feeds, items, versions

_DAY_S = 86_400
_MAX_CANDIDATES = 20
"""Candidates compared with one item: the latest. Source: chosen, not measured."""
_GONE = ("skipped", "merged", "forgotten")


class NearDuplicate(NamedTuple):
    """A stored item whose text is that of a new one."""

    item_id: int
    external_id: str
    feed_key: str
    group_id: int | None
    same_entry: bool
    """It is the same entry of the same feed under another guid."""
    same_page: bool = False
    """It is the same page in another feed, under a link with another query."""


def find_near_duplicate(
    connection: sa.Connection, feed_id: int, item: Item, marks: Sequence[int]
) -> NearDuplicate | None:
    """Return a stored near-duplicate of an item; `marks` are its bands.

    The same entry of the same feed comes first, then one of another feed, then another one of this feed.
    """
    best: tuple[int, NearDuplicate] | None = None
    for row in _candidates(connection, item, marks):
        other = Item.model_validate_json(row.payload)
        same = row.feed_id == feed_id and is_same_item(other, item)
        rank = 0 if same else 1 if row.feed_id != feed_id else 2
        if (best is None or rank < best[0]) and (same or is_near_duplicate(other, item)):
            page = not same and row.feed_id != feed_id and is_same_page(other, item)
            best = rank, NearDuplicate(row.id, row.external_id, row.key, row.story_id, same, page)
        if same:
            break
    return best[1] if best else None


def _candidates(connection: sa.Connection, item: Item, marks: Sequence[int]) -> Sequence[Row]:
    if not marks:
        return ()
    near = {"earliest": item.published_at - MAX_GAP, "latest": item.published_at + MAX_GAP}
    return connection.execute(_CANDIDATES, {"marks": marks, **near}).all()


_HAS_BAND = bands.c.band.in_(sa.bindparam("marks", expanding=True))
_CANDIDATES = (
    sa.select(items, feeds.c.key)
    .select_from(items.join(feeds))
    .where(
        items.c.id.in_(sa.select(bands.c.item_id).where(_HAS_BAND)),
        items.c.published_at.between(sa.bindparam("earliest"), sa.bindparam("latest")),
        items.c.state.not_in(_GONE),
    )
    .order_by(items.c.id.desc())
    .limit(_MAX_CANDIDATES)
)
_EXISTING = sa.select(bands.c.band).where(_HAS_BAND).distinct()


def existing_bands(connection: sa.Connection, marks: Iterable[int]) -> set[int]:
    """Return those of the bands that stored items have."""
    existing: set[int] = set()
    for chunk in chunks(marks):
        existing.update(connection.scalars(_EXISTING, {"marks": chunk}))
    return existing


def add_bands(connection: sa.Connection, marked: Iterable[tuple[int, Sequence[int]]]) -> None:
    """Store the bands of items, given with their ids, so that later items are compared with them."""
    day = int(time.time() // _DAY_S)
    rows = [(band, item_id, day) for item_id, marks in marked for band in marks]
    if rows:
        connection.exec_driver_sql(_INSERT[connection.dialect.name], rows)


# An item has about 16 bands: without SQLAlchemy's work on each row it takes half the time.
_INSERT = {
    "sqlite": "INSERT INTO bands (band, item_id, day) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    "postgresql": "INSERT INTO bands (band, item_id, day) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
}


def prune(connection: sa.Connection, before: datetime) -> int:
    """Delete bands of items stored before a time and return how many; those items join no more groups."""
    return connection.execute(bands.delete().where(bands.c.day < int(before.timestamp() // _DAY_S))).rowcount


def join(connection: sa.Connection, duplicate: NearDuplicate) -> int:
    """Return the group of a near-duplicate, which starts one where it was in none."""
    if duplicate.group_id is None:
        first = items.update().where(items.c.id == duplicate.item_id)
        connection.execute(first.values(story_id=duplicate.item_id))
    return duplicate.group_id or duplicate.item_id


def siblings(connection: sa.Connection, item_id: int) -> list[Sibling]:
    """Return the other items of an item's group, in the order in which they were stored."""
    mine = sa.select(items.c.story_id, items.c.external_id).where(items.c.id == item_id)
    row = connection.execute(mine).one()
    same = [items.c.merged_into == row.external_id]
    if row.story_id is not None:
        same.append(items.c.story_id == row.story_id)
    query = (
        sa.select(items, feeds.c.key, feeds.c.name)
        .select_from(items.join(feeds))
        .where(sa.or_(*same), items.c.id != item_id, items.c.state != "forgotten")
        .order_by(items.c.id)
    )
    return [_sibling(row) for row in connection.execute(query)]


def _sibling(row: Row) -> Sibling:
    item = Item.model_validate_json(row.payload)
    return Sibling(
        feed_key=row.key,
        feed_name=row.name,
        title=item.title,
        url=item.link,
        external_id=row.external_id,
        state=row.state,
        path=row.path,
    )


def notify_siblings(
    connection: sa.Connection, group_id: int, newcomer: int, feed_name: str, title: str
) -> None:
    """Add a note about a new item, with its feed's name and its title, to the drafts of its group."""
    note = duplicate_finding(feed_name, title)
    for version_id in connection.scalars(_LATEST_VERSIONS, {"group": group_id, "item": newcomer}).all():
        add_finding(connection, version_id, note)


_LATEST_VERSIONS = (
    sa.select(sa.func.max(versions.c.id))
    .join(items, items.c.id == versions.c.item_id)
    .where(items.c.story_id == sa.bindparam("group"), items.c.id != sa.bindparam("item"), ~versions.c.aside)
    .group_by(versions.c.item_id)
)


def queue_duplicate(connection: sa.Connection, item_id: int, *conditions: sa.ColumnElement[bool]) -> None:
    """Queue the first item that was merged into a skipped one; the others become merged into that.

    A correction of the item is none of them. `conditions` are those that the queued item meets.
    """
    identity = sa.select(items.c.external_id).where(items.c.id == item_id).scalar_subquery()
    is_duplicate = sa.or_(items.c.reason.is_(None), items.c.reason != CORRECTION)
    merged = sa.select(items).where(items.c.merged_into == identity, items.c.state == "merged", is_duplicate)
    heir = connection.execute(merged.where(*conditions).order_by(items.c.id)).first()
    if heir is not None:
        others = items.update().where(items.c.merged_into == identity, items.c.id != heir.id)
        connection.execute(others.values(merged_into=heir.external_id))
        queued = {"state": "seen", "merged_into": None, "reason": None, "owned_canonical": heir.canonical}
        connection.execute(items.update().where(items.c.id == heir.id).values(**queued))
