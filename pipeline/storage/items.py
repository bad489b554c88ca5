"""Items: what is known of them, and the rows that they become."""

from collections.abc import Sequence

import sqlalchemy as sa

from pipeline.domain.errors import ReviewError
from pipeline.domain.models import Item, Window, external_id
from pipeline.storage.engine import chunks
from pipeline.storage.feeds import FeedRow
from pipeline.storage.schema import feeds, items

Columns = dict[str, object]
"""What a row is to hold, by column."""


newest = sa.func.coalesce(items.c.updated_payload, items.c.payload)
"""What an item's feed said last."""


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
    columns = (feeds.c.key, newest.label("payload"))
    query = sa.select(*columns).select_from(items.join(feeds)).where(meant).limit(2)
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


def updated_source(row: sa.Row[tuple[object, ...]]) -> Item | None:
    """Return an item's source as it is now, in no less text than before; None where it did not change.

    A feed's excerpt does not take the place of a page's text, or of a text that the feed gave in full: the
    earlier text stays, and what the feed says now is the summary.
    """
    if row.updated_payload is None:
        return None
    before, now = (Item.model_validate_json(one) for one in (row.payload, row.updated_payload))
    summed = bool(before.summary) and before.text == before.summary
    told = now.summary or now.text if summed else now.text
    of_feed = summed or before.content_hash == row.content_hash
    whole = len(told) >= len(before.text) // (2 if of_feed else 1)
    changes = {
        "text": told if whole else before.text,
        "summary": now.summary if whole else told,
        "title": now.title or before.title,
        "author": now.author or before.author,
        "image": now.image or before.image,
        "published_at": now.published_at if now.dated else before.published_at,
    }
    return now.model_copy(update=changes)


TAKEN: Columns = {
    "updated_payload": None,
    "updated_hash": None,
    "updates": sa.case((items.c.updates > 0, items.c.updates), else_=1),
}
"""What is said of an item whose changed source was taken over; that it changed stays known."""


def take_update(connection: sa.Connection, item_id: int, seen: Item | None) -> None:
    """Let a changed source take the place of the one before: a draft was approved beside it.

    Where it says something else by now than was `seen`, it stays a change.
    """
    this = items.c.id == item_id
    row = connection.execute(sa.select(items).where(this)).one()
    if (now := updated_source(row)) is not None and now == seen:
        told = {"payload": now.model_dump_json(), "content_hash": row.updated_hash}
        connection.execute(items.update().where(this).values(**told, **TAKEN))
