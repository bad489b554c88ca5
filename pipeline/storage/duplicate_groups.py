"""Stories: items that tell the same, found by the bands of their signatures, judged by their texts."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.domain.models import Item
from pipeline.domain.near_duplicates import NEAR, is_near_duplicate, is_same_item
from pipeline.storage.engine import chunks
from pipeline.storage.findings import add_finding
from pipeline.storage.records import Sibling, same_story
from pipeline.storage.schema import bands, feeds, items, versions

_DAY_S = 86_400
_MOST = 20
"""Candidates that are read for one item: the latest."""
_GONE = ("skipped", "merged", "forgotten")


class Twin(NamedTuple):
    """An item that tells what another one tells."""

    item_id: int
    external_id: str
    feed_key: str
    story_id: int | None
    same: bool
    """It is the same item, of the same feed, under another guid."""


def find_twin(connection: sa.Connection, feed_id: int, item: Item, marks: Sequence[int]) -> Twin | None:
    """Return the item that tells what `item` tells, one of the same feed first."""
    found: Twin | None = None
    for row in _candidates(connection, item, marks):
        other = Item.model_validate_json(row.payload)
        same = row.feed_id == feed_id and is_same_item(other, item)
        if same or (found is None and row.feed_id != feed_id and is_near_duplicate(other, item)):
            found = Twin(row.id, row.external_id, row.key, row.story_id, same)
        if same:
            break
    return found


def _candidates(
    connection: sa.Connection, item: Item, marks: Sequence[int]
) -> Sequence[sa.Row[tuple[object, ...]]]:
    if not marks:
        return ()
    sharing = sa.select(bands.c.item_id).where(bands.c.band.in_(marks))
    near = items.c.published_at.between(item.published_at - NEAR, item.published_at + NEAR)
    query = (
        sa.select(items, feeds.c.key)
        .select_from(items.join(feeds))
        .where(items.c.id.in_(sharing), near, items.c.state.not_in(_GONE))
        .order_by(items.c.id.desc())
        .limit(_MOST)
    )
    return connection.execute(query).all()


def known(connection: sa.Connection, marks: Iterable[int]) -> set[int]:
    """Return those of the bands that some item has."""
    found: set[int] = set()
    for some in chunks(marks):
        found.update(connection.scalars(sa.select(bands.c.band).where(bands.c.band.in_(some)).distinct()))
    return found


def remember(connection: sa.Connection, marked: Iterable[tuple[int, Sequence[int]]]) -> None:
    """Keep the bands of items, by their numbers, so that later ones find them."""
    day = int(time.time() // _DAY_S)
    rows = [{"band": band, "item_id": item_id, "day": day} for item_id, marks in marked for band in marks]
    if rows:
        connection.execute(_KEEP[connection.dialect.name], rows)


_KEEP = {
    "sqlite": sqlite.insert(bands).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(bands).on_conflict_do_nothing(),
}


def prune(connection: sa.Connection, before: datetime) -> int:
    """Drop the bands of items that came before a moment; later items do not join their stories."""
    return connection.execute(bands.delete().where(bands.c.day < int(before.timestamp() // _DAY_S))).rowcount


def join(connection: sa.Connection, twin: Twin) -> int:
    """Return the number of a twin's story; it is the first of one if it was alone so far."""
    if twin.story_id is None:
        first = items.update().where(items.c.id == twin.item_id)
        connection.execute(first.values(story_id=twin.item_id))
    return twin.story_id or twin.item_id


def siblings(connection: sa.Connection, item_id: int) -> list[Sibling]:
    """Return the other items that tell an item's story, in the order in which they came."""
    mine = sa.select(items.c.story_id, items.c.external_id).where(items.c.id == item_id)
    row = connection.execute(mine).one()
    told = [items.c.merged_into == row.external_id]
    if row.story_id is not None:
        told.append(items.c.story_id == row.story_id)
    query = (
        sa.select(items, feeds.c.key, feeds.c.name)
        .select_from(items.join(feeds))
        .where(sa.or_(*told), items.c.id != item_id, items.c.state != "forgotten")
        .order_by(items.c.id)
    )
    return [_sibling(row) for row in connection.execute(query)]


def _sibling(row: sa.Row[tuple[object, ...]]) -> Sibling:
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


def tell(connection: sa.Connection, story_id: int, newcomer: int) -> None:
    """Leave a note with the drafts of a story that another item tells it too."""
    query = (
        sa.select(items.c.title, feeds.c.name).select_from(items.join(feeds)).where(items.c.id == newcomer)
    )
    said = connection.execute(query).one()
    note = same_story(said.name, said.title)
    latest = sa.select(sa.func.max(versions.c.id)).join(items, items.c.id == versions.c.item_id)
    told = latest.where(items.c.story_id == story_id, items.c.id != newcomer).group_by(versions.c.item_id)
    for version_id in connection.scalars(told).all():
        add_finding(connection, version_id, note)
