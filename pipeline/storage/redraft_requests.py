"""Requests: drafts that are to be written anew, and what came of that."""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from pipeline.domain.errors import ReviewError
from pipeline.domain.models import RedraftRequest
from pipeline.storage import versions
from pipeline.storage.engine import chunks
from pipeline.storage.records import Asked, DraftRow
from pipeline.storage.schema import feeds, items, requests

waiting = sa.select(requests.c.item_id).where(requests.c.done_at.is_(None))
"""The numbers of the items that something is asked for."""


def add(
    connection: sa.Connection, row: DraftRow, by: str, now: datetime, note: str | None, section: str | None
) -> None:
    """Ask for a draft to be written anew, the whole of it from its source as it is now.

    Raises ReviewError where it was decided on, or is asked for already.
    """
    state = connection.scalar(sa.select(items.c.state).where(items.c.id == row.item_id).with_for_update())
    if state != "drafted":
        said = f"{row.path} is {state}: only a draft that waits for a verdict is written anew"
        raise ReviewError(said, draft=row.path)
    if pending(connection, row.item_id):
        said = f"{row.path}: a redraft waits already; `copydesk run` carries it out"
        raise ReviewError(said, draft=row.path)
    ask(connection, row.item_id, by, now, note, section)


def ask(
    connection: sa.Connection, item_id: int, by: str, now: datetime, note: str | None, section: str | None
) -> None:
    """Add a request, whatever is known of the item."""
    said = {"by": by, "at": now, "note": note, "section": section}
    connection.execute(requests.insert().values(item_id=item_id, **said))


def pending(connection: sa.Connection, item_id: int) -> RedraftRequest | None:
    """Return what is asked for of an item, the first of it."""
    return pending_of(connection, [item_id]).get(item_id)


def pending_of(connection: sa.Connection, ids: Sequence[int]) -> dict[int, RedraftRequest]:
    """Return what is asked for of items, by their numbers: the first of each."""
    found: dict[int, RedraftRequest] = {}
    for some in chunks(ids):
        query = sa.select(requests).where(requests.c.item_id.in_(some), requests.c.done_at.is_(None))
        for row in connection.execute(query.order_by(requests.c.id)):
            one = RedraftRequest(id=row.id, by=row.by, at=row.at, note=row.note, section=row.section)
            found.setdefault(row.item_id, one)
    return found


def of_item(connection: sa.Connection, feed_key: str, guid: str) -> Asked | None:
    """Return what is asked for of a feed's item, where something is."""
    mine = sa.and_(feeds.c.key == feed_key, items.c.guid == guid)
    item_id = connection.scalar(sa.select(items.c.id).select_from(items.join(feeds)).where(mine))
    if item_id is None or (request := pending(connection, item_id)) is None:
        return None
    previous = versions.previous(versions.texts(connection, [item_id])[item_id])
    return Asked(request, previous) if previous else None


def close(connection: sa.Connection, item_id: int, outcome: str) -> None:
    """End what is asked for of an item."""
    mine = requests.update().where(requests.c.item_id == item_id, requests.c.done_at.is_(None))
    connection.execute(mine.values(done_at=datetime.now(UTC), outcome=outcome))


def by_feed(connection: sa.Connection) -> dict[str, int]:
    """Return how many requests wait, by feed key."""
    query = sa.select(feeds.c.key, sa.func.count()).select_from(requests.join(items).join(feeds))
    rows = connection.execute(query.where(requests.c.done_at.is_(None)).group_by(feeds.c.key))
    return {row[0]: row[1] for row in rows}
