"""Admission: stores the items of a poll, new, changed, skipped or merged with near-duplicates.

Most new items of a poll have no near-duplicate: no stored row, no stored canonical URL and no band in common
with another item. Those are inserted together; looking each up alone would cost more than the rest of a poll.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.domain.models import FrozenModel, Item, PollState, external_id, reader_of
from pipeline.domain.near_duplicates import signature_bands
from pipeline.domain.withdrawals import OTHER_TEXT, may_be_back, notice_about
from pipeline.storage import caches, duplicate_groups, feeds
from pipeline.storage.engine import Row
from pipeline.storage.feeds import FeedRow
from pipeline.storage.item_outcomes import CORRECTION, SAME_ENTRY, SAME_LINK, SAME_TEXT
from pipeline.storage.item_rows import NOT_TRIED, Columns, by_canonical, by_guid, insert, owns, values
from pipeline.storage.notices import (
    SourceNotice,
    add_corrections,
    note_deleted,
    note_missing,
    note_update,
)
from pipeline.storage.rereading import reread, reread_items
from pipeline.storage.schema import items
from pipeline.storage.skipped_items import add_skipped, not_stored
from pipeline.storage.source_updates import Policy, update_source

Arrival = tuple[Item, Sequence[int]]
"""An item and the bands of its signature."""
NewRow = tuple[Item, Columns]


class PollResult(NamedTuple):
    """What one poll brought."""

    new: Sequence[Item]
    updated: Sequence[Item]
    skipped: Sequence[tuple[Item, str]]
    """Items with the reasons why they are not drafted."""
    merged: Sequence[tuple[Item, tuple[str, str]]]
    """Duplicates with the (feed key, guid) of the item that they repeat."""
    state: PollState
    """Stored in the same transaction."""
    reread: Sequence[Item] = ()
    """Stored items of which only the reader's version differs."""
    present: frozenset[str] = frozenset()
    """Guids of the document: an item that is there itself is not updated from its duplicates."""
    namesakes: Sequence[Item] = ()
    """Items that came with the guid of another story, and have one of their own here."""
    deleted: Sequence[str] = ()
    """Guids of items that the feed says are deleted."""
    complete_since: datetime | None = None
    """The document has all of the feed's items that are newer than this; None: nobody can tell."""
    urls: frozenset[str] = frozenset()
    """Canonical URLs of the document."""


class AdmissionResult(FrozenModel):
    """The number of a poll's items by outcome; updates are changed texts and new notices."""

    new: int = 0
    updated: int = 0
    skipped: int = 0
    merged: int = 0
    notices: tuple[SourceNotice, ...] = ()


def admit(
    connection: sa.Connection, feed: FeedRow, arrivals: Sequence[Arrival], result: PollResult, policy: Policy
) -> AdmissionResult:
    """Store a poll's items; `arrivals` are its new ones with their bands."""
    reread_items(connection, feed.id, result.reread)
    for item, _ in not_stored(connection, feed, [(item, "") for item in result.namesakes]):
        caches.drop_page(connection, item.link)  # its page may be cached as that of the other story
    ordinary: list[Arrival] = []
    about: list[Arrival] = []  # perhaps about one of those
    for each in arrivals:
        (about if notice_about(each[0].title) else ordinary).append(each)
    outcomes = admit_new(connection, feed, ordinary, policy, result.present)
    notices, others = add_corrections(connection, feed, about)
    corrections = len(about) - len(others)
    outcomes += admit_new(connection, feed, others, policy, result.present)
    skipped = add_skipped(connection, feed, result.skipped, notices)
    outcomes += _add_merged(connection, feed, result.merged, policy, result.present)
    updated = sum(
        _update_item(connection, feed.id, item, policy, result.present, notices) for item in result.updated
    )
    notices += note_deleted(connection, feed.id, result.deleted)
    if result.complete_since is not None:
        notices += note_missing(connection, feed.id, result.present, result.urls, result.complete_since)
    return AdmissionResult(
        new=outcomes.count("new"),
        updated=updated + outcomes.count("update") + sum(each.notice != OTHER_TEXT for each in notices),
        skipped=skipped,
        merged=outcomes.count("merged") + outcomes.count("update") + corrections,
        notices=tuple(notices),
    )


