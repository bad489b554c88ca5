"""Updates: sources that say something else than they did when they came.

Arrivals: what a poll found goes into the ledger, whether it is to be drafted or not.

Most of a poll's new items meet nobody: no row, no canonical URL, no band of a signature in common with
another item. Those go in together; to look each of them up by itself would cost more than all the rest of a
poll.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

import sqlalchemy as sa

from pipeline.domain.models import Item, external_id
from pipeline.domain.near_duplicates import signature_bands
from pipeline.storage import caches, duplicate_groups, feeds, redraft_requests
from pipeline.storage.feeds import FeedRow
from pipeline.storage.findings import OURSELVES, flag_update
from pipeline.storage.items import Columns, by_canonical, by_guid, insert, values
from pipeline.storage.records import Policy
from pipeline.storage.schema import calls, items, versions


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
    caches.drop(connection, item.link)
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
        _queue_again(connection, row.id, item)
    else:
        flag_update(connection, row.id, item)
    return True


def _kept(item: Item) -> str:
    return item.model_dump_json()


def _queue_again(connection: sa.Connection, item_id: int, item: Item) -> None:
    """Ask for an item's draft to be written anew from its changed source; until then it stays.

    One that a run works on is flagged: what that run writes does not tell of this change.
    """
    free = items.update().where(items.c.id == item_id, items.c.lease_owner.is_(None))
    if not connection.execute(free.values(attempts=0)).rowcount:
        flag_update(connection, item_id, item)
    elif not redraft_requests.pending(connection, item_id):
        redraft_requests.ask(connection, item_id, OURSELVES, datetime.now(UTC), None, None)


Arrival = tuple[Item, Sequence[int]]
"""An item and the bands of its signature."""
Row = tuple[Item, Columns]
Why = TypeVar("Why")


def arrived(new: Sequence[Item]) -> list[Arrival]:
    """Return items with their bands: work that needs no database, and no lock."""
    return [(item, signature_bands(item.title, item.text)) for item in new]


def take_new(
    connection: sa.Connection, feed: FeedRow, arrivals: Sequence[Arrival], policy: Policy
) -> list[str]:
    """Take in items to be drafted and return what became of each: new, merged or known."""
    alone, others = _parted(connection, feed, arrivals)
    rows: list[Row] = [(item, {"state": "seen", "owned_canonical": item.canonical}) for item, _ in alone]
    numbers = insert(connection, feed, rows)
    duplicate_groups.remember(connection, zip(numbers, (marks for _, marks in alone), strict=True))
    return ["new"] * len(alone) + [_take_one(connection, feed, one, policy) for one in others]


def _parted(
    connection: sa.Connection, feed: FeedRow, arrivals: Sequence[Arrival]
) -> tuple[list[Arrival], list[Arrival]]:
    """Divide what meets nobody, neither in the ledger nor among those before it, from the rest."""
    guids: set[str] = set(by_guid(connection, feed.id, [item.guid for item, _ in arrivals]))
    urls = set(by_canonical(connection, [item.canonical for item, _ in arrivals if item.canonical]))
    told = duplicate_groups.known(connection, [mark for _, marks in arrivals for mark in marks])
    alone: list[Arrival] = []
    others: list[Arrival] = []
    for one in arrivals:
        item, marks = one
        met = item.guid in guids or item.canonical in urls or not told.isdisjoint(marks)
        (others if met else alone).append(one)
        guids.add(item.guid)
        told.update(marks)
        if item.canonical:
            urls.add(item.canonical)
    return alone, others


def _take_one(connection: sa.Connection, feed: FeedRow, arrival: Arrival, policy: Policy) -> str:
    """Take in an item that may meet another.

    One that was skipped before, and is wanted now, becomes new. One that tells what another item tells (the
    same canonical URL, or by its bands and text) is merged into that, or becomes its sibling.
    """
    item, marks = arrival
    here = sa.and_(items.c.feed_id == feed.id, items.c.guid == item.guid)
    row = connection.execute(sa.select(items).where(here)).first()
    if row is not None and (row.state != "skipped" or _still_lacks(row, item)):
        return "known"
    owner = _owner(connection, item.canonical)
    twin = None if owner else duplicate_groups.find_twin(connection, feed.id, item, marks)
    if twin and (twin.same or twin.feed_key in policy.merge_among):
        owner = twin.external_id
    more: Columns = {"state": "merged" if owner else "seen", "reason": None, "merged_into": owner}
    more["owned_canonical"] = None if owner else item.canonical
    if twin and not twin.same:
        more["story_id"] = duplicate_groups.join(connection, twin)
    item_id = _put(connection, feed, item, more, row.id if row else None)
    if owner:
        speak_for_origin(connection, item_id, item, policy)
    else:
        duplicate_groups.remember(connection, [(item_id, marks)])
    if twin and not twin.same:
        duplicate_groups.tell(connection, duplicate_groups.join(connection, twin), item_id)
    return "merged" if owner else "new"


def _still_lacks(row: sa.Row[tuple[object, ...]], item: Item) -> bool:
    """Tell whether an item that had not text enough when it was claimed has no more of it now."""
    return row.lease_token > 0 and len(item.text) <= len(Item.model_validate_json(row.payload).text)


def _put(connection: sa.Connection, feed: FeedRow, item: Item, more: Columns, item_id: int | None) -> int:
    if item_id is None:
        return insert(connection, feed, [(item, more)])[0]
    again = values(item) | more
    connection.execute(items.update().where(items.c.id == item_id).values(**again))
    return item_id


def _owner(connection: sa.Connection, canonical: str | None) -> str | None:
    if canonical is None:
        return None
    query = sa.select(items.c.external_id).where(items.c.owned_canonical == canonical)
    return connection.execute(query).scalar()


def take_skipped(connection: sa.Connection, feed: FeedRow, skipped: Sequence[tuple[Item, str]]) -> int:
    """Keep items that are not to be drafted, with the reasons; returns how many were not known."""
    fresh = _unknown(connection, feed, skipped)
    rows: list[Row] = [(item, {"state": "skipped", "reason": reason}) for item, reason in fresh]
    return len(insert(connection, feed, rows))


def take_merged(
    connection: sa.Connection, feed: FeedRow, merged: Sequence[tuple[Item, tuple[str, str]]], policy: Policy
) -> int:
    """Keep duplicates, each with the item (feed key, guid) that it repeats; returns how many were not known.

    One that repeats an item of its own feed speaks for that.
    """
    fresh = _unknown(connection, feed, merged)
    first_keys = feeds.first_keys(connection, {key for _, (key, _) in fresh})
    rows: list[Row] = [
        (item, {"state": "merged", "merged_into": external_id(first_keys[key], guid)})
        for item, (key, guid) in fresh
    ]
    for item_id, (item, (key, _)) in zip(insert(connection, feed, rows), fresh, strict=True):
        if key == feed.key:
            speak_for_origin(connection, item_id, item, policy)
    return len(fresh)


def _unknown(
    connection: sa.Connection, feed: FeedRow, found: Sequence[tuple[Item, Why]]
) -> list[tuple[Item, Why]]:
    """Return what no row tells of yet, each guid once."""
    known = by_guid(connection, feed.id, [item.guid for item, _ in found])
    once = {item.guid: (item, why) for item, why in reversed(found)}
    return [one for guid, one in reversed(once.items()) if guid not in known]
