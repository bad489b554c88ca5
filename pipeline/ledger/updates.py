"""Updates: sources that say something else than they did when they came."""

from datetime import UTC, datetime

import sqlalchemy as sa

from pipeline.ledger import pages, requests
from pipeline.ledger.items import values
from pipeline.ledger.notes import OURSELVES, flag_update
from pipeline.ledger.records import Policy
from pipeline.ledger.schema import calls, items, versions
from pipeline.models import Item


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


def speak_for_origin(connection: sa.Connection, item_id: int, item: Item, policy: Policy) -> None:
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
    pages.drop(connection, item.link)
    this = items.update().where(items.c.id == row.id)
    answered = sa.select(calls.c.id).where(calls.c.item_id == items.c.id, calls.c.unusable.is_(None))
    written = sa.select(versions.c.id).where(versions.c.item_id == items.c.id)
    untouched = sa.and_(~answered.exists(), ~written.exists(), items.c.lease_owner.is_(None))
    fresh = this.where(items.c.state == "seen", untouched)
    if connection.execute(fresh.values(**values(item), updated_hash=None, updated_payload=None)).rowcount:
        return True
    told = {"updated_hash": item.content_hash, "updated_payload": _kept(item)}
    counted = told | {"updates": items.c.updates + 1}
    if not connection.execute(this.where(items.c.updates < policy.max_updates).values(**counted)).rowcount:
        connection.execute(this.values(updated_hash=item.content_hash, updated_payload=_kept(item)))
        return False
    if policy.redraft and row.state == "drafted":
        _queue_again(connection, row.id)
    else:
        flag_update(connection, row.id, item)
    return True


def _kept(item: Item) -> str:
    return item.model_dump_json()


def _queue_again(connection: sa.Connection, item_id: int) -> None:
    """Ask for an item's draft to be written anew from its changed source; until then it stays."""
    free = items.update().where(items.c.id == item_id, items.c.lease_owner.is_(None))
    if connection.execute(free.values(attempts=0)).rowcount and not requests.pending(connection, item_id):
        requests.ask(connection, item_id, OURSELVES, datetime.now(UTC), None, None)