def with_bands(new: Sequence[Item]) -> list[Arrival]:
    """Return items with the bands of their signatures, computed outside of any transaction."""
    return [(item, signature_bands(item.title, item.text)) for item in new]


def admit_new(
    connection: sa.Connection,
    feed: FeedRow,
    arrivals: Sequence[Arrival],
    policy: Policy,
    present: frozenset[str] = frozenset(),
) -> list[str]:
    """Store items to be drafted and return the outcome of each: new, merged, update or known."""
    unique, others = _split(connection, feed, arrivals)
    rows: list[NewRow] = [(item, {"state": "seen", "owned_canonical": item.canonical}) for item, _ in unique]
    numbers = insert(connection, feed, rows)
    duplicate_groups.add_bands(connection, zip(numbers, (marks for _, marks in unique), strict=True))
    compared = [_admit_one(connection, feed, arrival, policy, present) for arrival in others]
    return ["new"] * len(unique) + compared


def _split(
    connection: sa.Connection, feed: FeedRow, arrivals: Sequence[Arrival]
) -> tuple[list[Arrival], list[Arrival]]:
    """Return the items without a possible duplicate, stored or earlier in the poll, and the others."""
    guids: set[str] = set(by_guid(connection, feed.id, [item.guid for item, _ in arrivals]))
    urls = set(by_canonical(connection, [item.canonical for item, _ in arrivals if item.canonical]))
    stored_bands = duplicate_groups.existing_bands(
        connection, [mark for _, marks in arrivals for mark in marks]
    )
    unique: list[Arrival] = []
    others: list[Arrival] = []
    for item, marks in arrivals:
        match = item.guid in guids or item.canonical in urls or not stored_bands.isdisjoint(marks)
        (others if match else unique).append((item, marks))
        guids.add(item.guid)
        stored_bands.update(marks)
        if item.canonical:
            urls.add(item.canonical)
    return unique, others


def _admit_one(
    connection: sa.Connection, feed: FeedRow, arrival: Arrival, policy: Policy, present: frozenset[str]
) -> str:
    """Store an item that may be stored already, or be a duplicate; returns new, merged, update or known.

    One that was skipped before, and is no longer excluded, becomes new. A duplicate (by canonical URL, or by
    bands and text) is merged into the other item or becomes its sibling.
    """
    item, marks = arrival
    here = sa.and_(items.c.feed_id == feed.id, items.c.guid == item.guid)
    row = connection.execute(sa.select(items).where(here)).first()
    if row is not None and (row.state != "skipped" or _still_too_short(row, item)):
        return "known"
    owner = _owner(connection, item.canonical)
    duplicate = None if owner else duplicate_groups.find_near_duplicate(connection, feed.id, item, marks)
    among = policy.merge_among - {feed.key}  # a feed that has two stories means two
    same = duplicate and (duplicate.same_entry or duplicate.same_page)
    if duplicate and (same or duplicate.feed_key in among):
        owner = duplicate.external_id
    more: Columns = {"state": "merged" if owner else "seen", "merged_into": owner}
    more["reason"] = _merge_reason(duplicate) if owner else None
    more["owned_canonical"] = None if owner else item.canonical
    more |= NOT_TRIED
    if duplicate and not duplicate.same_entry:
        more["story_id"] = duplicate_groups.join(connection, duplicate)
    item_id = _put(connection, feed, item, more, row.id if row else None)
    updates = bool(owner) and _update_from_duplicate(connection, item_id, item, policy, present)
    if not owner:
        duplicate_groups.add_bands(connection, [(item_id, marks)])
    if duplicate and not duplicate.same_entry:
        duplicate_groups.notify_siblings(connection, duplicate_groups.join(connection, duplicate), item_id)
    return "update" if updates else "merged" if owner else "new"


def _merge_reason(duplicate: duplicate_groups.NearDuplicate | None) -> str:
    if duplicate is None or duplicate.same_page:
        return SAME_LINK
    return SAME_ENTRY if duplicate.same_entry else SAME_TEXT


def _still_too_short(row: Row, item: Item) -> bool:
    """Return whether an item that was too short when it was leased has no more text now."""
    if row.retry_at is not None or may_be_back(row.reason):
        return False  # it was not its text that was missing
    return row.lease_token > 0 and len(item.text) <= len(Item.model_validate_json(row.payload).text)


