"""Items: what is known of them, and how a poll's are admitted."""

from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa

from pipeline.ledger import stories
from pipeline.ledger.notes import flag_update
from pipeline.ledger.records import Policy
from pipeline.ledger.schema import calls, feeds, items, versions
from pipeline.models import Item, Window, external_id

CHUNK = 500
"""Values in one IN list: far below the limits of both databases."""


def chunks(values: Iterable[str]) -> Iterator[list[str]]:
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


def insert_new(
    connection: sa.Connection,
    feed_id: int,
    first_key: str,
    item: Item,
    marks: Sequence[int],
    policy: Policy,
) -> str:
    """Insert an item to be drafted and return what became of it: new, merged, known, forgotten.

    An item that was skipped before, and is wanted now, becomes new. One that tells what another item tells
    (the same canonical URL, or by its `marks` and text) is merged into that, or becomes its sibling.
    """
    here = sa.and_(items.c.feed_id == feed_id, items.c.guid == item.guid)
    row = connection.execute(sa.select(items).where(here)).first()
    if row is not None and (row.state != "skipped" or _still_lacks(row, item)):
        return "known"
    owner = _owner(connection, item.canonical)
    twin = None if owner else stories.find_twin(connection, feed_id, item, marks)
    if twin and (twin.same or twin.feed_key in policy.merge_among):
        owner = twin.external_id
    values = _values(item) | {"state": "merged" if owner else "seen", "reason": None, "merged_into": owner}
    values["owned_canonical"] = None if owner else item.canonical
    if twin and not twin.same:
        values["story_id"] = stories.join(connection, twin)
    item_id = _put(connection, feed_id, first_key, item, values, row.id if row else None)
    if owner:
        _speak_for_origin(connection, item_id, item, policy)
    else:
        stories.remember(connection, item_id, marks)
    if twin and not twin.same:
        stories.tell(connection, stories.join(connection, twin), item_id)
    return "merged" if owner else "new"


def _still_lacks(row: sa.Row[tuple[object, ...]], item: Item) -> bool:
    """Tell whether an item that had not text enough when it was claimed has no more of it now."""
    return row.lease_token > 0 and len(item.text) <= len(Item.model_validate_json(row.payload).text)


def _put(
    connection: sa.Connection,
    feed_id: int,
    first_key: str,
    item: Item,
    values: dict[str, object],
    item_id: int | None,
) -> int:
    if item_id is None:
        return _insert(connection, feed_id, first_key, item, values)
    connection.execute(items.update().where(items.c.id == item_id).values(**values))
    return item_id


def insert_aside(
    connection: sa.Connection,
    feed_id: int,
    first_key: str,
    item: Item,
    state: str,
    *,
    reason: str | None = None,
    merged_into: str | None = None,
) -> int | None:
    """Insert an item that is not to be drafted and return its number; None where it is known already."""
    known = sa.select(items.c.id).where(items.c.feed_id == feed_id, items.c.guid == item.guid)
    if connection.execute(known).first():
        return None
    values = _values(item) | {"state": state, "reason": reason, "merged_into": merged_into}
    return _insert(connection, feed_id, first_key, item, values)


def insert_merged(
    connection: sa.Connection,
    feed_id: int,
    first_key: str,
    item: Item,
    into: tuple[str, str],
    policy: Policy,
) -> bool:
    """Insert a duplicate of another item (feed key, guid); False where it is known already."""
    query = (
        sa.select(items.c.external_id)
        .select_from(items.join(feeds))
        .where(feeds.c.key == into[0], items.c.guid == into[1])
    )
    target = connection.execute(query).scalar()
    item_id = insert_aside(connection, feed_id, first_key, item, "merged", merged_into=target)
    if item_id is not None:
        _speak_for_origin(connection, item_id, item, policy)
    return item_id is not None


def update(connection: sa.Connection, feed_id: int, item: Item, policy: Policy) -> bool:
    """Take notice of a changed source: whole while nothing was done with it, as a mark afterwards.

    Where the policy says so, a draft that nobody decided about is queued to be written again. An item that
    came back under another guid speaks for the one it was merged into. Returns whether it counts.
    """
    here = sa.and_(items.c.feed_id == feed_id, items.c.guid == item.guid)
    row = connection.execute(sa.select(items).where(here)).first()
    if row is None:
        return False
    if row.state == "merged":
        connection.execute(items.update().where(items.c.id == row.id).values(updated_hash=item.content_hash))
        return _update_origin(connection, row, item, policy)
    return _update(connection, row, item, policy)


def _speak_for_origin(connection: sa.Connection, item_id: int, item: Item, policy: Policy) -> None:
    """Let an item that was just merged update its former self of the same feed."""
    row = connection.execute(sa.select(items).where(items.c.id == item_id)).one()
    _update_origin(connection, row, item, policy)


def _update_origin(
    connection: sa.Connection, row: sa.Row[tuple[object, ...]], item: Item, policy: Policy
) -> bool:
    """Apply an update to the item that another guid of the same feed names."""
    query = sa.select(items).where(items.c.external_id == row.merged_into, items.c.feed_id == row.feed_id)
    origin = connection.execute(query).first()
    if origin is None or origin.state == "merged":
        return False
    if item.content_hash in (origin.content_hash, origin.updated_hash):
        return False
    return _update(connection, origin, item.model_copy(update={"guid": origin.guid}), policy)


def _update(connection: sa.Connection, row: sa.Row[tuple[object, ...]], item: Item, policy: Policy) -> bool:
    this = items.update().where(items.c.id == row.id)
    answered = sa.select(calls.c.id).where(calls.c.item_id == items.c.id, calls.c.unusable.is_(None))
    written = sa.select(versions.c.id).where(versions.c.item_id == items.c.id)
    untouched = sa.and_(~answered.exists(), ~written.exists(), items.c.lease_owner.is_(None))
    fresh = this.where(items.c.state == "seen", untouched)
    if connection.execute(fresh.values(**_values(item), updated_hash=None)).rowcount:
        return True
    counted = {"updated_hash": item.content_hash, "updates": items.c.updates + 1}
    if not connection.execute(this.where(items.c.updates < policy.max_updates).values(**counted)).rowcount:
        connection.execute(this.values(updated_hash=item.content_hash))
        return False
    if policy.redraft and row.state == "drafted":
        _queue_again(connection, row.id, item)
    else:
        flag_update(connection, row.id, item)
    return True


def _queue_again(connection: sa.Connection, item_id: int, item: Item) -> None:
    """Let an item be drafted anew from its changed source; what was answered about the old one is spent."""
    values = _values(item) | {"state": "seen", "updated_hash": None, "attempts": 0}
    free = items.update().where(items.c.id == item_id, items.c.lease_owner.is_(None))
    if connection.execute(free.values(**values)).rowcount:
        spent = calls.update().where(calls.c.item_id == item_id, calls.c.unusable.is_(None))
        connection.execute(spent.values(unusable="the source changed"))


def _owner(connection: sa.Connection, canonical: str | None) -> str | None:
    if canonical is None:
        return None
    query = sa.select(items.c.external_id).where(items.c.owned_canonical == canonical)
    return connection.execute(query).scalar()


def _insert(
    connection: sa.Connection, feed_id: int, first_key: str, item: Item, values: dict[str, object]
) -> int:
    identity = {"feed_id": feed_id, "guid": item.guid, "external_id": external_id(first_key, item.guid)}
    inserted = connection.execute(
        items.insert().values(**identity, **values, attempts=0, lease_token=0, updates=0)
    )
    [item_id] = inserted.inserted_primary_key or [0]
    return int(item_id)


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
