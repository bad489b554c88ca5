"""Changed sources of items that are stored: what an item, its draft and its redraft requests become."""

from datetime import UTC, datetime

import sqlalchemy as sa

from pipeline.domain.models import FrozenModel, Item, same_text
from pipeline.storage import caches, redraft_requests
from pipeline.storage.engine import Row
from pipeline.storage.findings import SYSTEM_EDITOR, drop_update, flag_update, is_edited_since_update
from pipeline.storage.item_rows import NOT_TRIED, values
from pipeline.storage.notices import flag_notice
from pipeline.storage.schema import calls, items, versions


class Policy(FrozenModel):
    """How a feed's items are admitted."""

    merge_among: frozenset[str] = frozenset()
    """Keys of the feeds whose near-duplicates become one draft; those of other feeds become siblings."""
    max_updates: int = 3
    """Changes of an item's text that are reported."""
    redraft: bool = False
    """A changed source is redrafted where no editor touched its draft."""


def update_source(connection: sa.Connection, row: Row, item: Item, policy: Policy) -> bool:
    """Store a changed source: as the item while no work was done on it, as an update afterwards.

    Returns whether it counts as a change; a source that is again as its draft was written from it does not.
    """
    caches.drop_page(connection, item.link)
    this = items.update().where(items.c.id == row.id)
    answered = sa.select(calls.c.id).where(calls.c.item_id == items.c.id, calls.c.unusable.is_(None))
    written = sa.select(versions.c.id).where(versions.c.item_id == items.c.id)
    untouched = sa.and_(~answered.exists(), ~written.exists(), items.c.lease_owner.is_(None))
    without_page = sa.and_(items.c.state == "failed", items.c.page_tries > 0)  # the feed may have its text
    fresh = this.where(sa.or_(items.c.state == "seen", without_page), untouched)
    again = values(item) | NOT_TRIED | {"state": "seen", "updated_hash": None, "updated_payload": None}
    if connection.execute(fresh.values(**again)).rowcount:
        return True
    if _is_taken_back(connection, row, item):
        _take_back(connection, row)
        return False
    changed = {"updated_hash": item.content_hash, "updated_payload": item.model_dump_json()}
    counted = changed | {"updates": items.c.updates + 1}
    if not connection.execute(this.where(items.c.updates < policy.max_updates).values(**counted)).rowcount:
        connection.execute(this.values(**changed))
        return False
    if policy.redraft and row.state == "drafted":
        _request_redraft(connection, row.id, item)
    else:
        flag_update(connection, row.id, item)
    return True


def _request_redraft(connection: sa.Connection, item_id: int, item: Item) -> None:
    """Request a redraft from an item's changed source.

    One that a run works on is flagged instead: the run's text does not include this change.
    """
    free = items.update().where(items.c.id == item_id, items.c.lease_owner.is_(None))
    if not connection.execute(free.values(attempts=0)).rowcount:
        flag_update(connection, item_id, item)
    elif not redraft_requests.pending(connection, item_id):
        redraft_requests.insert(connection, item_id, SYSTEM_EDITOR, datetime.now(UTC))


def _is_taken_back(connection: sa.Connection, row: Row, item: Item) -> bool:
    """Tell whether a source is again that of the item's draft, and nobody fitted the draft to the change."""
    is_same = row.updated_hash is not None and same_text(row.content_hash, item.content_hash)
    return is_same and row.lease_owner is None and not is_edited_since_update(connection, row.id)


def _take_back(connection: sa.Connection, row: Row) -> None:
    """Remove an item's update, with the finding about it and the request to rewrite the draft from it."""
    as_before = {"updated_hash": None, "updated_payload": None}
    connection.execute(items.update().where(items.c.id == row.id).values(**as_before))
    redraft_requests.close(connection, row.id, "its source is as before", by=SYSTEM_EDITOR)
    drop_update(connection, row.id)
    flag_notice(connection, row.id)
