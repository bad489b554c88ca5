"""Items: what is known of them, and how a poll's are admitted."""

from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa

from pipeline.ledger.schema import calls, feeds, items, versions
from pipeline.models import Item, Window, external_id

CHUNK = 500
"""Values in one IN list: far below the limits of both databases."""


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    listed = list(dict.fromkeys(values))
    for start in range(0, len(listed), CHUNK):
        yield listed[start : start + CHUNK]


def by_guid(
    connection: sa.Connection, feed_id: int, guids: Sequence[str]
) -> dict[str, tuple[str, str, str | None]]:
    """Return guid → (state, content hash, canonical URL) for those of the guids that are known."""
    columns = (items.c.guid, items.c.state, items.c.content_hash, items.c.updated_hash)
    found = {}
    for chunk in _chunks(guids):
        query = sa.select(*columns, items.c.canonical).where(
            items.c.feed_id == feed_id, items.c.guid.in_(chunk)
        )
        for row in connection.execute(query):
            found[row.guid] = (row.state, row.updated_hash or row.content_hash, row.canonical)
    return found


def by_canonical(connection: sa.Connection, urls: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return canonical URL → (feed key, guid) of the item that drafts it."""
    found = {}
    for chunk in _chunks(urls):
        query = (
            sa.select(items.c.owned_canonical, feeds.c.key, items.c.guid)
            .select_from(items.join(feeds))
            .where(items.c.owned_canonical.in_(chunk))
        )
        found.update({row[0]: (row[1], row[2]) for row in connection.execute(query)})
    return found


def insert_new(connection: sa.Connection, feed_id: int, first_key: str, item: Item) -> str:
    """Insert an item to be drafted and return what became of it: new, merged, known.

    An item that was skipped before, and is wanted now, becomes new. Another process may have been quicker
    with the same canonical URL: then this one is merged into that.
    """
    row = connection.execute(
        sa.select(items.c.id, items.c.state).where(items.c.feed_id == feed_id, items.c.guid == item.guid)
    ).first()
    if row is not None and row.state != "skipped":
        return "known"
    owner = _owner(connection, item.canonical)
    values = _values(item) | {"state": "merged" if owner else "seen", "reason": None, "merged_into": owner}
    values["owned_canonical"] = None if owner else item.canonical
    if row is not None:
        connection.execute(items.update().where(items.c.id == row.id).values(**values))
    else:
        _insert(connection, feed_id, first_key, item, values)
    return "merged" if owner else "new"


def insert_aside(
    connection: sa.Connection,
    feed_id: int,
    first_key: str,
    item: Item,
    state: str,
    *,
    reason: str | None = None,
    merged_into: str | None = None,
) -> bool:
    """Insert an item that is not to be drafted; False where it is known already."""
    known = sa.select(items.c.id).where(items.c.feed_id == feed_id, items.c.guid == item.guid)
    if connection.execute(known).first():
        return False
    values = _values(item) | {"state": state, "reason": reason, "merged_into": merged_into}
    _insert(connection, feed_id, first_key, item, values)
    return True


def insert_merged(
    connection: sa.Connection, feed_id: int, first_key: str, item: Item, into: tuple[str, str]
) -> bool:
    """Insert a duplicate of another feed's item (feed key, guid); False where it is known already."""
    query = (
        sa.select(items.c.external_id)
        .select_from(items.join(feeds))
        .where(feeds.c.key == into[0], items.c.guid == into[1])
    )
    target = connection.execute(query).scalar()
    return insert_aside(connection, feed_id, first_key, item, "merged", merged_into=target)


def update(connection: sa.Connection, feed_id: int, item: Item) -> bool:
    """Take over a changed source: whole while nothing was done with it, as a mark afterwards."""
    here = sa.and_(items.c.feed_id == feed_id, items.c.guid == item.guid)
    answered = sa.select(calls.c.id).where(calls.c.item_id == items.c.id, calls.c.unusable.is_(None))
    written = sa.select(versions.c.id).where(versions.c.item_id == items.c.id)
    untouched = sa.and_(~answered.exists(), ~written.exists(), items.c.lease_owner.is_(None))
    free = sa.and_(here, items.c.state == "seen", untouched)
    if connection.execute(items.update().where(free).values(**_values(item))).rowcount:
        return True
    marked = items.update().where(here).values(updated_hash=item.content_hash)
    return bool(connection.execute(marked).rowcount)


def _owner(connection: sa.Connection, canonical: str | None) -> str | None:
    if canonical is None:
        return None
    query = sa.select(items.c.external_id).where(items.c.owned_canonical == canonical)
    return connection.execute(query).scalar()


def _insert(
    connection: sa.Connection, feed_id: int, first_key: str, item: Item, values: dict[str, object]
) -> None:
    identity = {"feed_id": feed_id, "guid": item.guid, "external_id": external_id(first_key, item.guid)}
    connection.execute(items.insert().values(**identity, **values, attempts=0, lease_token=0))


def _values(item: Item) -> dict[str, object]:
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
