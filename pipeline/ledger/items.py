"""Items: what is known of them, and the rows that they become."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import sqlalchemy as sa

from pipeline.errors import ReviewError
from pipeline.ledger.feeds import FeedRow
from pipeline.ledger.schema import feeds, items
from pipeline.models import Item, Window, external_id

CHUNK = 500
"""Values in one IN list: far below the limits of both databases."""

Value = TypeVar("Value", str, int)
Columns = dict[str, object]
"""What a row is to hold, by column."""


def chunks(values: Iterable[Value]) -> Iterator[list[Value]]:
    """Yield values, each once, in lists short enough for one IN."""
    listed = list(dict.fromkeys(values))
    for start in range(0, len(listed), CHUNK):
        yield listed[start : start + CHUNK]


def by_guid(connection: sa.Connection, feed_id: int, guids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return guid → (state, content hash) for those of the guids that are known."""
    columns = (items.c.guid, items.c.state, items.c.content_hash, items.c.updated_hash)
    found = {}
    for chunk in chunks(guids):
        query = sa.select(*columns).where(items.c.feed_id == feed_id, items.c.guid.in_(chunk))
        for row in connection.execute(query):
            found[row.guid] = (row.state, row.updated_hash or row.content_hash)
    return found


def skip_reasons(connection: sa.Connection, feed_id: int, guids: Sequence[str]) -> dict[str, str]:
    """Return guid → reason for those of the guids that are skipped."""
    found = {}
    for chunk in chunks(guids):
        mine = (items.c.feed_id == feed_id, items.c.guid.in_(chunk), items.c.state == "skipped")
        query = sa.select(items.c.guid, items.c.reason).where(*mine)
        found.update({row.guid: row.reason or "" for row in connection.execute(query)})
    return found


def by_canonical(connection: sa.Connection, urls: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return canonical URL → (feed key, guid) of the item that drafts it."""
    found = {}
    for chunk in chunks(urls):
        query = (
            sa.select(items.c.owned_canonical, feeds.c.key, items.c.guid)
            .select_from(items.join(feeds))
            .where(items.c.owned_canonical.in_(chunk))
        )
        found.update({row[0]: (row[1], row[2]) for row in connection.execute(query)})
    return found


def find(connection: sa.Connection, ref: str, canonical: str | None) -> tuple[str, Item]:
    """Return the feed key and the item that an external id (or its beginning), a path or a link means.

    `canonical` is what makes links equal. Raises ReviewError where none or several answer.
    """
    name = ref.strip()
    meant = sa.or_(
        items.c.external_id.startswith(name, autoescape=True),
        items.c.path == (name.rpartition("output/")[2] or name),
        items.c.canonical == (canonical or name),
        items.c.guid == name,
    )
    query = sa.select(feeds.c.key, items.c.payload).select_from(items.join(feeds)).where(meant).limit(2)
    rows = connection.execute(query).all() if name else []
    if len(rows) != 1:
        many = "several items are" if rows else "no item is"
        said = f"{many} called {ref!r}; give a draft's short id, or the item's link"
        raise ReviewError(said, draft=ref)
    return rows[0].key, Item.model_validate_json(rows[0].payload)


def insert(connection: sa.Connection, feed: FeedRow, rows: Sequence[tuple[Item, Columns]]) -> list[int]:
    """Insert items of a feed, each with what is to be known of it besides; returns their numbers."""
    if not rows:
        return []
    every = [
        _BLANK
        | {"feed_id": feed.id, "guid": item.guid, "external_id": external_id(feed.first_key, item.guid)}
        | values(item)
        | more
        for item, more in rows
    ]
    numbered = items.insert().returning(items.c.id, sort_by_parameter_order=True)
    return list(connection.scalars(numbered, every))


_BLANK: Columns = {
    **dict.fromkeys(("reason", "merged_into", "owned_canonical", "story_id")),
    **dict.fromkeys(("attempts", "lease_token", "updates"), 0),
}


def values(item: Item) -> Columns:
    """Return the columns that say what the feed says of an item."""
    return {
        "canonical": item.canonical,
        "payload": item.model_dump_json(),
        "content_hash": item.content_hash,
        "title": item.title,
        "published_at": item.published_at,
    }


def in_window(window: Window | None) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of a half-open span of publication times."""
    since, until = window or (None, None)
    conditions = [items.c.published_at >= since] if since else []
    return conditions + ([items.c.published_at < until] if until else [])


def take_update(connection: sa.Connection, item_id: int) -> None:
    """Let the source as it is now take the place of the one that a draft was written from."""
    this = items.c.id == item_id
    payload = connection.scalar(sa.select(items.c.updated_payload).where(this))
    if payload is not None:
        taken = values(Item.model_validate_json(payload)) | {"updated_payload": None, "updated_hash": None}
        connection.execute(items.update().where(this).values(**taken))