def _put(connection: sa.Connection, feed: FeedRow, item: Item, more: Columns, item_id: int | None) -> int:
    if item_id is None:
        return insert(connection, feed, [(item, more)])[0]
    again = values(item) | {"notice": None} | more
    connection.execute(items.update().where(items.c.id == item_id).values(**again))
    return item_id


def _owner(connection: sa.Connection, canonical: str | None) -> str | None:
    if canonical is None:
        return None
    where = owns(items.c.canonical == canonical, items.c.owned_canonical == canonical)
    return connection.execute(sa.select(items.c.external_id).where(where).order_by(items.c.id)).scalar()


def _add_merged(
    connection: sa.Connection,
    feed: FeedRow,
    merged: Sequence[tuple[Item, tuple[str, str]]],
    policy: Policy,
    present: frozenset[str],
) -> list[str]:
    """Store duplicates, each with the (feed key, guid) that it repeats; returns outcomes of the new ones.

    One that repeats an item of its own feed updates that item.
    """
    fresh = not_stored(connection, feed, merged)
    first_keys = feeds.first_keys(connection, {key for _, (key, _) in fresh})
    rows: list[NewRow] = [
        (item, {"state": "merged", "reason": SAME_LINK, "merged_into": external_id(first_keys[key], guid)})
        for item, (key, guid) in fresh
    ]
    updates = [
        key == feed.key and _update_from_duplicate(connection, item_id, item, policy, present)
        for item_id, (item, (key, _)) in zip(insert(connection, feed, rows), fresh, strict=True)
    ]
    return ["update" if each else "merged" for each in updates]


def _update_item(
    connection: sa.Connection,
    feed_id: int,
    item: Item,
    policy: Policy,
    present: frozenset[str],
    notices: list[SourceNotice],
) -> bool:
    """Store a changed source: as the item while no work was done on it, as an update afterwards.

    Where the policy says so, a draft without a review is queued to be rewritten. An item that came back under
    another guid updates the one it was merged into. What becomes a notice is added to `notices`. Returns
    whether the change counts as one of the text.
    """
    here = sa.and_(items.c.feed_id == feed_id, items.c.guid == item.guid)
    row = connection.execute(sa.select(items).where(here)).first()
    if row is None:
        return False
    if row.state == "merged":
        connection.execute(items.update().where(items.c.id == row.id).values(updated_hash=item.content_hash))
        origin = None if row.reason == CORRECTION else _origin(connection, row, present)
        return _update_origin(connection, origin, item, policy)
    if (added := note_update(connection, row, item)) is not None:
        notices += added
        return False
    counts = update_source(connection, row, item, policy)
    if counts and row.state == "approved":
        notices.append(SourceNotice(title=row.title, notice=OTHER_TEXT, published=True))
    return counts


def _update_from_duplicate(
    connection: sa.Connection, item_id: int, item: Item, policy: Policy, present: frozenset[str]
) -> bool:
    """Update the item of the same feed that a just merged item repeats; returns whether the change counts."""
    row = connection.execute(sa.select(items).where(items.c.id == item_id)).one()
    origin = _origin(connection, row, present)
    if origin is not None and reader_of(origin.updated_hash or origin.content_hash) != item.reader:
        reread(connection, origin, item)  # nobody can tell whether the publisher changed it, too
        return False
    return _update_origin(connection, origin, item, policy)


def _origin(connection: sa.Connection, row: Row, present: frozenset[str]) -> Row | None:
    """Return the item of the same feed that a merged item repeats, None where the document has it itself."""
    query = sa.select(items).where(items.c.external_id == row.merged_into, items.c.feed_id == row.feed_id)
    origin = connection.execute(query.where(items.c.state != "merged")).first()
    return None if origin is None or origin.guid in present else origin


def _update_origin(connection: sa.Connection, origin: Row | None, item: Item, policy: Policy) -> bool:
    """Apply an update to the item that was merged under another guid of the same feed."""
    if origin is None or item.content_hash in (origin.content_hash, origin.updated_hash):
        return False
    return update_source(connection, origin, item.model_copy(update={"guid": origin.guid}), policy)
